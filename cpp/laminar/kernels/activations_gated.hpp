// SPDX-License-Identifier: Apache-2.0
// Activations that multiply z by a kind of gate, and z - tanh z: their slopes need z.
// e^z alone would be rounded to a denormal where z e^z is still normal, so products with it are scaled
// last.
#pragma once

#include "laminar/kernels/activation_entry.hpp"
#include "laminar/kernels/math_normal.hpp"

namespace laminar::kernels {
namespace {

/// x = -|z|, no lower than where z e^x has become 0, and e^x.
template <typename V>
struct Tail {
  V x;
  Reduced<V> power;
  V e;

  explicit Tail(V z)
      : x(maximum(minus_absolute(z), broadcast<V>(Format<Scalar<V>>::exp_min - 16))),
        power(reduce(x)),
        e(scaled(power.q + Scalar<V>(1), power)) {}
  /// m e^x, rounded once.
  V times(V m) const { return scaled(m + m * power.q, power); }
};

/// f(z) = z sigmoid(z), f' = s + z s (1 - s)
struct Silu : Elementwise {
  static constexpr EntryInfo info{"silu", "swish", {}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    const Tail<V> t(z);
    return select<V>(z < 0, t.times(t.x), z) / (t.e + Scalar<V>(1));
  }
  template <typename V>
  static V slope(V z, V, const Scalar<V>*) {
    const Tail<V> t(z);
    const V large = Scalar<V>(1) / (t.e + Scalar<V>(1));
    const V small = t.e * large;
    const V s = select<V>(z < 0, small, large);
    const V rest = select<V>(z < 0, large, small);
    return s + s * z * rest;
  }
};

/// f(z) = z tanh(log(1 + e^z)) = z n / d, (n, d) = (q^2 + 2q, n + 2) for q = e^z, or (1 + 2q, n + 2q^2)
/// for q = e^-z
struct Mish : Elementwise {
  static constexpr EntryInfo info{"mish", "", {}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    const Tail<V> t(z);
    const V q = t.e;
    const V above = q * (q + Scalar<V>(2));
    const V n = select<V>(z < 0, t.times(t.x * (q + Scalar<V>(2))), z * (q + q + Scalar<V>(1)));
    const V d = select<V>(z < 0, above + Scalar<V>(2), q * (q + Scalar<V>(1)) * Scalar<V>(2) + Scalar<V>(1));
    return n / d;
  }
  /// t + z (1 - t)(1 + t) sigmoid(z) for t = n / d
  template <typename V>
  static V slope(V z, V, const Scalar<V>*) {
    const Tail<V> tail(z);
    const V q = tail.e;
    const V n = select<V>(z < 0, q * (q + Scalar<V>(2)), q + q + Scalar<V>(1));
    const V d_less_n = select<V>(z < 0, broadcast<V>(2), q * q * Scalar<V>(2));
    const V t = n / (n + d_less_n);
    const V rest = d_less_n / (n + d_less_n);
    const V gate = select<V>(z < 0, q, broadcast<V>(1)) / (q + Scalar<V>(1));
    return t + gate * rest * (t + Scalar<V>(1)) * z;
  }
};

/// f(z) = z P(N <= z) for a standard normal N (Hendrycks and Gimpel 2016), f' = P + z p(z); or with
/// `approximate` z sigmoid(w), w = sqrt(8 / pi) (z + 0.044715 z^3), f' = s + z s (1 - s) w'
struct Gelu : Elementwise {
  static constexpr EntryInfo info{"gelu", "", {{"approximate", 0, Range::flag}}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    const V x = normal_range(z);
    return maximum(z, V{}) - (p[0] == 0 ? normal_tail_moment(x) : logistic_tail_moment(x));
  }
  template <typename V>
  static V slope(V z, V, const Scalar<V>* p) {
    const V x = normal_range(z);
    const V inside = with_sign_of(x, z);
    if (p[0] == 0) {
      const V tail = normal_tail(x);
      return select<V>(z < 0, tail, Scalar<V>(1) - tail) + inside * normal_density(x);
    }
    const V x2 = x * x;
    const V w = x * (x2 * Scalar<V>(kGeluCube) + Scalar<V>(kGeluLine));
    const V e = exp_below(-w);
    const V large = Scalar<V>(1) / (e + Scalar<V>(1));
    const V small = e * large;
    const V d_w = x2 * Scalar<V>(3 * kGeluCube) + Scalar<V>(kGeluLine);
    return select<V>(z < 0, small, large) + inside * small * large * d_w;
  }
};

/// Power series in z^2 of (z cosh z - sinh z) / z^3, whose terms are 2k / (2k + 1)! for k >= 1, and of
/// cosh z.
template <typename T>
struct ShrinkTerms {
  static constexpr Index count = sizeof(T) == 4 ? 9 : 15;
  T numerator[count] = {};
  T cosh[count] = {};

  constexpr ShrinkTerms() {
    double inverse = 1;  // of (2k)!
    for (Index k = 0; k < count; ++k) {
      cosh[k] = T(inverse);
      inverse /= static_cast<double>((2 * k + 1) * (2 * k + 2));
      numerator[k] = T(inverse * static_cast<double>(2 * k + 2) / static_cast<double>(2 * k + 3));
    }
  }
};

/// f(z) = z - tanh z = (z cosh z - sinh z) / cosh z by power series where the difference would lose
/// digits; f' = tanh^2 z
struct TanhShrink : Elementwise {
  static constexpr EntryInfo info{"tanh_shrink", "", {}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    constexpr ShrinkTerms<Scalar<V>> terms;
    const V inside = clip(z, -2, 2);
    const V square = inside * inside;
    const V series = inside * square * polynomial(square, terms.numerator) / polynomial(square, terms.cosh);
    return select<V>(absolute(z) < Scalar<V>(1.9), series, z - tanh(z));
  }
  template <typename V>
  static V slope(V z, V, const Scalar<V>*) {
    const V t = tanh(z);
    return t * t;
  }
};

}  // namespace
}  // namespace laminar::kernels
