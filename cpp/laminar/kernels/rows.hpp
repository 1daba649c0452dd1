// SPDX-License-Identifier: Apache-2.0
// Elementwise and row-wise work on padded blocks, and the lookup of an entry's function by its
// number.
#pragma once

#include "laminar/kernels/activations.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar::kernels {
namespace {

template <typename A, typename T>
void activate_rows(const ActivationRows<T>& r) {
  for (Index i = 0; i < r.rows; ++i) {
    const T* in = r.in + i * r.in_stride;
    T* out = r.out + i * r.out_stride;
    if constexpr (A::row_wise) {
      A::row(in, r.columns, out);
    } else {
      for (Index j = 0; j < r.columns; j += kLanes<T>) store(out + j, A::value(load(in + j), r.parameters));
    }
  }
}

/// d_z = d_a f'(z).
template <typename A, typename T>
void activation_gradient_rows(const ActivationRows<T>& r) {
  using V = Vector<T>;
  for (Index i = 0; i < r.rows; ++i) {
    const T* in = r.in + i * r.in_stride;
    T* out = r.out + i * r.out_stride;
    if constexpr (A::row_wise) {
      A::row_gradient(in, r.columns, out);
    } else {
      for (Index j = 0; j < r.columns; j += kLanes<T>) {
        const V value = load(in + j);
        store(out + j, load(out + j) * A::slope(value, value, r.parameters));
      }
    }
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
