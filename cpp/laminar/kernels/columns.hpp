// SPDX-License-Identifier: Apache-2.0
// Sums down the columns of a block, each by one accumulator in the order of rows, and what is done
// to a block with one number a column.
#pragma once

#include "laminar/kernels/operands.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar::kernels {
namespace {

/// Vectors whose sums are taken in one go down the rows: each waits for its own last addition.
template <typename A, int N, typename T>
inline void sum_down(const T* row, Index stride, Index rows, T* sums) {
  Vector<T> totals[N]{};
  for (Index i = 0; i < rows; ++i, row += stride) {
    for (int k = 0; k < N; ++k) totals[k] = A::add(totals[k], load(row + k * kLanes<T>));
  }
  for (int k = 0; k < N; ++k) store(sums + k * kLanes<T>, totals[k]);
}

template <typename A, typename T = typename A::Scalar>
void column_sums(const T* values, Index stride, Index rows, Index columns, T* sums) {
  constexpr Index lanes = kLanes<T>;
  Index j = 0;
  for (; j + 7 * lanes < columns; j += 8 * lanes) sum_down<A, 8>(values + j, stride, rows, sums + j);
  for (; j + lanes < columns; j += 2 * lanes) sum_down<A, 2>(values + j, stride, rows, sums + j);
  if (j < columns) sum_down<A, 1>(values + j, stride, rows, sums + j);
}

template <typename T>
void column_products(const ColumnProducts<T>& p) {
  using V = Vector<T>;
  for (Index j = 0; j < p.columns; j += kLanes<T>) {
    const V center = load(p.center + j);
    V total{};
    for (Index i = 0; i < p.rows; ++i) {
      const V x = load(p.x + i * p.x_stride + j) - center;
      total += x * (p.y != nullptr ? load(p.y + i * p.y_stride + j) : x);
    }
    store(p.sums + j, total);
  }
}

template <typename T>
void column_affine(const ColumnAffine<T>& a) {
  using V = Vector<T>;
  for (Index j = 0; j < a.columns; j += kLanes<T>) {
    const V center = load(a.center + j);
    const V slope = load(a.slope + j);
    const V shift = load(a.shift + j);
    const V y_slope = a.y != nullptr ? load(a.y_slope + j) : V{};
    for (Index i = 0; i < a.rows; ++i) {
      V out = (load(a.x + i * a.x_stride + j) - center) * slope + shift;
      if (a.y != nullptr) out = rounded(load(a.y + i * a.y_stride + j) * y_slope) + out;
      store(a.out + i * a.out_stride + j, out);
    }
  }
}

}  // namespace
}  // namespace laminar::kernels
