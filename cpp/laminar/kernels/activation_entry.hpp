// SPDX-License-Identifier: Apache-2.0
// What every activation declares, and lists of entries.
//
// `p` are the entry's hyper-parameters in the order of `info.parameters`. An elementwise entry has
// value(z) and slope(z, a); where `keeps_input` is false, slope is computed from a = value(z) alone
// and its z argument is meaningless. A row-wise entry works on whole rows: row(z) and row_gradient(a),
// which multiplies in place. Rows have room for whole vectors.
#pragma once

#include "laminar/base/family.hpp"
#include "laminar/kernels/math.hpp"

namespace laminar::kernels {
namespace {

struct Elementwise {
  static constexpr bool row_wise = false;
  static constexpr bool keeps_input = false;
  static constexpr bool has_gradient = true;
};

struct RowWise {
  static constexpr bool row_wise = true;
  static constexpr bool keeps_input = false;
  static constexpr bool has_gradient = true;
};

/// z, no lower than `low` and no higher than `high`; NaN stays.
template <typename V>
inline V clip(V z, Scalar<V> low, Scalar<V> high) {
  return minimum(maximum(z, broadcast<V>(low)), broadcast<V>(high));
}

/// A closed set of types.
template <typename... Entries>
struct List {
  static constexpr int size = sizeof...(Entries);
};

/// Two lists, one after the other.
template <typename A, typename B>
struct JoinedLists;
template <typename... A, typename... B>
struct JoinedLists<List<A...>, List<B...>> {
  using type = List<A..., B...>;
};
template <typename A, typename B>
using Joined = typename JoinedLists<A, B>::type;

}  // namespace
}  // namespace laminar::kernels
