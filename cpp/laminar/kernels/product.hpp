// SPDX-License-Identifier: Apache-2.0
// The three products of dense layers as one family: broadcast an element of the left operand,
// multiply a row of the right operand, accumulate a tile of registers. Each result is summed by one
// accumulator in the order of depth, so its bits do not depend on the tile it falls in, on the
// number of rows, or on threads. Depth beyond kDepthBlock continues from the stored partial sums.
#pragma once

#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

// Registers: rows * 2 accumulators, 2 of the right operand, 1 broadcast.
constexpr int kTileRows = LAMINAR_VECTOR_BYTES == 64 ? 14 : 6;
constexpr int kTileVectors = 2;
template <typename T>
constexpr Index kPanel = kTileVectors * kLanes<T>;
template <typename T>
constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));

// A panel of the right operand (512 x 32 floats: 64 KiB) stays in the nearest caches while all row
// tiles of a block pass over it.
constexpr Index kDepthBlock = 512;

/// One tile: out = start + sum over depth; `start` is a row to repeat (bias), or null for zero, or
/// the tile itself where `resume` is set.
template <typename T>
struct TileArguments {
  const T* left;
  Index left_row;    // elements from one tile row to the next
  Index left_depth;  // elements from one depth to the next
  const T* right;
  Index right_depth;
  Index depth;
  const T* start;
  bool resume;
  T* out;
  Index out_stride;
  const T* prefetch;  // brought to the second-level cache, one line a step of depth; or null
};

template <typename T, int Rows, int Vectors, bool Transposed>
__attribute__((noinline)) void tile(const TileArguments<T>& t) {
  using V = Vector<T>;
  V sums[Rows][Vectors];
  for (int v = 0; v < Vectors; ++v) {
    const V start = t.start != nullptr ? load(t.start + v * kLanes<T>) : V{};
    for (int i = 0; i < Rows; ++i) sums[i][v] = t.resume ? load(t.out + i * t.out_stride + v * kLanes<T>) : start;
  }
  const T* left = t.left;
  const T* right = t.right;
  const Index row = Transposed ? 1 : t.left_row;
  const Index step = Transposed ? t.left_depth : 1;
  for (Index k = 0; k < t.depth; ++k) {
    V b[Vectors];
    for (int v = 0; v < Vectors; ++v) b[v] = load(right + v * kLanes<T>);
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i) {
      const V a = broadcast<V>(left[i * row]);
      for (int v = 0; v < Vectors; ++v) sums[i][v] += a * b[v];
    }
    if (t.prefetch != nullptr) __builtin_prefetch(t.prefetch + k * kLine<T>, 0, 2);
    left += step;
    right += t.right_depth;
  }
  for (int i = 0; i < Rows; ++i) {
    for (int v = 0; v < Vectors; ++v) store(t.out + i * t.out_stride + v * kLanes<T>, sums[i][v]);
  }
}

template <typename T>
using TileFunction = void (*)(const TileArguments<T>&);

/// tile_of<T, Transposed>[rows - 1][vectors - 1]
template <typename T, bool Transposed, typename S>
struct TileTable;
template <typename T, bool Transposed, int... I>
struct TileTable<T, Transposed, Sequence<I...>> {
  static constexpr TileFunction<T> functions[][kTileVectors] = {
      {&tile<T, I + 1, 1, Transposed>, &tile<T, I + 1, 2, Transposed>}...};
};

/// Runs the tiles of one panel: `rows` split into tiles of nearly equal height, which wastes less
/// than full tiles and a rest.
template <typename T, bool Transposed>
inline void panel_tiles(TileArguments<T> t, Index rows, int vectors) {
  using Table = TileTable<T, Transposed, typename MakeSequence<kTileRows>::type>;
  const Index tiles = (rows + kTileRows - 1) / kTileRows;
  const Index height = rows / tiles;
  const Index taller = rows % tiles;
  for (Index i = 0; i < tiles; ++i) {
    const Index count = height + (i < taller ? 1 : 0);
    Table::functions[count - 1][vectors - 1](t);
    t.left += count * t.left_row;
    t.out += count * t.out_stride;
    if (t.prefetch != nullptr) t.prefetch = i == 0 ? t.prefetch + t.depth * kLine<T> : nullptr;
  }
}

template <typename T>
inline Index minimum_of(T a, T b) {
  return a < b ? a : b;
}

template <typename T>
void product(const Product<T>& p) {
  if (p.rows == 0) return;
  for (Index k = 0; k == 0 || k < p.depth; k += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, p.depth - k);
    const bool last = k + depth == p.depth;
    for (Index j = 0; j < p.columns; j += kPanel<T>) {
      const int vectors = p.columns - j > kLanes<T> ? 2 : 1;
      const Index width = vectors * kLanes<T>;
      const T* right = p.right + j * p.depth + k * width;
      const T* start = p.bias != nullptr ? p.bias + j : nullptr;
      panel_tiles<T, false>({p.left + k, p.left_stride, 1, right, width, depth, start, k > 0, p.out + j, p.out_stride,
                             j + kPanel<T> < p.columns ? p.right + (j + kPanel<T>)*p.depth + k * kPanel<T> : nullptr},
                            p.rows, vectors);
      if (!last || p.epilogue == Epilogue::none) continue;
      const bool slope = p.epilogue == Epilogue::slope;
      const T* in = slope ? p.values + j : p.out + j;
      const ActivationRows<T> rows{p.activation, p.activation_parameters,
                                   in,           slope ? p.values_stride : p.out_stride,
                                   p.out + j,    p.out_stride,
                                   p.rows,       width};
      if (slope) {
        activation_gradient(rows);
      } else {
        activate(rows);
      }
    }
  }
}

template <typename T>
void weight_gradient(const WeightGradient<T>& g) {
  const int vectors = g.out_count > kLanes<T> ? 2 : 1;
  for (Index r = 0; r == 0 || r < g.rows; r += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, g.rows - r);
    const T* delta = g.delta + r * g.delta_stride;
    const T* next = g.next != nullptr && r + depth < g.rows ? delta + depth * g.delta_stride : g.next;
    panel_tiles<T, true>({g.left + r * g.left_stride, 1, g.left_stride, delta, g.delta_stride, depth, nullptr, r > 0,
                          g.out, g.out_stride, next},
                         g.in_count, vectors);
  }
}

template <typename T>
void pack(const T* w, Index stride, Index depth, Index columns, T* packed) {
  for (Index j = 0; j < columns; j += kPanel<T>) {
    const Index vectors = columns - j > kLanes<T> ? 2 : 1;
    for (Index k = 0; k < depth; ++k) {
      for (Index v = 0; v < vectors; ++v) {
        const Index left = columns - j - v * kLanes<T>;
        const T* from = w + k * stride + j + v * kLanes<T>;
        store(packed, left >= kLanes<T> ? load(from) : load_first(from, left));
        packed += kLanes<T>;
      }
    }
  }
}

template <typename T>
void to_panels(const T* values, Index stride, Index first, Index rows, Index columns, T* panels, Index panel_rows) {
  for (Index j = 0; j < columns; j += kPanel<T>) {
    const Index width = columns - j > kLanes<T> ? kPanel<T> : kLanes<T>;
    for (Index i = 0; i < rows; ++i) {
      const T* from = values + i * stride + j;
      T* to = panels + (first + i) * width;
      for (Index v = 0; v < width; v += kLanes<T>) store(to + v, load(from + v));
    }
    panels += panel_rows * width;
  }
}

template <typename T>
void pack_transposed(const T* w, Index stride, Index depth, Index columns, T* packed) {
  constexpr Index lanes = kLanes<T>;
  for (Index i = 0; i < depth; i += kPanel<T>) {
    const Index width = depth - i > lanes ? 2 * lanes : lanes;
    for (Index l = 0; l < width; l += lanes) {
      const Index count = minimum_of(lanes, depth - i - l);
      for (Index j = 0; j < columns; j += lanes) {
        const Index filled = minimum_of(lanes, columns - j);
        Vector<T> rows[lanes] = {};
        for (Index r = 0; r < count; ++r) {
          const T* from = w + (i + l + r) * stride + j;
          rows[r] = filled == lanes ? load(from) : load_first(from, filled);
        }
        transpose<T>(rows);
        for (Index c = 0; c < filled; ++c) store(packed + (j + c) * width + l, rows[c]);
      }
    }
    packed += columns * width;
  }
}

}  // namespace
}  // namespace laminar::kernels
