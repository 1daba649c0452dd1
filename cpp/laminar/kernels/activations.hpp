// SPDX-License-Identifier: Apache-2.0
// Every activation: formula and slope on vectors. To add one, write a struct and put its name in
// the list at the end; names, parsing, Python and tests follow from the list.
//
// `p` are the entry's hyper-parameters in the order of `info.parameters`. An elementwise entry has
// value(z) and slope(z, a); where `keeps_input` is false, slope is computed from a = value(z) alone
// and its z argument is meaningless. A row-wise entry (softmax) works on whole rows: see rows.hpp.
#pragma once

#include "laminar/family.hpp"
#include "laminar/kernels/math.hpp"

namespace laminar::kernels {
namespace {

struct Elementwise {
  static constexpr bool row_wise = false;
  static constexpr bool keeps_input = false;
  static constexpr bool has_gradient = true;
};

/// f(z) = z
struct Linear : Elementwise {
  static constexpr EntryInfo info{"linear", "identity", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return z;
  }
  template <typename V>
  static V slope(V, V, const Scalar<V>*) {
    return broadcast<V>(1);
  }
};

/// f(z) = 1 if z > 0 else 0; forward only
struct Step : Elementwise {
  static constexpr EntryInfo info{"step", "heaviside", {}};
  static constexpr bool has_gradient = false;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    const V one_or_zero = select<V>(z > 0, broadcast<V>(1), V{});
    return select<V>(z == z, one_or_zero, z);
  }
  template <typename V>
  static V slope(V, V, const Scalar<V>*) {
    return V{};
  }
};

/// f(z) = 1 / (1 + e^-z), f' = a (1 - a)
struct Sigmoid : Elementwise {
  static constexpr EntryInfo info{"sigmoid", "logistic", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return sigmoid(z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return a - a * a;
  }
};

/// f(z) = tanh z, f' = 1 - a^2
struct Tanh : Elementwise {
  static constexpr EntryInfo info{"tanh", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return tanh(z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return Scalar<V>(1) - a * a;
  }
};

/// f(z) = max(0, z), f'(0) = 0
struct Relu : Elementwise {
  static constexpr EntryInfo info{"relu", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return select<V>(z < 0, V{}, z);  // not max(0, z): that would lose NaN
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return select<V>(a > 0, broadcast<V>(1), V{});
  }
};

/// f(z) = z if z >= 0 else alpha z, alpha >= 0; the slope at 0 is alpha
struct LeakyRelu : Elementwise {
  static constexpr EntryInfo info{"leaky_relu", "", {{"negative_slope", 0.2, Range::non_negative}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return select<V>(z < 0, z * p[0], z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>* p) {
    return select<V>(a > 0, broadcast<V>(1), broadcast<V>(p[0]));
  }
};

/// f(z) = z if z > 0 else alpha (e^z - 1), alpha >= 0; f' = a + alpha below 0
struct Elu : Elementwise {
  static constexpr EntryInfo info{"elu", "", {{"alpha", 1.0, Range::non_negative}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return select<V>(z > 0, z, expm1(z) * p[0]);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>* p) {
    return select<V>(a > 0, broadcast<V>(1), a + p[0]);
  }
};

/// f(z)_j = e^(z_j - max z) / sum_k e^(z_k - max z)
struct Softmax {
  static constexpr EntryInfo info{"softmax", "", {}};
  static constexpr bool row_wise = true;
  static constexpr bool keeps_input = false;
  static constexpr bool has_gradient = true;
};

/// A closed set of types.
template <typename... Entries>
struct List {
  static constexpr int size = sizeof...(Entries);
};

/// The activations, in the order of their numbers.
using Activations = List<Linear, Step, Sigmoid, Tanh, Relu, LeakyRelu, Elu, Softmax>;

}  // namespace
}  // namespace laminar::kernels
