// SPDX-License-Identifier: Apache-2.0
// The layouts of a product's operands. The right one: panels of two vectors, each holding its columns row
// by row; a last panel of one vector where that is enough. Matrices are brought into it as they are or
// transposed. The left one, where it pays: the elements of a tile's rows side by side, depth by depth, so
// that a tile reads one stream of neighbours instead of as many as it has rows.
#pragma once

#include "laminar/kernels/operands.hpp"
#include "laminar/kernels/table.hpp"

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

/// How many elements hold so many steps of depth.
template <typename A>
inline Index elements(Index depth) {
  return (depth + A::kDepths - 1) / A::kDepths;
}

template <typename A, typename T = typename A::Scalar>
void pack(const T* w, Index stride, Index depth, Index columns, T* packed) {
  constexpr Index lanes = kLanes<T>;
  for (Index j = 0; j < columns; j += kPanel<T>) {
    const Index vectors = columns - j > lanes ? 2 : 1;
    const Index last = minimum_of(lanes, columns - j - (vectors - 1) * lanes);  // columns of the last vector
    const T* from = w + j;
    if (vectors * lanes == kPanel<T> && last == lanes) {
      for (Index k = depth; k > 0; k -= A::kDepths, from += A::kDepths * stride, packed += kPanel<T>) {
        store(packed, A::across(from, stride, k, lanes));
        store(packed + lanes, A::across(from + lanes, stride, k, lanes));
      }
      continue;
    }
    for (Index k = depth; k > 0; k -= A::kDepths, from += A::kDepths * stride, packed += vectors * lanes) {
      if (vectors == 2) store(packed, A::across(from, stride, k, lanes));
      store(packed + (vectors - 1) * lanes, A::across(from + (vectors - 1) * lanes, stride, k, last));
    }
  }
}

template <typename A, typename T = typename A::Scalar>
void to_panels(const T* values, Index stride, Index first, Index rows, Index columns, T* panels, Index panel_rows) {
  for (Index j = 0; j < columns; j += kPanel<T>) {
    const Index width = columns - j > kLanes<T> ? kPanel<T> : kLanes<T>;
    const T* from = values + j;
    T* to = panels + first / A::kDepths * width;
    for (Index i = rows; i > 0; i -= A::kDepths, from += A::kDepths * stride, to += width) {
      for (Index v = 0; v < width; v += kLanes<T>) store(to + v, A::across(from + v, stride, i, kLanes<T>));
    }
    panels += elements<A>(panel_rows) * width;
  }
}

/// A square of a vector's size, transposed: elements along `count` rows, in each of which `filled` numbers
/// are left. Writes whole vectors.
template <typename A, typename T = typename A::Scalar>
inline void transpose_square(const T* from, Index stride, T* to, Index to_stride, Index count, Index filled) {
  constexpr Index lanes = kLanes<T>;
  constexpr Index most = lanes * A::kDepths;
  Vector<T> rows[lanes];
  if (filled >= most) {
#pragma GCC unroll 16
    for (Index r = 0; r < lanes; ++r) rows[r] = r < count ? A::along(from + r * stride, most) : Vector<T>{};
    transpose<T>(rows);
#pragma GCC unroll 16
    for (Index c = 0; c < lanes; ++c) store(to + c * to_stride, rows[c]);
    return;
  }
  for (Index r = 0; r < lanes; ++r) rows[r] = r < count ? A::along(from + r * stride, filled) : Vector<T>{};
  transpose<T>(rows);
  for (Index c = 0; c < elements<A>(filled); ++c) store(to + c * to_stride, rows[c]);
}

template <typename A, typename T = typename A::Scalar>
void pack_transposed(const T* w, Index stride, Index depth, Index columns, T* packed) {
  constexpr Index lanes = kLanes<T>;
  for (Index i = 0; i < depth; i += kPanel<T>) {
    const Index width = depth - i > lanes ? 2 * lanes : lanes;
    for (Index l = 0; l < width; l += lanes) {
      const Index count = minimum_of(lanes, depth - i - l);
      for (Index j = 0; j < columns; j += lanes * A::kDepths) {
        transpose_square<A>(w + (i + l) * stride + j, stride, packed + j / A::kDepths * width + l, width, count,
                            columns - j);
      }
    }
    packed += elements<A>(columns) * width;
  }
}

/// Tiles of the rows of `left`: each holds its rows' elements depth by depth. Writes up to a vector more.
template <typename A, typename T = typename A::Scalar>
inline void tiles_of_rows(const T* left, Index stride, Index rows, Index depth, T* to) {
  constexpr Index lanes = kLanes<T>;
  const Tiles tiles(rows);
  for (Index i = 0; i < tiles.count; ++i) {
    const Index count = tiles.rows(i);
    for (Index k = 0; k < depth; k += lanes * A::kDepths) {
      // The last rows first: what their vectors hold too much is written over.
      for (Index g = (count - 1) / lanes * lanes; g >= 0; g -= lanes) {
        transpose_square<A>(left + g * stride + k, stride, to + k / A::kDepths * count + g, count,
                            minimum_of(lanes, count - g), depth - k);
      }
    }
    left += count * stride;
    to += count * elements<A>(depth);
  }
}

/// Elements [begin, end) down `count` columns of so many rows into a tile of `depth` elements that will be
/// written further.
template <typename A, typename T = typename A::Scalar>
inline void tile_of_columns(const T* left, Index stride, Index rows, Index begin, Index end, Index count, Index depth,
                            T* tile) {
  constexpr Index lanes = kLanes<T>;
  // The last columns first: what their vectors hold too much is written over.
  for (Index g = (count - 1) / lanes * lanes; g >= 0; g -= lanes) {
    const Index filled = minimum_of(lanes, count - g);
    const Index inside = minimum_of(end, count * depth < g + lanes ? 0 : (count * depth - g - lanes) / count + 1);
    const T* from = left + g;
    T* to = tile + begin * count + g;
    Index k = begin;
    Index left_over = rows;
    for (; k < inside; ++k, left_over -= A::kDepths, from += A::kDepths * stride, to += count) {
      store(to, A::across(from, stride, left_over, filled));
    }
    for (; k < end; ++k, left_over -= A::kDepths, from += A::kDepths * stride, to += count) {
      store_first(to, A::across(from, stride, left_over, filled), filled);
    }
  }
}

/// Tiles of the columns of `left`, over the rows of each kDepthBlock: those of weight_gradient.
template <typename A, typename T = typename A::Scalar>
void tiles_of_columns(const T* left, Index stride, Index rows, Index columns, T* to) {
  constexpr Index near = 32;  // elements at a time, read once from where they are
  const Tiles tiles(columns);
  const Index whole = elements<A>(rows);
  for (Index r = 0; r < whole; r += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, whole - r);
    for (Index k = 0; k < depth; k += near) {
      const Index row = (r + k) * A::kDepths;
      const T* from = left + row * stride;
      T* tile = to;
      for (Index i = 0; i < tiles.count; ++i) {
        const Index count = tiles.rows(i);
        tile_of_columns<A>(from, stride, rows - row, k, minimum_of(k + near, depth), count, depth, tile);
        from += count;
        tile += count * depth;
      }
    }
    to += columns * depth;
  }
}

}  // namespace
}  // namespace laminar::kernels
