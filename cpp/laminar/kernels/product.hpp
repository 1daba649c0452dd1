// SPDX-License-Identifier: Apache-2.0
// The three products of dense layers as one family: broadcast an element of the left operand,
// multiply a row of the right operand, accumulate a tile of registers. Each result is summed by one
// accumulator in the order of depth, so its bits do not depend on the tile it falls in, on the
// number of rows, or on threads. Depth beyond kDepthBlock continues from the stored partial sums.
// A: what is multiplied, see operands.hpp; depth is counted in its elements here.
#pragma once

#include "laminar/kernels/columns.hpp"
#include "laminar/kernels/panels.hpp"

namespace laminar::kernels {
namespace {

template <typename T>
constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));

// From this depth on a panel is read from the second-level cache: its lines are asked for some steps
// ahead. With less it is in the first, and the instructions would only cost.
constexpr Index kDeep = 400;
constexpr Index kAhead = 6;

template <bool B>
struct Flag {
  static constexpr bool value = B;
};

/// One tile: out = start + sum over depth; `start` is a row to repeat (bias), or null for zero, or
/// the tile itself where `resume` is set.
template <typename T>
struct TileArguments {
  const T* left;
  Index left_row;    // elements from one row to the next
  Index left_depth;  // elements from one depth to the next; 0: as many as the tile has rows
  const T* right;
  Index right_depth;
  Index depth;
  const T* start;
  bool resume;
  T* out;
  Index out_stride;
  const T* prefetch;        // brought to the second-level cache along the depth; or null
  Index prefetch_step = 0;  // elements a step of depth

  /// Takes the left operand from tiles instead.
  void read_tiles(const T* tiles) {
    left = tiles;
    left_row = depth;
    left_depth = 0;
  }
};

/// Where the elements of a tile's left operand lie for one step of depth. With two registers an address
/// reaches 0, 1, 2 and 4 strides from a pointer, with one more 3: so 14 rows need three pointers that
/// move, and the loop no spill.
template <typename T>
struct TileRows {
  static constexpr int kReach = 5;
  const T* bases[3];
  Index stride;
  Index stride3;

  TileRows(const T* left, Index row)
      : bases{left, left + kReach * row, left + 2 * kReach * row}, stride(row), stride3(3 * row) {
    asm("" : "+r"(bases[1]), "+r"(bases[2]), "+r"(stride), "+r"(stride3));  // or the compiler folds them into one
  }
  const T* at(int i) const {
    const int strides = i % kReach;
    return bases[i / kReach] + (strides == 3 ? stride3 : strides * stride);
  }
  void advance() {
    for (const T*& base : bases) ++base;
  }
};

/// The same for the transpose: a step's elements are neighbours.
template <typename T>
struct TileColumns {
  const T* base;
  Index step;

  const T* at(int i) const { return base + i; }
  void advance() { base += step; }
};

// Loops over a tile are unrolled by name: unrolled later, its sums would pass through memory first.
template <typename A, int Rows, int Vectors, bool Transposed, typename T = typename A::Scalar>
__attribute__((noinline)) void tile(const TileArguments<T>& t) {
  using V = Vector<T>;
  V sums[Rows][Vectors];
  if (t.resume) {
    const T* out = t.out;
#pragma GCC unroll 16
    for (int i = 0; i < Rows; ++i, out += t.out_stride) {
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) sums[i][v] = load(out + v * kLanes<T>);
    }
  } else {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) {
      const V start = t.start != nullptr ? load(t.start + v * kLanes<T>) : V{};
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) sums[i][v] = start;
    }
  }
  auto left = [&] {
    if constexpr (Transposed) {
      return TileColumns<T>{t.left, t.left_depth};
    } else {
      return TileRows<T>(t.left, t.left_row);
    }
  }();
  const T* right = t.right;
  const Index right_step = t.right_depth;
  const T* next = t.prefetch != nullptr ? t.prefetch : right;
  const Index next_step = t.prefetch != nullptr ? t.prefetch_step : 0;
  const Index soon = kAhead * right_step;
  const auto steps = [&](auto ahead) {
    for (Index k = t.depth; k > 0; --k) {
      V b[Vectors];
#pragma GCC unroll 4
      for (int v = 0; v < Vectors; ++v) b[v] = load(right + v * kLanes<T>);
      if constexpr (decltype(ahead)::value) {
        __builtin_prefetch(right + soon, 0, 3);
        if constexpr (Vectors * kLanes<T> > kLine<T>) __builtin_prefetch(right + soon + kLine<T>, 0, 3);
      }
#pragma GCC unroll 16
      for (int i = 0; i < Rows; ++i) {
        const V a = A::spread(left.at(i));
#pragma GCC unroll 4
        for (int v = 0; v < Vectors; ++v) sums[i][v] = A::add_product(sums[i][v], a, b[v]);
      }
      __builtin_prefetch(next, 0, 2);
      next += next_step;
      left.advance();
      right += right_step;
    }
  };
  constexpr bool tall = Vectors == kTileVectors && Rows + 4 > kTileRows;  // what deep products consist of
  if (tall && t.depth >= kDeep) {
    steps(Flag<tall>{});
  } else {
    steps(Flag<false>{});
  }
  T* out = t.out;
#pragma GCC unroll 16
  for (int i = 0; i < Rows; ++i, out += t.out_stride) {
#pragma GCC unroll 4
    for (int v = 0; v < Vectors; ++v) store(out + v * kLanes<T>, sums[i][v]);
  }
}

template <typename T>
using TileFunction = void (*)(const TileArguments<T>&);

/// functions[rows - 1][vectors - 1]
template <typename A, bool Transposed, typename S>
struct TileTable;
template <typename A, bool Transposed, int... I>
struct TileTable<A, Transposed, Sequence<I...>> {
  static constexpr TileFunction<typename A::Scalar> functions[][kTileVectors] = {
      {&tile<A, I + 1, 1, Transposed>, &tile<A, I + 1, 2, Transposed>}...};
};

/// Runs the tiles of one panel, `prefetch_size` elements are fetched meanwhile. With left_depth 0 the left
/// operand is in tiles, left_row is its depth.
template <typename A, bool Transposed, typename T = typename A::Scalar>
inline void panel_tiles(TileArguments<T> t, Index rows, int vectors, Index prefetch_size) {
  using Table = TileTable<A, Transposed, typename MakeSequence<kTileRows>::type>;
  const Tiles tiles(rows);
  const bool packed = t.left_depth == 0;
  if (t.prefetch != nullptr && t.depth > 0) {
    t.prefetch_step = static_cast<std::uint32_t>(prefetch_size) / static_cast<std::uint32_t>(tiles.count * t.depth) + 1;
  }
  for (Index i = 0; i < tiles.count; ++i) {
    const Index count = tiles.rows(i);
    if (packed) t.left_depth = count;
    Table::functions[count - 1][vectors - 1](t);
    t.left += count * t.left_row;
    t.out += count * t.out_stride;
    if (t.prefetch != nullptr) t.prefetch += t.depth * t.prefetch_step;
  }
}

/// One row by several panels of `Vectors` vectors at once, `panel` elements apart: out = start + sum over depth.
template <typename A, int Panels, int Vectors, typename T = typename A::Scalar>
inline void row_of_panels(const T* left, Index depth, const T* right, Index panel, const T* start, T* out) {
  using V = Vector<T>;
  constexpr int all = Panels * Vectors;
  V sums[all];
#pragma GCC unroll 8
  for (int v = 0; v < all; ++v) sums[v] = start != nullptr ? load(start + v * kLanes<T>) : V{};
  const T* const end = left + depth;
  for (; left < end; ++left, right += Vectors * kLanes<T>) {
    const V a = A::spread(left);
#pragma GCC unroll 8
    for (int v = 0; v < all; ++v) {
      sums[v] = A::add_product(sums[v], a, load(right + v / Vectors * panel + v % Vectors * kLanes<T>));
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < all; ++v) store(out + v * kLanes<T>, sums[v]);
}

/// Few rows by several panels at once, `panel` elements apart: a tile would wait for each sum's last addition.
template <typename A, int Rows, int Panels, typename T = typename A::Scalar>
__attribute__((noinline)) void few_rows(const TileArguments<T>& t, Index panel) {
  using V = Vector<T>;
  constexpr int vectors = Panels * kTileVectors;
  V sums[Rows][vectors];
  for (int i = 0; i < Rows; ++i) {
    const T* start = t.resume ? t.out + i * t.out_stride : t.start;
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sums[i][v] = start != nullptr ? load(start + v * kLanes<T>) : V{};
  }
  const T* left = t.left;
  const T* right = t.right;
  for (Index k = t.depth; k > 0; --k) {
    V b[vectors];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      b[v] = load(right + v / kTileVectors * panel + v % kTileVectors * kLanes<T>);
    }
#pragma GCC unroll 4
    for (int i = 0; i < Rows; ++i) {
      const V a = A::spread(left + i * t.left_row);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) sums[i][v] = A::add_product(sums[i][v], a, b[v]);
    }
    ++left;
    right += kPanel<T>;
  }
  for (int i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) store(t.out + i * t.out_stride + v * kLanes<T>, sums[i][v]);
  }
}

/// Most panels at once for 1, 2, 3 rows: as many sums as the processor has additions under way.
constexpr Index kMostPanels[] = {4, 2, 2};
constexpr Index kFewRows = 3;

/// So many of the next whole panels at once.
inline Index panels_together(Index rows, Index panels) {
  if (rows > kFewRows || panels < 2) return 1;
  const Index most = kMostPanels[rows - 1];
  const Index turns = (panels + most - 1) / most;
  return (panels + turns - 1) / turns;
}

template <typename A, typename T = typename A::Scalar>
__attribute__((noinline)) void few_rows(const TileArguments<T>& t, Index rows, Index panels, Index panel) {
  if (rows == 3) return few_rows<A, 3, 2>(t, panel);
  if (rows == 2) return few_rows<A, 2, 2>(t, panel);
  const T* start = t.resume ? t.out : t.start;
  if (panels == 4) return row_of_panels<A, 4, kTileVectors>(t.left, t.depth, t.right, panel, start, t.out);
  if (panels == 3) return row_of_panels<A, 3, kTileVectors>(t.left, t.depth, t.right, panel, start, t.out);
  row_of_panels<A, 2, kTileVectors>(t.left, t.depth, t.right, panel, start, t.out);
}

template <typename A, typename T = typename A::Scalar>
void product(const Product<T>& p) {
  if (p.rows == 0) return;
  const Index whole = elements<A>(p.depth);
  const bool in_tiles = A::kInTiles || p.tiles != nullptr;
  for (Index k = 0; k == 0 || k < whole; k += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, whole - k);
    const bool last = k + depth == whole;
    if (p.tiles != nullptr) {
      const Index done = k * A::kDepths;
      tiles_of_rows<A>(p.left + done, p.left_stride, p.rows, minimum_of(kDepthBlock * A::kDepths, p.depth - done),
                       p.tiles);
    }
    Index width = 0;
    for (Index j = 0; j < p.columns; j += width) {
      const int vectors = p.columns - j > kLanes<T> ? 2 : 1;
      const Index panels =
          in_tiles ? 1 : panels_together(p.rows, (p.columns - j + kPanel<T> - kLanes<T> - 1) / kPanel<T>);
      width = panels > 1 ? panels * kPanel<T> : vectors * kLanes<T>;
      const Index panel_width = vectors * kLanes<T>;
      const T* right = p.right + j * whole + k * panel_width;
      const T* start = p.bias != nullptr ? p.bias + j : nullptr;
      const T* next = j + kPanel<T> < p.columns ? p.right + (j + kPanel<T>)*whole + k * kPanel<T> : nullptr;
      TileArguments<T> t{p.left + k, p.left_stride, 1,         right,        panel_width, depth,
                         start,      k > 0,         p.out + j, p.out_stride, next};
      if (in_tiles) {
        t.read_tiles(p.tiles);
        panel_tiles<A, true>(t, p.rows, vectors, depth * panel_width);
      } else if constexpr (!A::kInTiles) {
        if (panels > 1) {
          few_rows<A>(t, p.rows, panels, whole * kPanel<T>);
        } else {
          panel_tiles<A, false>(t, p.rows, vectors, depth * panel_width);
        }
      }
      if (!last || p.epilogue == nullptr) continue;
      const bool slope = p.values != nullptr;
      const T* in = slope ? p.values + j : p.out + j;
      p.epilogue({p.activation, p.activation_parameters, in, slope ? p.values_stride : p.out_stride, p.out + j,
                  p.out_stride, p.rows, width});
    }
  }
}

/// The first columns of a gradient with few outputs, as panels of its transpose: with outputs as lanes
/// most of them would be empty. The sums are the same. Returns how many inputs it took.
template <typename T>
Index narrow_gradient(const WeightGradient<T>& g) {
  constexpr Index lanes = kLanes<T>;
  Index i = 0;
  for (; i + kPanel<T> <= g.in_count; i += kPanel<T>) {
    T block[lanes * kPanel<T>];
    for (Index r = 0; r == 0 || r < g.rows; r += kDepthBlock) {
      panel_tiles<Numbers<T>, true>(
          {g.delta + r * g.delta_stride, 1, g.delta_stride, g.left + r * g.left_stride + i, g.left_stride,
           minimum_of(kDepthBlock, g.rows - r), nullptr, r > 0, block, kPanel<T>, nullptr},
          g.out_count, kTileVectors, 0);
    }
    for (Index v = 0; v < kPanel<T>; v += lanes) {
      transpose_square<Numbers<T>>(block + v, kPanel<T>, g.out + (i + v) * g.out_stride, g.out_stride, g.out_count,
                                   lanes);
    }
  }
  return i;
}

template <typename A, typename T = typename A::Scalar>
inline void gradient_of_weights(WeightGradient<T> g) {
  if constexpr (!A::kInTiles) {
    if (g.out_count < kLanes<T> && g.tiles == nullptr) {
      const Index taken = narrow_gradient(g);
      g.left += taken;
      g.in_count -= taken;
      g.out += taken * g.out_stride;
      if (g.in_count == 0) return;
    }
  }
  const int vectors = g.out_count > kLanes<T> ? 2 : 1;
  const Index rows = elements<A>(g.rows);
  for (Index r = 0; r == 0 || r < rows; r += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, rows - r);
    const T* delta = g.delta + r * g.delta_stride;
    const bool more = r + depth < rows;
    const T* next = g.next != nullptr && more ? delta + depth * g.delta_stride : g.next;
    TileArguments<T> t{g.left + r * g.left_stride,
                       1,
                       g.left_stride,
                       delta,
                       g.delta_stride,
                       depth,
                       nullptr,
                       r > 0,
                       g.out,
                       g.out_stride,
                       next};
    if (g.tiles != nullptr) t.read_tiles(g.tiles + r * g.in_count);
    panel_tiles<A, true>(t, g.in_count, vectors, more ? depth * g.delta_stride : g.next_size);
  }
}

template <typename A, typename T = typename A::Scalar>
void weight_gradient(const WeightGradient<T>& g) {
  gradient_of_weights<A>(g);
  if (g.sums != nullptr) column_sums<A>(g.delta, g.delta_stride, elements<A>(g.rows), g.out_count, g.sums);
}

}  // namespace
}  // namespace laminar::kernels
