// SPDX-License-Identifier: Apache-2.0
// The layout of a product's right operand: panels of two vectors, each holding its columns row by row;
// a last panel of one vector where that is enough. Matrices are brought into it as they are or
// transposed.
#pragma once

#include "laminar/kernels/simd.hpp"

namespace laminar::kernels {
namespace {

constexpr int kTileVectors = 2;
template <typename T>
constexpr Index kPanel = kTileVectors * kLanes<T>;

inline Index minimum_of(Index a, Index b) { return a < b ? a : b; }

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

/// A square of a vector's size, transposed; `filled` columns of `count` rows where it is not whole.
template <typename T>
inline void transpose_square(const T* from, Index stride, T* to, Index to_stride, Index count, Index filled) {
  constexpr Index lanes = kLanes<T>;
  Vector<T> rows[lanes];
  if (count == lanes && filled == lanes) {
#pragma GCC unroll 16
    for (Index r = 0; r < lanes; ++r) rows[r] = load(from + r * stride);
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

}  // namespace
}  // namespace laminar::kernels
