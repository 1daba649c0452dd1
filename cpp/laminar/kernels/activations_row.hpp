// SPDX-License-Identifier: Apache-2.0
// Activations of whole rows, and what they need. A row's sums run over its own lanes in a fixed
// order: no row depends on its neighbours.
#pragma once

#include "laminar/kernels/activation_entry.hpp"

namespace laminar::kernels {
namespace {

/// The largest of the first `columns` values of a row. A NaN may be missed: it shows in the sums.
template <typename T>
inline Vector<T> row_maximum(const T* z, Index columns) {
  using V = Vector<T>;
  const V lowest = broadcast<V>(-T(__builtin_inff()));
  V best = lowest;
  for (Index j = 0; j < columns; j += kLanes<T>) {
    best = maximum(select<V>(first_lanes<V>(columns - j), load(z + j), lowest), best);
  }
  return largest_lane(best);
}

/// The sum over a row of term(j) where valid.
template <typename T, typename Term>
inline Vector<T> row_sum(Index columns, const Term& term) {
  using V = Vector<T>;
  V total{};
  for (Index j = 0; j < columns; j += kLanes<T>) total += select<V>(first_lanes<V>(columns - j), term(j), V{});
  return sum_lanes(total);
}

/// f(z)_j = e^(z_j - max z) / sum_k e^(z_k - max z)
struct Softmax : RowWise {
  static constexpr EntryInfo info{"softmax", "", {}};
  template <typename T>
  static void row(const T* z, Index columns, T* out) {
    using V = Vector<T>;
    const V shift = row_maximum(z, columns);
    V total{};
    for (Index j = 0; j < columns; j += kLanes<T>) {
      const V e = select<V>(first_lanes<V>(columns - j), exp_below(load(z + j) - shift), V{});
      total += e;
      store(out + j, e);
    }
    total = sum_lanes(total);
    for (Index j = 0; j < columns; j += kLanes<T>) store(out + j, load(out + j) / total);
  }
  /// d_z = a (d_a - sum_k d_a_k a_k)
  template <typename T>
  static void row_gradient(const T* a, Index columns, T* d) {
    const Vector<T> dot = row_sum<T>(columns, [&](Index j) { return load(a + j) * load(d + j); });
    for (Index j = 0; j < columns; j += kLanes<T>) store(d + j, load(a + j) * (load(d + j) - dot));
  }
};

/// f(z)_j = z_j - max z - log(1 + sum of e^(z_k - max z) over all but one largest): nothing is lost
/// where one value is much larger than the others
struct LogSoftmax : RowWise {
  static constexpr EntryInfo info{"log_softmax", "", {}};
  template <typename T>
  static void row(const T* z, Index columns, T* out) {
    using V = Vector<T>;
    const V shift = row_maximum(z, columns);
    V others{};
    V largest{};  // how many there are
    for (Index j = 0; j < columns; j += kLanes<T>) {
      const V x = load(z + j) - shift;
      const Integer<V> valid = first_lanes<V>(columns - j);
      others += select<V>(valid & (x != 0), exp_below(x), V{});
      largest += select<V>(valid & (x == 0), broadcast<V>(1), V{});
    }
    const V log = log1p(sum_lanes(others) + (sum_lanes(largest) - T(1)));
    for (Index j = 0; j < columns; j += kLanes<T>) store(out + j, (load(z + j) - shift) - log);
  }
  /// d_z = d_a - e^a sum_k d_a_k
  template <typename T>
  static void row_gradient(const T* a, Index columns, T* d) {
    const Vector<T> total = row_sum<T>(columns, [&](Index j) { return load(d + j); });
    for (Index j = 0; j < columns; j += kLanes<T>) store(d + j, load(d + j) - exp_below(load(a + j)) * total);
  }
};

/// f(z)_j = max(0, z_j - tau) with tau such that they sum to 1 (Martins and Astudillo 2016). tau is
/// that of the values above it: those more than 1 below the largest never are, and the others are
/// left out in turn until none is below (Michelot 1986).
struct Sparsemax : RowWise {
  static constexpr EntryInfo info{"sparsemax", "", {}};
  template <typename T>
  static void row(const T* z, Index columns, T* out) {
    using V = Vector<T>;
    const V shift = row_maximum(z, columns);
    const V bad = row_sum<T>(columns, [&](Index j) {
      const V x = load(z + j) - shift;
      return select<V>(x == x, V{}, x);
    });
    V tau = bad - T(1);
    T before = T(columns) + 1;
    for (;;) {
      const V size =
          row_sum<T>(columns, [&](Index j) { return select<V>(load(z + j) - shift > tau, broadcast<V>(1), V{}); });
      if (!(size[0] < before)) break;
      before = size[0];
      const V total = row_sum<T>(columns, [&](Index j) {
        const V x = load(z + j) - shift;
        return select<V>(x > tau, x, V{});
      });
      tau = (total - T(1)) / size + bad;
    }
    for (Index j = 0; j < columns; j += kLanes<T>) {
      const V rest = (load(z + j) - shift) - tau;
      store(out + j, maximum(rest, V{}));
    }
  }
  /// d_z = d_a - its mean over the values above 0, and 0 for the others
  template <typename T>
  static void row_gradient(const T* a, Index columns, T* d) {
    using V = Vector<T>;
    const V size = row_sum<T>(columns, [&](Index j) { return select<V>(load(a + j) > 0, broadcast<V>(1), V{}); });
    const V total = row_sum<T>(columns, [&](Index j) { return select<V>(load(a + j) > 0, load(d + j), V{}); });
    const V mean = total / size;
    for (Index j = 0; j < columns; j += kLanes<T>) {
      store(d + j, select<V>(load(a + j) > 0, load(d + j) - mean, V{}));
    }
  }
};

}  // namespace
}  // namespace laminar::kernels
