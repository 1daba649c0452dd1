// SPDX-License-Identifier: Apache-2.0
// The border between ordinary code and code compiled per instruction set: a table of functions
// over raw pointers and sizes. One table per (instruction set, scalar, precision of products); `kernels<T>()` is the
// one that this process uses, chosen once (see dispatch.cpp).
//
// The right operand of a product, and its left one where that lies in tiles, is made of elements: numbers,
// or pairs of bfloat16, two steps of depth in the place of one float. A table says which.
//
// Matrices are row-major, `stride` counts elements between rows. Functions marked "padded" read and
// write whole vectors: their rows must have room for `columns` rounded up to 64 bytes.
#pragma once

#include <cstdint>

#include "laminar/base/product_precision.hpp"
#include "laminar/base/quantization.hpp"

namespace laminar::kernels {

/// Counts, positions and strides, in elements.
using Index = std::int64_t;

/// Most state arrays that an elementwise optimizer keeps.
inline constexpr int kMaxSlots = 4;
/// Most numbers that an update takes from Optimizer::coefficients.
inline constexpr int kMaxCoefficients = 12;

/// The depth of a product is taken in blocks of so many elements: a panel of the right operand (512 x 32
/// floats: 64 KiB) stays in the nearest caches while all tiles pass over it. Sums continue from block to block.
inline constexpr Index kDepthBlock = 512;

/// Room for the left operand of a product of so many rows in tiles.
constexpr Index tiles_size(Index rows) { return rows * kDepthBlock + 16; }

/// A right operand of floats that are held in fewer bits (compact.hpp). Its panels have 8, 4, 2 or 1 vectors of
/// columns, as many as there are; in each these lie row by row, those that are missing in the last vector as zeros.
struct Compact {
  Quantization quantization = Quantization::none;
  const void* panels = nullptr;
  const float* scales = nullptr;  // of int8: one a column, padded to whole vectors
};

/// Vectors of the panel that comes next where so many columns are left.
constexpr Index compact_panel(Index columns, Index lanes) {
  Index vectors = 8;
  while (vectors > 1 && columns <= (vectors - 1) * lanes) vectors /= 2;
  return vectors;
}

template <typename T>
struct ActivationRows;

/// out (rows x columns) = left (rows x depth) * right + bias, then the epilogue on each block of results while
/// it is still in the nearest cache: out = f(out), or out = out * f'(values) where values are given, which are
/// z or a, as the activation needs. `out` is padded.
/// Every element is summed in the order of depth, whatever the other sizes are.
template <typename T>
struct Product {
  const T* left = nullptr;
  Index left_stride = 0;
  const T* right = nullptr;  // packed: see pack
  const T* bias = nullptr;   // padded to 64 bytes, or null for zero
  T* out = nullptr;
  Index out_stride = 0;
  Index rows = 0;
  Index depth = 0;
  Index columns = 0;
  T* tiles = nullptr;  // room for tiles_size(rows) elements, into which left is brought first; null: read in place
  const Compact* compact = nullptr;  // in place of right, of floats
  T* expanded = nullptr;             // with it, unless there is one row: room for kDepthBlock rows of a panel
  // The same table's activate, or its activation_gradient where values are given. Products hold no activations
  // of their own: a table that has but these would carry them a second time.
  void (*epilogue)(const ActivationRows<T>&) = nullptr;
  int activation = 0;  // an elementwise entry
  const T* activation_parameters = nullptr;
  const T* values = nullptr;  // rows x columns, padded
  Index values_stride = 0;
};

/// out (in x out block) = left^T * delta, summed over the rows in their order.
/// left is rows x in_count, delta rows x out_count (padded), out_count <= panel. Pairs are rows below each
/// other; delta_stride is that of the rows of pairs.
template <typename T>
struct WeightGradient {
  const T* left = nullptr;
  Index left_stride = 0;
  const T* delta = nullptr;
  Index delta_stride = 0;
  Index rows = 0;
  Index in_count = 0;
  Index out_count = 0;
  T* out = nullptr;  // whole vectors of its rows are written, one row after the other: with less room
                     // they reach into the next row, or past the last one
  Index out_stride = 0;
  const T* next = nullptr;   // what the caller reads next, to be fetched meanwhile; or null
  const T* tiles = nullptr;  // left as tiles_of_columns leaves it, read instead of it; or null
  Index next_size = 0;       // elements of `next`
  T* sums = nullptr;         // the columns of delta summed, padded; or null
};

/// An activation over a padded block: out = f(in), or out = out * f' for its gradient.
template <typename T>
struct ActivationRows {
  int activation = 0;
  const T* parameters = nullptr;
  const T* in = nullptr;  // z forward; z or a backward, as the activation needs
  Index in_stride = 0;
  T* out = nullptr;
  Index out_stride = 0;
  Index rows = 0;
  Index columns = 0;
};

/// A dense layer that one row passes.
template <typename T>
struct DenseRow {
  const T* kernel = nullptr;  // packed: see pack
  const T* bias = nullptr;    // padded to 64 bytes, or null for zero
  Index depth = 0;
  Index columns = 0;
  T* out = nullptr;  // padded
  int activation = 0;
  const T* activation_parameters = nullptr;
  bool linear = false;  // nothing is to be done for the activation
};

/// A loss over the rows of a padded block.
template <typename T>
struct LossRows {
  int loss = 0;
  const T* parameters = nullptr;
  bool logits = false;            // outputs hold the input of the loss's own activation …
  bool write_activation = false;  // … and are replaced by the activation
  T* outputs = nullptr;
  Index outputs_stride = 0;
  const T* targets = nullptr;  // rows x columns, padded; null where labels are given
  Index targets_stride = 0;
  const std::int32_t* labels = nullptr;
  const T* weights = nullptr;  // one per row, or null for 1
  T scale = 1;                 // of the gradient: 1 / weight of the whole batch
  T* delta = nullptr;          // gradient with respect to outputs as given; null: not wanted
  Index delta_stride = 0;
  T* losses = nullptr;  // one per row, times its weight; null: not wanted
  Index rows = 0;
  Index columns = 0;
};

/// out = f(in) with one or two parameters a column. A row holds `groups` times `columns` values;
/// nothing is padded.
template <typename T>
struct ColumnRows {
  const T* in = nullptr;
  Index in_stride = 0;
  T* out = nullptr;
  Index out_stride = 0;
  const T* first = nullptr;
  const T* second = nullptr;
  const T* values = nullptr;  // what a gradient needs besides
  Index values_stride = 0;
  Index rows = 0;
  Index groups = 1;
  Index columns = 0;
};

/// Rows (or the groups of a row) brought to mean 0 and variance 1, and the way back: there `in` is the
/// gradient of the output, `out` that of the input. Nothing is padded.
template <typename T>
struct NormalizedRows {
  const T* in = nullptr;
  Index in_stride = 0;
  T* out = nullptr;
  Index out_stride = 0;
  const T* gamma = nullptr;  // null for 1
  const T* beta = nullptr;   // null for 0
  T epsilon = 0;
  T* normalized = nullptr;  // before gamma and beta; null: not kept
  T* inverse = nullptr;     // one a group: 1 / sqrt(variance + epsilon)
  Index kept_stride = 0;    // of both
  Index rows = 0;
  Index groups = 1;
  Index columns = 0;
};

/// The largest of some pieces for each unit: z holds all units of piece 0, then those of piece 1, …
/// On the way back z becomes its gradient. Nothing is padded.
template <typename T>
struct PieceRows {
  T* z = nullptr;
  Index z_stride = 0;
  T* out = nullptr;
  Index out_stride = 0;
  const T* delta = nullptr;  // of out, on the way back
  Index delta_stride = 0;
  Index rows = 0;
  Index units = 0;
  Index pieces = 0;
};

/// sums[j] = sum of a b over the rows in their order, and over the groups of each row, `group` apart.
template <typename T>
struct GroupProducts {
  const T* a = nullptr;
  Index a_stride = 0;
  const T* b = nullptr;  // null for 1
  Index b_stride = 0;
  bool negative_part = false;  // min(b, 0) in place of b
  Index rows = 0;
  Index groups = 1;
  Index group = 0;
  Index columns = 0;
  T* sums = nullptr;
};

/// An operand of an elementwise operation: rows of values, or one value a row.
template <typename T>
struct ElementwiseOperand {
  const T* values = nullptr;
  Index stride = 0;  // between rows; 0: the same row for all
  bool single = false;
};

/// out = f(operands), element by element. Nothing is padded.
template <typename T>
struct ElementwiseRows {
  int operation = 0;  // its place in elementwise_list.hpp
  ElementwiseOperand<T> operands[3];
  T* out = nullptr;
  Index out_stride = 0;
  Index rows = 0;
  Index columns = 0;
};

/// How a row is brought to one number.
enum class Reduction { sum, prod, max, min };

/// out[i] = row i of `in`, reduced. NaN is handed on. Nothing is padded.
template <typename T>
struct ReducedRows {
  Reduction reduction = Reduction::sum;
  const T* in = nullptr;
  Index in_stride = 0;
  T* out = nullptr;
  Index rows = 0;
  Index columns = 0;
};

/// One optimizer update of a block of weights; `stride` serves weights and slots.
template <typename T>
struct Update {
  int optimizer = 0;
  const T* coefficients = nullptr;
  T* weights = nullptr;
  T* slots[kMaxSlots] = {};
  Index stride = 0;
  const T* gradients = nullptr;
  Index gradients_stride = 0;
  Index rows = 0;
  Index columns = 0;
};

/// out = (x - center) * slope + y * y_slope + shift, where all but x and y are one number a column;
/// y may be null. Padded.
template <typename T>
struct ColumnAffine {
  const T* x = nullptr;
  Index x_stride = 0;
  const T* y = nullptr;
  Index y_stride = 0;
  const T* center = nullptr;
  const T* slope = nullptr;
  const T* y_slope = nullptr;
  const T* shift = nullptr;
  T* out = nullptr;
  Index out_stride = 0;
  Index rows = 0;
  Index columns = 0;
};

/// sums[j] = sum over the rows, in their order, of (x_ij - center_j) * y_ij, or of its square where
/// y is null. Padded.
template <typename T>
struct ColumnProducts {
  const T* x = nullptr;
  Index x_stride = 0;
  const T* y = nullptr;
  Index y_stride = 0;
  const T* center = nullptr;
  T* sums = nullptr;
  Index rows = 0;
  Index columns = 0;
};

/// One dense layer of a small network. The rows of its kernel are padded to whole vectors; with one
/// output they would be all padding, so that kernel is kept as a column without gaps, padded at its end.
template <typename T>
struct SmallLayer {
  Index in = 0;
  Index out = 0;
  Index width = 0;      // of a row of the kernel: whole vectors, or 1
  Index kernel = 0;     // places in the small network's own parameters and gradients
  Index bias = -1;      // -1: none
  T* output = nullptr;  // padded, as is delta: zero past a row of it
  T* delta = nullptr;
  Index stride = 0;    // between rows of both
  int activation = 0;  // elementwise; its slope follows from the output
  const T* activation_parameters = nullptr;
  bool plain = false;  // linear: nothing is to be done for its slope
};

/// One batch through a small network, from the user's rows to the updated weights. Where rows are
/// gathered they are copied first, else read in place.
template <typename T>
struct SmallStep {
  const SmallLayer<T>* layers = nullptr;
  int count = 0;
  Index rows = 0;
  const T* inputs = nullptr;
  Index inputs_stride = 0;
  const T* parameters = nullptr;
  T* gradients = nullptr;
  T* scratch = nullptr;  // room for the largest kernel, transposed and packed
  LossRows<T> loss;
  Update<T> update;  // of all parameters as one row; without weights: gradients only
};

/// Batches of one row each, as many as the step has rows: read, compared and updated one after the
/// other. What differs between them stands here, one entry for each.
template <typename T>
struct SmallRun {
  SmallStep<T> step;                // its last layer has an output for each row
  const Index* order = nullptr;     // of the step's inputs; null: as they stand
  const T* scales = nullptr;        // in place of the loss's one
  const T* coefficients = nullptr;  // of the update
  Index coefficients_stride = 0;    // 0: the same for all
};

/// The functions of one instruction set for one scalar type.
template <typename T>
struct Kernels {
  const char* isa;  // "baseline", "avx2", "avx512", "avx512_bf16"
  Index lanes;      // elements of one vector
  Index panel;      // columns of one packed panel
  Index depths;     // steps of depth in an element: with 2 left operands must be given room for tiles

  void (*product)(const Product<T>&);
  void (*compact_product)(const Product<T>&);  // with `compact`; null for doubles
  /// The row x through so many layers, each of which reads what the one before has written. Bits as of product.
  void (*dense_row)(const DenseRow<T>* layers, Index count, const T* x);
  void (*weight_gradient)(const WeightGradient<T>&);
  /// Right operand w (depth x columns) into panels: panel p holds columns p * panel …, row by row,
  /// zero-filled to whole vectors. packed_size() elements.
  void (*pack)(const T* w, Index stride, Index depth, Index columns, T* packed);
  /// The same for the transpose of w (depth x columns): right operand columns x depth.
  void (*pack_transposed)(const T* w, Index stride, Index depth, Index columns, T* packed);
  /// Rows [first, first + rows) of a matrix into panels of the same layout, `panel_rows` rows each;
  /// `values` is the first of them. No element may be split: first, and rows unless they are the last, are
  /// multiples of depths.
  void (*to_panels)(const T* values, Index stride, Index first, Index rows, Index columns, T* panels, Index panel_rows);
  /// The left operand of weight_gradient as its tiles read it, elements(rows) * columns of them.
  void (*tiles_of_columns)(const T* left, Index stride, Index rows, Index columns, T* to);
  /// Copies rows of `columns` elements, to[i] = from[order[i]], or from[i] where order is null.
  void (*gather)(const T* from, Index columns, const Index* order, Index rows, T* to, Index to_stride);
  void (*activate)(const ActivationRows<T>&);
  void (*activation_gradient)(const ActivationRows<T>&);
  void (*loss)(const LossRows<T>&);
  void (*update)(const Update<T>&);
  /// sums[j] = sum of column j over the rows in their order; padded.
  void (*column_sums)(const T* values, Index stride, Index rows, Index columns, T* sums);
  void (*column_products)(const ColumnProducts<T>&);
  void (*column_affine)(const ColumnAffine<T>&);
  /// out = a * b elementwise, padded.
  void (*multiply)(const T* a, Index a_stride, const T* b, Index b_stride, T* out, Index out_stride, Index rows,
                   Index columns);
  /// out = out + a * b elementwise, or out + a where b is null; padded.
  void (*add_product)(const T* a, Index a_stride, const T* b, Index b_stride, T* out, Index out_stride, Index rows,
                      Index columns);
  void (*group_products)(const GroupProducts<T>&);
  void (*prelu)(const ColumnRows<T>&);
  void (*prelu_gradient)(const ColumnRows<T>&);
  /// first: means, second: variances.
  void (*standardize)(const ColumnRows<T>&);
  void (*restore)(const ColumnRows<T>&);
  /// first: one scale, second: one offset.
  void (*rescale)(const ColumnRows<T>&);
  void (*normalize)(const NormalizedRows<T>&);
  void (*normalize_gradient)(const NormalizedRows<T>&);
  void (*largest_piece)(const PieceRows<T>&);
  void (*largest_piece_gradient)(const PieceRows<T>&);
  void (*elementwise)(const ElementwiseRows<T>&);
  void (*reduce)(const ReducedRows<T>&);
  /// Returns the sum of the losses; where that is not finite, nothing is updated.
  double (*small_step)(const SmallStep<T>&);
  /// Writes the losses after the last update, whether they are finite or not.
  void (*small_run)(const SmallRun<T>&);
  /// True where all n values are finite.
  bool (*all_finite)(const T* values, Index n);

  /// A product, whatever its right operand is held in.
  void any_product(const Product<T>& p) const { (p.compact == nullptr ? product : compact_product)(p); }
  Index elements(Index depth) const { return (depth + depths - 1) / depths; }
  Index packed_size(Index depth, Index columns) const {
    return elements(depth) * ((columns + lanes - 1) / lanes * lanes);
  }
};

/// The table in use. Throws std::invalid_argument where LAMINAR_ISA names none that runs here, or T has no
/// such precision.
template <typename T>
const Kernels<T>& kernels(ProductPrecision precision = ProductPrecision::full);

}  // namespace laminar::kernels
