// SPDX-License-Identifier: Apache-2.0
// The layouts of a product's operands. The right one: panels of two vectors, each holding its columns row
// by row; a last panel of one vector where that is enough. Matrices are brought into it as they are or
// transposed. The left one, where it pays: the elements of a tile's rows side by side, depth by depth, so
// that a tile reads one stream of neighbours instead of as many as it has rows.
#pragma once

#include "laminar/kernels/simd.hpp"

namespace laminar::kernels {
namespace {

// Registers: rows * 2 accumulators, 2 of the right operand, 1 broadcast.
constexpr int kTileRows = LAMINAR_VECTOR_BYTES == 64 ? 14 : 6;
constexpr int kTileVectors = 2;
template <typename T>
constexpr Index kPanel = kTileVectors * kLanes<T>;

inline Index minimum_of(Index a, Index b) { return a < b ? a : b; }

/// Rows split into tiles of nearly equal height, which wastes less than full tiles and a rest.
struct Tiles {
  // Short numbers: a division of long ones takes as long as a step of depth or more.
  explicit Tiles(Index rows) : count((rows + kTileRows - 1) / kTileRows) {
    height_ = static_cast<std::uint32_t>(rows) / static_cast<std::uint32_t>(count);
    taller_ = rows - height_ * count;
  }
  Index rows(Index tile) const { return height_ + (tile < taller_ ? 1 : 0); }

  Index count;

 private:
  Index height_;
  Index taller_;
};

template <typename T>
void pack(const T* w, Index stride, Index depth, Index columns, T* packed) {
  constexpr Index lanes = kLanes<T>;
  for (Index j = 0; j < columns; j += kPanel<T>) {
    const Index vectors = columns - j > lanes ? 2 : 1;
    const Index last = minimum_of(lanes, columns - j - (vectors - 1) * lanes);  // columns of the last vector
    const T* from = w + j;
    if (vectors * lanes == kPanel<T> && last == lanes) {
      for (Index k = 0; k < depth; ++k, from += stride, packed += kPanel<T>) {
        store(packed, load(from));
        store(packed + lanes, load(from + lanes));
      }
      continue;
    }
    for (Index k = 0; k < depth; ++k, from += stride, packed += vectors * lanes) {
      if (vectors == 2) store(packed, load(from));
      store(packed + (vectors - 1) * lanes, load_first(from + (vectors - 1) * lanes, last));
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

/// A square of a vector's size, transposed; `filled` columns of `count` rows where it is not whole. Writes
/// whole vectors.
template <typename T>
inline void transpose_square(const T* from, Index stride, T* to, Index to_stride, Index count, Index filled) {
  constexpr Index lanes = kLanes<T>;
  Vector<T> rows[lanes];
  if (filled == lanes) {
#pragma GCC unroll 16
    for (Index r = 0; r < lanes; ++r) rows[r] = r < count ? load(from + r * stride) : Vector<T>{};
    transpose<T>(rows);
#pragma GCC unroll 16
    for (Index c = 0; c < lanes; ++c) store(to + c * to_stride, rows[c]);
    return;
  }
  for (Index r = 0; r < lanes; ++r) rows[r] = r < count ? load_first(from + r * stride, filled) : Vector<T>{};
  transpose<T>(rows);
  for (Index c = 0; c < filled; ++c) store(to + c * to_stride, rows[c]);
}

template <typename T>
void pack_transposed(const T* w, Index stride, Index depth, Index columns, T* packed) {
  constexpr Index lanes = kLanes<T>;
  for (Index i = 0; i < depth; i += kPanel<T>) {
    const Index width = depth - i > lanes ? 2 * lanes : lanes;
    for (Index l = 0; l < width; l += lanes) {
      const Index count = minimum_of(lanes, depth - i - l);
      for (Index j = 0; j < columns; j += lanes) {
        transpose_square(w + (i + l) * stride + j, stride, packed + j * width + l, width, count,
                         minimum_of(lanes, columns - j));
      }
    }
    packed += columns * width;
  }
}

/// Tiles of the rows of `left`: each holds its rows' elements depth by depth. Writes up to a vector more.
template <typename T>
inline void tiles_of_rows(const T* left, Index stride, Index rows, Index depth, T* to) {
  constexpr Index lanes = kLanes<T>;
  const Tiles tiles(rows);
  for (Index i = 0; i < tiles.count; ++i) {
    const Index count = tiles.rows(i);
    for (Index k = 0; k < depth; k += lanes) {
      const Index filled = minimum_of(lanes, depth - k);
      // The last rows first: what their vectors hold too much is written over.
      for (Index g = (count - 1) / lanes * lanes; g >= 0; g -= lanes) {
        transpose_square(left + g * stride + k, stride, to + k * count + g, count, minimum_of(lanes, count - g),
                         filled);
      }
    }
    left += count * stride;
    to += count * depth;
  }
}

/// Rows [begin, end) of `count` columns into a tile of `depth` rows that will be written further.
template <typename T>
inline void tile_of_columns(const T* left, Index stride, Index begin, Index end, Index count, Index depth, T* tile) {
  constexpr Index lanes = kLanes<T>;
  // The last columns first: what their vectors hold too much is written over.
  for (Index g = (count - 1) / lanes * lanes; g >= 0; g -= lanes) {
    const Index filled = minimum_of(lanes, count - g);
    const Index inside = minimum_of(end, count * depth < g + lanes ? 0 : (count * depth - g - lanes) / count + 1);
    const T* from = left + g;
    T* to = tile + begin * count + g;
    Index k = begin;
    for (; k < inside; ++k, from += stride, to += count) store(to, load(from));
    for (; k < end; ++k, from += stride, to += count) store_first(to, load_first(from, filled), filled);
  }
}

/// Tiles of the columns of `left`, over the rows of each kDepthBlock: those of weight_gradient.
template <typename T>
void tiles_of_columns(const T* left, Index stride, Index rows, Index columns, T* to) {
  constexpr Index near = 32;  // rows at a time, read once from where they are
  const Tiles tiles(columns);
  for (Index r = 0; r < rows; r += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, rows - r);
    for (Index k = 0; k < depth; k += near) {
      const T* from = left + (r + k) * stride;
      T* tile = to;
      for (Index i = 0; i < tiles.count; ++i) {
        const Index count = tiles.rows(i);
        tile_of_columns(from, stride, k, minimum_of(k + near, depth), count, depth, tile);
        from += count;
        tile += count * depth;
      }
    }
    to += columns * depth;
  }
}

}  // namespace
}  // namespace laminar::kernels
