// SPDX-License-Identifier: Apache-2.0
// Elementwise and row-wise work on padded blocks, and the lookup of an entry's function by its
// number.
#pragma once

#include "laminar/kernels/activations.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar::kernels {
namespace {

/// The first n lanes, and zero behind them.
template <typename T>
inline void store_padded(T* p, Vector<T> v, Index n) {
  store(p, n < kLanes<T> ? select<Vector<T>>(first_lanes<Vector<T>>(n), v, Vector<T>{}) : v);
}

/// out = work(in, out) for every vector of a block; down the columns where rows are a panel or less, so that
/// the inner loop is long, and four at a time: the chains of operations of one or two would fill the
/// processor's schedulers and wait there.
template <typename T, typename Work>
inline void over_vectors(const ActivationRows<T>& r, const Work& work) {
  const Index vectors = (r.columns + kLanes<T> - 1) / kLanes<T>;
  const bool narrow = vectors <= 2;
  const Index outer = narrow ? vectors : r.rows;
  const Index inner = narrow ? r.rows : vectors;
  const Index in_step = narrow ? r.in_stride : kLanes<T>;
  const Index out_step = narrow ? r.out_stride : kLanes<T>;
  for (Index i = 0; i < outer; ++i) {
    const T* in = r.in + i * (narrow ? kLanes<T> : r.in_stride);
    T* out = r.out + i * (narrow ? kLanes<T> : r.out_stride);
    Index j = 0;
    for (; j + 4 <= inner; j += 4, in += 4 * in_step, out += 4 * out_step) {
      Vector<T> results[4];
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) results[n] = work(in + n * in_step, out + n * out_step);
#pragma GCC unroll 4
      for (int n = 0; n < 4; ++n) store(out + n * out_step, results[n]);
    }
    for (; j < inner; ++j, in += in_step, out += out_step) store(out, work(in, out));
  }
}

template <typename A, typename T>
void activate_rows(const ActivationRows<T>& r) {
  if constexpr (A::row_wise) {
    for (Index i = 0; i < r.rows; ++i) A::row(r.in + i * r.in_stride, r.columns, r.out + i * r.out_stride);
  } else {
    const T* parameters = r.parameters;
    over_vectors(r, [parameters](const T* in, const T*) { return A::value(load(in), parameters); });
  }
}

/// d_z = d_a f'(z).
template <typename A, typename T>
void activation_gradient_rows(const ActivationRows<T>& r) {
  if constexpr (A::row_wise) {
    for (Index i = 0; i < r.rows; ++i) A::row_gradient(r.in + i * r.in_stride, r.columns, r.out + i * r.out_stride);
  } else {
    const T* parameters = r.parameters;
    over_vectors(r, [parameters](const T* in, const T* out) {
      const Vector<T> value = load(in);
      return load(out) * A::slope(value, value, parameters);
    });
  }
}

/// The functions of a list's entries, by number.
template <typename T, typename L>
struct ActivationTable;
template <typename T, typename... A>
struct ActivationTable<T, List<A...>> {
  static constexpr void (*forward[])(const ActivationRows<T>&) = {&activate_rows<A, T>...};
  static constexpr void (*backward[])(const ActivationRows<T>&) = {&activation_gradient_rows<A, T>...};
};

template <typename T>
void activate(const ActivationRows<T>& r) {
  ActivationTable<T, ActivationKernels>::forward[r.activation](r);
}

template <typename T>
void activation_gradient(const ActivationRows<T>& r) {
  ActivationTable<T, ActivationKernels>::backward[r.activation](r);
}

/// Rows lie anywhere in memory: the next one is fetched while one is copied.
template <typename T>
void gather(const T* from, Index columns, const Index* order, Index rows, T* to, Index to_stride) {
  constexpr Index line = 64 / static_cast<Index>(sizeof(T));
  const Index whole = columns / kLanes<T> * kLanes<T>;
  for (Index i = 0; i < rows; ++i) {
    const T* row = from + (order != nullptr ? order[i] : i) * columns;
    const T* next = order != nullptr && i + 1 < rows ? from + order[i + 1] * columns : row;
    T* out = to + i * to_stride;
    for (Index j = 0; j < whole; j += kLanes<T>) {
      if (j % line == 0) __builtin_prefetch(next + j);
      store(out + j, load(row + j));
    }
    if (whole < columns) {
      __builtin_prefetch(next + whole);
      store_first(out + whole, load_first(row + whole, columns - whole), columns - whole);
    }
  }
}

template <typename T>
void multiply(const T* a, Index a_stride, const T* b, Index b_stride, T* out, Index out_stride, Index rows,
              Index columns) {
  for (Index i = 0; i < rows; ++i) {
    for (Index j = 0; j < columns; j += kLanes<T>) {
      store(out + i * out_stride + j, load(a + i * a_stride + j) * load(b + i * b_stride + j));
    }
  }
}

template <typename T>
bool all_finite(const T* values, Index n) {
  using V = Vector<T>;
  V bad{};
  Index i = 0;
  for (; i + kLanes<T> <= n; i += kLanes<T>) {
    const V x = load(values + i);
    bad += x - x;  // NaN for NaN and infinity, 0 otherwise
  }
  if (i < n) {
    const V x = load_first(values + i, n - i);
    bad += x - x;
  }
  return sum(bad) == 0;
}

}  // namespace
}  // namespace laminar::kernels
