// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/run.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <new>

#include "laminar/base/buffer.hpp"
#include "laminar/base/copy_values.hpp"
#include "laminar/base/random.hpp"
#include "laminar/operations/moving.hpp"
#include "laminar/operations/second_slope.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {
namespace {

using Op = Operation;

bool is_given(Op operation) { return operation == Op::input || operation == Op::weight; }

Op adding(Op reduction) {
  switch (reduction) {
    case Op::prod:
      return Op::multiply;
    case Op::max:
      return Op::maximum;
    case Op::min:
      return Op::minimum;
    default:
      return Op::add;
  }
}

/// The kernel of an activation, which two elementwise operations are as well.
Index kernel_of(const Instruction& value) {
  static const Index tanh = activation_kernel("tanh");
  static const Index sigmoid = activation_kernel("sigmoid");
  if (value.operation == Op::tanh) return tanh;
  return value.operation == Op::sigmoid ? sigmoid : value.integers[0];
}

template <typename T>
class Runner {
 public:
  explicit Runner(const ProgramRun<T>& run) : run_(run), program_(run.program), rows_(run.rows) {}

  void all() {
    places_ = reinterpret_cast<Place*>(run_.memory + run_.plan.table());
    for (int i = 0; i < program_.size(); ++i) {
      new (places_ + i) Place(run_.plan[i].source < 0 ? Place{} : find_place(i));
    }
    for (const int i : run_.plan.steps()) compute(i);
    for (std::size_t o = 0; o < program_.outputs.size(); ++o) leave(o);
  }

 private:
  struct Place {
    const T* values;
    Index lead;  // elements from one index of the first axis to the next, where that is of rows
  };

  /// Elements from row to row where there are no gaps, or all of them where there are no rows.
  Index width(int value) const {
    const Index known = run_.plan[value].width;
    return known >= 0 ? known : row_width(program_.shape(value), rows_);
  }

  /// From the first of the rows on that are looked at.
  Place place_of(int value) const {
    Place place = places_[value];
    if (skipped_ != 0 && run_.plan[value].by_rows) place.values += skipped_ * place.lead;
    return place;
  }

  Place find_place(int value) const {
    const int source = run_.plan[value].source;
    const Instruction& from = program_[source];
    const Index lead = width(value);
    if (from.operation == Op::weight) return {run_.weights[as_size(from.integers[0])], lead};
    if (from.operation == Op::input) {
      const RowValues<const T>& given = run_.inputs[as_size(from.integers[0])];
      if (in_place(source, given.stride)) return {given.values, source == value ? lead_of(source, given.stride) : lead};
    }
    if (const RowValues<T>* left = direct(source); left != nullptr)
      return {left->values, lead_of(source, left->stride)};
    const ProgramPlan::Value& known = run_.plan[source];
    return {run_.memory + (known.summed_by < 0 ? known.place : run_.plan.scratch()), lead};
  }

  Index lead_of(int value, Index stride) const { return run_.plan[value].by_rows ? stride : width(value); }

  /// Whether a value may lie where rows are so far apart.
  bool in_place(int value, Index stride) const {
    const ProgramPlan::Value& known = run_.plan[value];
    const Index natural = width(value);
    if (!known.by_rows || stride == natural || run_.rows == 1) return true;
    return natural >= kNarrowRows && known.takes_gaps;
  }

  /// Whether the value goes to an output at once; null where it is brought there at the end.
  const RowValues<T>* direct(int value) const {
    const ProgramPlan::Value& known = run_.plan[value];
    if (known.output < 0) return nullptr;
    const Op operation = program_[value].operation;
    if (is_given(operation)) return nullptr;
    const bool product = static_cast<bool>(packed_operand(value));
    if (operation == Op::matmul && !product) return nullptr;
    for (std::size_t o = as_size(known.output); o < program_.outputs.size(); ++o) {
      if (program_.outputs[o] != value || run_.outputs[o].values == nullptr) continue;
      const Index stride = run_.outputs[o].stride;
      const bool dense = !known.by_rows || stride == width(value);
      const bool activates = operation == Op::activation || operation == Op::activation_gradient;
      const bool goes_by_rows =
          elementwise_operands(operation) > 0 || product || (activates && program_.shape(value).size() == 2);
      const bool fits = dense || (goes_by_rows && in_place(value, stride));
      return fits ? &run_.outputs[o] : nullptr;
    }
    return nullptr;
  }

  /// The right operand of a product, if there is one.
  struct Factor {
    const T* panels = nullptr;
    const kernels::Compact* compact = nullptr;
    explicit operator bool() const { return panels != nullptr || compact != nullptr; }
  };
  /// The one that a product reads, if it is one of rows and a weight that is packed.
  Factor packed_operand(int value) const {
    const Instruction& product = program_[value];
    if (run_.packed.empty() || product.operation != Op::matmul || product.integers[0] != 0) return {};
    const Instruction& weight = program_[product.reads[1]];
    if (weight.operation != Op::weight || product.shape.size() != 2) return {};
    const PackedFactor<T>& packed = run_.packed[as_size(weight.integers[0])];
    return product.integers[1] == 0 ? Factor{packed.forward, packed.compact} : Factor{packed.backward, nullptr};
  }

  Axes axes(int value) const { return {program_.shape(value), rows_, place_of(value).lead}; }
  Array<const T> array(int value) const { return {place_of(value).values, axes(value)}; }
  Index size(int value) const { return elements(program_.shape(value), rows_); }
  const T* read(const Instruction& value, std::size_t operand) const { return place_of(value.reads[operand]).values; }

  void compute(int i) {
    const Instruction& value = program_[i];
    if (value.operation == Op::input) return take_input(i, value);
    const ProgramPlan::Chain& chain = run_.plan[i].chain;
    if (const Factor factor = chain.product < 0 ? Factor() : packed_operand(chain.product); factor) {
      if (chain.last == i) packed_product(chain, factor);
      return;
    }
    T* const out = const_cast<T*>(place_of(i).values);
    if (elementwise_operands(value.operation) > 0) return elementwise(i, value, out);
    switch (value.operation) {
      case Op::constant:
        return constant(i, value, out);
      case Op::batch_rows:
        *out = static_cast<T>(run_.batch);
        return;
      case Op::sum:
      case Op::prod:
      case Op::max:
      case Op::min:
        return reduce(i, value, out);
      case Op::argmax:
        return argmax(value.integers[0], array(value.reads[0]), out);
      case Op::cumsum:
        return cumsum(value.integers, array(value.reads[0]), out);
      case Op::transpose:
        return transpose(value.integers, array(value.reads[0]), Array<T>{out, axes(i)});
      case Op::broadcast_to:
        return broadcast(array(value.reads[0]), Array<T>{out, axes(i)});
      case Op::slice:
        return slice(value.integers, array(value.reads[0]), Array<T>{out, axes(i)});
      case Op::pad:
        return pad(value.integers, array(value.reads[0]), Array<T>{out, axes(i)});
      case Op::concatenate:
        return concatenate(i, value, out);
      case Op::take:
        return take(value.integers[0], array(value.reads[0]), array(value.reads[1]), out);
      case Op::scatter:
        return scatter(value.integers[0], read(value, 0), array(value.reads[1]), Array<T>{out, axes(i)});
      case Op::matmul:
        return matmul(value, out);
      case Op::activation:
        return activation(i, value, out);
      case Op::activation_gradient:
        return activation_gradient(i, value, out);
      case Op::call:
      case Op::call_gradient:
        return call(value, out);
      case Op::random:
        return random(i, value, out);
      default:
        return;
    }
  }

  void take_input(int i, const Instruction& value) {
    const RowValues<const T>& given = run_.inputs[as_size(value.integers[0])];
    if (in_place(i, given.stride)) return;
    const Index count = width(i);
    copy_rows(given.values, given.stride, run_.rows, count, run_.memory + run_.plan[i].place, count);
  }

  void leave(std::size_t o) {
    const RowValues<T>& to = run_.outputs[o];
    const int value = program_.outputs[o];
    const Place from = place_of(value);
    if (to.values == nullptr || from.values == to.values) return;
    if (!run_.plan[value].by_rows) {
      std::copy_n(from.values, size(value), to.values);
      return;
    }
    const Index count = width(value);
    copy_rows(from.values, from.lead, run_.rows, count, to.values, to.stride);
  }

  void constant(int i, const Instruction& value, T* out) {
    const Index count = size(i);
    if (value.numbers.size() == 1) {
      std::fill_n(out, count, static_cast<T>(value.numbers[0]));
    } else {
      std::transform(value.numbers.begin(), value.numbers.end(), out, [](double x) { return static_cast<T>(x); });
    }
  }

  /// The same where all operands lie in lines: one for each row, or one for all where none has gaps.
  void elementwise_in_lines(int i, const Instruction& value, const ProgramPlan::Lines& lines, T* out) {
    const auto count = value.reads.size();
    const Place to = place_of(i);
    const Index row = width(i);
    bool one_line = to.lead == row;
    for (std::size_t o = 0; o < count; ++o) {
      const bool fits = lines[o] == ProgramPlan::Line::number ||
                        (lines[o] == ProgramPlan::Line::same && place_of(value.reads[o]).lead == row) ||
                        (lines[o] == ProgramPlan::Line::column && row == 1);
      one_line = one_line && fits;
    }
    kernels::ElementwiseRows<T> work;
    work.operation = static_cast<int>(value.operation);
    work.out = out;
    work.out_stride = to.lead;
    work.rows = one_line ? 1 : rows_;
    work.columns = one_line ? rows_ * row : row;
    for (std::size_t o = 0; o < count; ++o) {
      const Place from = place_of(value.reads[o]);
      const bool by_row = lines[o] == ProgramPlan::Line::same || lines[o] == ProgramPlan::Line::column;
      work.operands[o].values = from.values;
      work.operands[o].stride = by_row ? from.lead : 0;
      work.operands[o].single =
          lines[o] == ProgramPlan::Line::number || (lines[o] == ProgramPlan::Line::column && !one_line);
    }
    if (work.columns > 0) run_.kernels.elementwise(work);
  }

  // Axes along which all operands and the value go on without gaps, or stand still, are one.
  void elementwise(int i, const Instruction& value, T* out) {
    const ProgramPlan::Lines& lines = run_.plan[i].lines;
    if (lines[0] != ProgramPlan::Line::other) return elementwise_in_lines(i, value, lines, out);
    const auto count = value.reads.size();
    const Axes to = axes(i);
    std::array<Axes, 3> from;
    std::array<const T*, 3> values{};
    for (std::size_t o = 0; o < count; ++o) {
      const Axes own = axes(value.reads[o]);
      values[o] = read(value, o);
      const int skipped = to.count - own.count;
      for (int k = 0; k < own.count; ++k) {
        const auto axis = as_size(k + skipped);
        from[o].strides[axis] = own.extents[as_size(k)] == 1 ? 0 : own.strides[as_size(k)];
      }
    }
    Axes merged;
    std::array<std::array<Index, kMaxAxes>, 3> steps{};
    for (int k = 0; k < to.count; ++k) {
      const auto axis = as_size(k);
      const Index extent = to.extents[axis];
      if (extent == 0) return;
      if (extent == 1) continue;
      bool joins = merged.count > 0 && merged.strides[merged.last()] == to.strides[axis] * extent;
      for (std::size_t o = 0; joins && o < count; ++o) {
        joins = steps[o][merged.last()] == from[o].strides[axis] * extent;
      }
      if (!joins) {
        ++merged.count;
        merged.extents[merged.last()] = 1;
      }
      merged.extents[merged.last()] *= extent;
      merged.strides[merged.last()] = to.strides[axis];
      for (std::size_t o = 0; o < count; ++o) steps[o][merged.last()] = from[o].strides[axis];
    }
    kernels::ElementwiseRows<T> work;
    work.operation = static_cast<int>(value.operation);
    const int inner = merged.count - 1;
    const int outer = merged.count - 2;
    work.columns = inner >= 0 ? merged.extents[as_size(inner)] : 1;
    work.rows = outer >= 0 ? merged.extents[as_size(outer)] : 1;
    work.out_stride = outer >= 0 ? merged.strides[as_size(outer)] : 0;
    for (std::size_t o = 0; o < count; ++o) {
      work.operands[o].stride = outer >= 0 ? steps[o][as_size(outer)] : 0;
      work.operands[o].single = inner < 0 || steps[o][as_size(inner)] == 0;
    }
    std::array<Index, kMaxAxes> at{};
    while (true) {
      Index offset = 0;
      for (int k = 0; k < outer; ++k) offset += at[as_size(k)] * merged.strides[as_size(k)];
      work.out = out + offset;
      for (std::size_t o = 0; o < count; ++o) {
        work.operands[o].values = values[o];
        for (int k = 0; k < outer; ++k) work.operands[o].values += at[as_size(k)] * steps[o][as_size(k)];
      }
      run_.kernels.elementwise(work);
      int k = outer - 1;
      while (k >= 0 && ++at[as_size(k)] == merged.extents[as_size(k)]) at[as_size(k--)] = 0;
      if (k < 0) return;
    }
  }

  void combine(Op operation, const T* more, Index count, T* out) const {
    kernels::ElementwiseRows<T> work;
    work.operation = static_cast<int>(operation);
    work.operands[0].values = out;
    work.operands[1].values = more;
    work.out = out;
    work.rows = 1;
    work.columns = count;
    run_.kernels.elementwise(work);
  }

  void reduce_once(Op operation, const T* in, const Split& split, T* out) const {
    if (split.inner == 1) {
      kernels::ReducedRows<T> work;
      work.reduction = operation == Op::sum    ? kernels::Reduction::sum
                       : operation == Op::prod ? kernels::Reduction::prod
                       : operation == Op::max  ? kernels::Reduction::max
                                               : kernels::Reduction::min;
      work.in = in;
      work.in_stride = split.extent;
      work.out = out;
      work.rows = split.outer;
      work.columns = split.extent;
      return run_.kernels.reduce(work);
    }
    const T infinity = std::numeric_limits<T>::infinity();
    const T start = operation == Op::sum    ? T(0)
                    : operation == Op::prod ? T(1)
                    : operation == Op::max  ? -infinity
                                            : infinity;
    for (Index i = 0; i < split.outer; ++i, out += split.inner) {
      std::fill_n(out, split.inner, start);
      for (Index k = 0; k < split.extent; ++k, in += split.inner) combine(adding(operation), in, split.inner, out);
    }
  }

  /// What lies along the first axis, perhaps with gaps, to one.
  void sum_of_rows(int i, const Instruction& value, T* out) {
    if (run_.plan[value.reads[0]].summed_by == i) return sum_of_parts(i, value.reads[0], out);
    const Place from = place_of(value.reads[0]);
    const Axes axes(program_.shape(value.reads[0]), run_.rows, from.lead);
    const Index count = axes.extents[0];
    const Index columns = width(i);
    const Index lead = axes.strides[0];
    if (in_vectors(columns, lead)) {
      T* const room = run_.memory + run_.plan.scratch();
      run_.kernels.column_sums(from.values, lead, count, columns, room);
      std::copy_n(room, columns, out);
      return;
    }
    std::fill_n(out, columns, T(0));
    for (Index row = 0; row < count; ++row) combine(Op::add, from.values + row * lead, columns, out);
  }

  /// The same of rows that are computed meanwhile, a few at a time.
  void sum_of_parts(int i, int term, T* out) {
    const Index columns = width(i);
    const Index some = std::max<Index>(1, kSummedElements / std::max<Index>(1, columns));
    T* const room = run_.memory + run_.plan.scratch();
    std::fill_n(out, columns, T(0));
    for (skipped_ = 0; skipped_ < run_.rows; skipped_ += some) {
      rows_ = std::min(some, run_.rows - skipped_);
      elementwise(term, program_[term], room);
      for (Index row = 0; row < rows_; ++row) combine(Op::add, room + row * columns, columns, out);
    }
    skipped_ = 0;
    rows_ = run_.rows;
  }

  /// Whether rows may be read and written in whole vectors.
  bool in_vectors(Index columns, Index lead) const {
    return columns % run_.kernels.lanes == 0 || lead >= round_up(columns, run_.kernels.lanes);
  }

  void reduce(int i, const Instruction& value, T* out) {
    const T* in = read(value, 0);
    const auto& over = value.integers;
    if (sums_rows(value)) return sum_of_rows(i, value, out);
    Axes left = axes(value.reads[0]);
    const Index room = left.size();
    if (over.empty()) {
      std::copy_n(in, room, out);
      return;
    }
    T* const memory = run_.memory + run_.plan.scratch();
    int turn = 0;
    for (std::size_t end = over.size(); end > 0;) {  // runs of neighbouring axes, the last one first
      std::size_t begin = end - 1;
      while (begin > 0 && over[begin - 1] == over[begin] - 1) --begin;
      T* const to = begin == 0 ? out : memory + turn * room;
      reduce_once(value.operation, in, Split(left, over[begin], over[end - 1] + 1), to);
      for (std::size_t k = begin; k < end; ++k) left.extents[as_size(over[k])] = 1;
      in = to;
      turn = 1 - turn;
      end = begin;
    }
  }

  void concatenate(int i, const Instruction& value, T* out) {
    const Array<T> to{out, axes(i)};
    Index first = 0;
    for (const int part : value.reads) {
      const Array<const T> in = array(part);
      laminar::concatenate(value.integers[0], in, first, to);
      const Split split(in.axes, value.integers[0], value.integers[0] + 1);
      first += split.extent * split.inner;
    }
  }

  /// A matrix among those of an operand.
  struct Matrix {
    const T* values;
    Index rows;
    Index columns;
    Index stride;
  };
  /// A product of rows and a packed weight, with what is computed with it.
  void packed_product(const ProgramPlan::Chain& chain, const Factor& factor) {
    const Instruction& value = program_[chain.product];
    const kernels::Kernels<T>& k = run_.kernels;
    const Place from = place_of(value.reads[0]);
    const Place to = place_of(chain.last);
    kernels::Product<T> p;
    p.left = from.values;
    p.left_stride = from.lead;
    p.right = factor.panels;
    p.compact = factor.compact;
    if (p.compact != nullptr) p.expanded = scratch<T>(Scratch::weights, kernels::kDepthBlock * k.panel);
    p.rows = run_.rows;
    p.depth = program_.shape(value.reads[0]).back();
    p.columns = value.shape.back();
    if (p.columns >= kTiledColumns) p.tiles = run_.tiles;
    std::array<T, 16> parameters{};
    int last = chain.last;
    if (last != chain.product && program_[last].operation != Op::add) {
      const kernels::ActivationRows<T> activation = activation_rows(program_[last], parameters);
      p.epilogue = k.activate;
      p.activation = activation.activation;
      p.activation_parameters = activation.parameters;
      last = program_[last].reads[0];
    }
    if (last != chain.product) {
      const std::vector<int>& reads = program_[last].reads;
      p.bias = place_of(reads[reads[0] == chain.product ? 1 : 0]).values;
    }
    const bool in_place = in_vectors(p.columns, to.lead);
    T* const out = const_cast<T*>(to.values);
    p.out = in_place ? out : run_.memory + run_.plan.scratch();
    p.out_stride = in_place ? to.lead : padded_stride(p.columns);
    k.any_product(p);
    if (in_place) return;
    copy_rows(p.out, p.out_stride, p.rows, p.columns, out, to.lead);
  }

  void matmul(const Instruction& value, T* out) {
    const Axes a = axes(value.reads[0]);
    const Axes b = axes(value.reads[1]);
    const Axes to = Axes(value.shape, run_.rows, row_width(value.shape, run_.rows));
    const int leading = to.count - 2;
    Index batches = 1;
    for (int k = 0; k < leading; ++k) batches *= to.extents[as_size(k)];
    const auto matrix = [&](const Axes& axes, const T* values, Index batch) {
      for (int k = leading - 1; k >= 0; --k) {
        const Index extent = to.extents[as_size(k)];
        const int own = k - (leading - (axes.count - 2));
        if (own >= 0 && axes.extents[as_size(own)] != 1) values += batch % extent * axes.strides[as_size(own)];
        batch /= extent;
      }
      return Matrix{values, axes.extents[axes.last() - 1], axes.extents[axes.last()], axes.strides[axes.last() - 1]};
    };
    const Index size = to.extents[to.last()] * to.extents[to.last() - 1];
    const bool one_b = b.count == 2;
    for (Index batch = 0; batch < batches; ++batch) {
      product(matrix(a, read(value, 0), batch), value.integers[0] != 0, matrix(b, read(value, 1), batch),
              value.integers[1] != 0, batch == 0 || !one_b, out + batch * size);
    }
  }

  void product(Matrix a, bool a_transposed, const Matrix& b, bool b_transposed, bool pack, T* out) {
    const kernels::Kernels<T>& k = run_.kernels;
    T* const left = run_.memory + run_.plan.scratch();
    T* const packed = left + round_up(a.rows * a.columns, kSlice);
    if (a_transposed) {
      for (Index i = 0; i < a.rows; ++i) {
        for (Index j = 0; j < a.columns; ++j) left[j * a.rows + i] = a.values[i * a.stride + j];
      }
      a = {left, a.columns, a.rows, a.rows};
    }
    const Index columns = b_transposed ? b.rows : b.columns;
    if (a.columns == 0) {
      std::fill_n(out, a.rows * columns, T(0));
      return;
    }
    if (pack && b_transposed) k.pack_transposed(b.values, b.stride, b.rows, b.columns, packed);
    if (pack && !b_transposed) k.pack(b.values, b.stride, b.rows, b.columns, packed);
    const Index most = std::max(b.rows * round_up(b.columns, kSlice), b.columns * round_up(b.rows, kSlice));
    T* const padded = packed + round_up(most, kSlice);
    kernels::Product<T> p;
    p.left = a.values;
    p.left_stride = a.stride;
    p.right = packed;
    p.out = padded;
    p.out_stride = padded_stride(columns);
    p.rows = a.rows;
    p.depth = a.columns;
    p.columns = columns;
    k.product(p);
    copy_rows<T>(padded, p.out_stride, a.rows, columns, out, columns);
  }

  /// Rows of an operand or value.
  template <typename Element>
  struct Lines {
    Element* values;
    Index stride;
  };

  /// Calls work(in, other, out, rows, columns) for rows that have room for whole vectors; `other` may have none.
  template <typename Work>
  void in_rows(int i, const Instruction& value, const Place& in, const Place& other, T* out, const Work& work) {
    const Index count = size(i);
    if (count == 0) return;
    const bool whole = value.integers[1] != 0;  // rows, not elements
    const Shape& shape = program_.shape(i);
    const Index to_lead = place_of(i).lead;
    const Index row = shape.size() == 2 && run_.plan[i].by_rows ? width(i) : 0;
    const bool gaps = row != 0 && (in.lead != row || to_lead != row || (other.values != nullptr && other.lead != row));
    if (row != 0 && (gaps || whole) && in_vectors(row, in.lead) && in_vectors(row, to_lead) &&
        (other.values == nullptr || in_vectors(row, other.lead))) {
      return work({in.values, in.lead}, {other.values, other.lead}, {out, to_lead}, run_.rows, row);
    }
    const Index vector = run_.kernels.lanes;
    Index begin = 0;
    if (!whole && !gaps) {
      begin = count / vector * vector;
      if (begin > 0) work({in.values, begin}, {other.values, begin}, {out, begin}, 1, begin);
    }
    if (begin == count) return;
    const Index columns = gaps ? row : whole ? shape.back() : count - begin;
    const Index stride = round_up(columns, kSlice);
    T* const room = run_.memory + run_.plan.scratch();
    T* const other_room = room + kRowsCopied * stride;
    T* const out_room = other_room + kRowsCopied * stride;
    const Index lines = (count - begin) / columns;
    const auto step_of = [&](Index lead) { return gaps ? lead : columns; };
    for (Index first = 0; first < lines; first += kRowsCopied) {
      const Index some = std::min(kRowsCopied, lines - first);
      const auto place = [&](Index lead) { return begin + first * step_of(lead); };
      copy_rows(in.values + place(in.lead), step_of(in.lead), some, columns, room, stride);
      if (other.values != nullptr) {
        copy_rows(other.values + place(other.lead), step_of(other.lead), some, columns, other_room, stride);
      }
      work({room, stride}, {other.values == nullptr ? nullptr : other_room, stride}, {out_room, stride}, some, columns);
      copy_rows<T>(out_room, stride, some, columns, out + place(to_lead), step_of(to_lead));
    }
  }

  kernels::ActivationRows<T> activation_rows(const Instruction& value, std::array<T, 16>& parameters) const {
    std::transform(value.numbers.begin(), value.numbers.end(), parameters.begin(),
                   [](double x) { return static_cast<T>(x); });
    kernels::ActivationRows<T> rows;
    rows.activation = static_cast<int>(kernel_of(value));
    rows.parameters = parameters.data();
    rows.rows = 1;
    return rows;
  }

  void activation(int i, const Instruction& value, T* out) {
    std::array<T, 16> parameters{};
    kernels::ActivationRows<T> work = activation_rows(value, parameters);
    in_rows(i, value, place_of(value.reads[0]), {nullptr, 0}, out,
            [&](Lines<const T> in, Lines<const T>, Lines<T> to, Index rows, Index columns) {
              work.in = in.values;
              work.in_stride = in.stride;
              work.out = to.values;
              work.out_stride = to.stride;
              work.rows = rows;
              work.columns = columns;
              run_.kernels.activate(work);
            });
  }

  void activation_gradient(int i, const Instruction& value, T* out) {
    std::array<T, 16> parameters{};
    kernels::ActivationRows<T> work = activation_rows(value, parameters);
    const bool keeps_input = value.integers[2] != 0;
    in_rows(i, value, place_of(value.reads[keeps_input ? 0 : 1]), place_of(value.reads[2]), out,
            [&](Lines<const T> in, Lines<const T> d, Lines<T> to, Index rows, Index columns) {
              copy_rows(d.values, d.stride, rows, columns, to.values, to.stride);
              work.in = in.values;
              work.in_stride = in.stride;
              work.out = to.values;
              work.out_stride = to.stride;
              work.rows = rows;
              work.columns = columns;
              run_.kernels.activation_gradient(work);
            });
  }

  void call(const Instruction& value, T* out) {
    std::array<const T*, kMaxFunctionOperands> operands{};
    std::array<const Shape*, kMaxFunctionOperands> shapes{};
    const bool back = value.operation == Op::call_gradient;
    const std::size_t count = value.reads.size() - (back ? 2 : 0);
    for (std::size_t k = 0; k < count; ++k) {
      operands[k] = read(value, k);
      shapes[k] = &program_.shape(value.reads[k]);
    }
    FunctionRows<T> rows{.operands = std::span(operands).first(count), .shapes = std::span(shapes).first(count)};
    rows.rows = run_.rows;
    rows.out = out;
    if (!back) return value.function->value(rows);
    rows.value = read(value, count);
    rows.d_value = read(value, count + 1);
    rows.of = as_size(value.integers[0]);
    value.function->gradient(rows);
  }

  void random(int i, const Instruction& value, T* out) {
    const std::uint32_t item = run_.draws.item ^ (static_cast<std::uint32_t>(value.integers[1]) << 16);
    const RandomStream stream(run_.draws.seed, Purpose::noise, item, run_.draws.step);
    const Index count = size(i);
    const Index first = run_.plan[i].by_rows ? run_.first_row * width(i) : 0;
    for (Index k = 0; k < count; ++k) {
      const double u = stream.uniform(static_cast<std::uint64_t>(first + k));
      out[k] = static_cast<T>(value.integers[0] == 0 ? u : normal_quantile(u));
    }
  }

  const ProgramRun<T>& run_;
  const Program& program_;
  Place* places_ = nullptr;  // of all values
  Index rows_;               // that are looked at
  Index skipped_ = 0;        // before these
};

}  // namespace

template <typename T>
void run(const ProgramRun<T>& run) {
  Runner<T>(run).all();
}

template void run(const ProgramRun<float>&);
template void run(const ProgramRun<double>&);

}  // namespace laminar
