// SPDX-License-Identifier: Apache-2.0
// Smooth activations whose slope follows from their value.
#pragma once

#include "laminar/kernels/activation_entry.hpp"

namespace laminar::kernels {
namespace {

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

/// f(z) = e^z, f' = a
struct Exponential : Elementwise {
  static constexpr EntryInfo info{"exponential", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return exp(z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return a;
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

/// f(z) = scale z if z > 0 else scale alpha (e^z - 1) (Klambauer et al. 2017)
struct Selu : Elementwise {
  static constexpr EntryInfo info{"selu", "", {}};
  static constexpr double scale = 1.0507009873554804934;
  static constexpr double scale_alpha = 1.7580993408473768599;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return select<V>(z > 0, z * Scalar<V>(scale), expm1(z) * Scalar<V>(scale_alpha));
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return select<V>(a > 0, broadcast<V>(Scalar<V>(scale)), a + Scalar<V>(scale_alpha));
  }
};

/// f(z) = z if z > 0 else alpha (e^(z / alpha) - 1), alpha > 0; f' = a / alpha + 1 below 0
struct Celu : Elementwise {
  static constexpr EntryInfo info{"celu", "", {{"alpha", 1.0, Range::positive}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return select<V>(z > 0, z, expm1(z / p[0]) * p[0]);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>* p) {
    return select<V>(a > 0, broadcast<V>(1), a / p[0] + Scalar<V>(1));
  }
};

/// f(z) = log(1 + e^z), f' = sigmoid(z) = 1 - e^-a
struct Softplus : Elementwise {
  static constexpr EntryInfo info{"softplus", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return maximum(z, V{}) + log1p(exp_below(minus_absolute(z)));
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return -expm1(-a);
  }
};

/// f(z) = -log(1 + e^-z), f' = sigmoid(-z) = 1 - e^a
struct LogSigmoid : Elementwise {
  static constexpr EntryInfo info{"log_sigmoid", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return minimum(z, V{}) - log1p(exp_below(minus_absolute(z)));
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return -expm1(a);
  }
};

/// f(z) = z / (1 + |z|), f' = (1 - |a|)^2
struct Softsign : Elementwise {
  static constexpr EntryInfo info{"softsign", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    const V size = minimum(absolute(z), broadcast<V>(Scalar<V>(1e20)));  // where it is 1 already
    return with_sign_of(size / (size + Scalar<V>(1)), z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    const V rest = Scalar<V>(1) - absolute(a);
    return rest * rest;
  }
};

/// f(z) = (z + sqrt(z^2 + b)) / 2, below 0 without cancellation; f' = 1 / (1 + b / (4 a^2))
struct Squareplus : Elementwise {
  static constexpr EntryInfo info{"squareplus", "", {{"b", 4.0, Range::positive}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    const V size = absolute(z);
    const V root = select<V>(size > Scalar<V>(1e18), size, square_root(size * size + p[0]));
    const V sum = size * Scalar<V>(0.5) + root * Scalar<V>(0.5);
    return select<V>(z < 0, Scalar<V>(0.25) * p[0] / sum, sum);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>* p) {
    const V ratio = broadcast<V>(Scalar<V>(0.25) * p[0]) / a / a;
    return Scalar<V>(1) / (Scalar<V>(1) + ratio);
  }
};

}  // namespace
}  // namespace laminar::kernels
