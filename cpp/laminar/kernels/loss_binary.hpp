// SPDX-License-Identifier: Apache-2.0
// Cross-entropies of single outputs, each a probability of its own, plain and focal (Lin et al. 2017).
// On logits, value and gradient stay finite and right where the probability itself would round to 0 or
// 1: what is left of 1 is never computed as 1 - p there.
#pragma once

#include "laminar/kernels/loss_entry.hpp"

namespace laminar::kernels {
namespace {

/// y (1 - s) + s / 2
template <typename V>
inline V smoothed(V y, Scalar<V> share) {
  return y * (1 - share) + share * Scalar<V>(0.5);
}

/// A logit z: p = 1 / (1 + e^-z), what is left of 1, and the cross-entropy max(z, 0) - z y + ln(1 + e^-|z|).
template <typename V>
struct BinaryLogit {
  V p;
  V rest;
  V value;

  [[gnu::always_inline]] BinaryLogit(V y, V z) {
    const V e = exp_below(minus_absolute(z));
    p = sigmoid(z, e);
    rest = sigmoid(-z, e);
    value = select<V>(z < 0, V{}, z) - z * y + log1p(e);
  }
  /// p - y
  V slope(V y) const { return rounded((Scalar<V>(1) - y) * p) - y * rest; }
};

/// -y ln p - (1 - y) ln(1 - p) within the margin, and its slope, which is 0 outside.
template <typename V>
struct BinaryProbability {
  V p;
  V rest;
  V value;

  BinaryProbability(V y, V output) : p(clipped_probability(output)), rest(Scalar<V>(1) - p) {
    value = -(y * log(p) + (Scalar<V>(1) - y) * log(rest));
  }
  V slope(V y) const { return (p - y) / (p * rest); }
  V inside_only(V slope, V output) const { return select<V>(p == output, slope, output != output ? output : V{}); }
};

/// -y ln p - (1 - y) ln(1 - p); from logits max(z, 0) - z y + ln(1 + e^-|z|)
struct BinaryCrossentropy : ElementwiseLoss {
  using Fused = Sigmoid;
  static constexpr EntryInfo info{
      "binary_crossentropy",
      "bce BCE",
      {{"from_logits", 0, Range::flag}, {"label_smoothing", 0, Range::fraction}, kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }
  template <typename V>
  static Terms<V> terms(V y, V output, const Scalar<V>* q) {
    y = smoothed(y, q[1]);
    const BinaryProbability<V> b(y, output);
    return {b.value, b.inside_only(b.slope(y), output)};
  }
  template <typename V>
  [[gnu::always_inline]] static Terms<V> logit_terms(V y, V z, V& activation, const Scalar<V>* q) {
    y = smoothed(y, q[1]);
    const BinaryLogit<V> b(y, z);
    activation = b.p;
    return {b.value, b.slope(y)};
  }
};

/// w m^gamma times the binary cross-entropy, m = y (1 - p) + (1 - y) p being what the output misses of
/// its target, and w = y alpha + (1 - y) (1 - alpha) with class balancing, else 1.
struct BinaryFocalCrossentropy : ElementwiseLoss {
  using Fused = Sigmoid;
  static constexpr EntryInfo info{"binary_focal_crossentropy",
                                  "",
                                  {{"apply_class_balancing", 0, Range::flag},
                                   {"alpha", 0.25, Range::share},
                                   {"gamma", 2.0, Range::non_negative},
                                   {"from_logits", 0, Range::flag},
                                   {"label_smoothing", 0, Range::fraction},
                                   kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }
  /// `d_m` and `slope` are the derivatives of m and of the cross-entropy.
  template <typename V>
  static Terms<V> focused(V y, V p, V rest, V value, V d_m, V slope, const Scalar<V>* q) {
    const V other = Scalar<V>(1) - y;
    const V m = rounded(y * rest) + other * p;
    V factor = power(m, q[2]);
    if (q[0] != 0) factor *= rounded(y * q[1]) + other * (1 - q[1]);
    const V relative = select<V>(m > 0, d_m / m, V{});  // where m is 0, the value is as well
    return {factor * value, factor * (rounded(q[2] * relative * value) + slope)};
  }
  template <typename V>
  static Terms<V> terms(V y, V output, const Scalar<V>* q) {
    y = smoothed(y, q[4]);
    const BinaryProbability<V> b(y, output);
    const V d_m = Scalar<V>(1) - y * Scalar<V>(2);
    const Terms<V> t = focused(y, b.p, b.rest, b.value, d_m, b.slope(y), q);
    return {t.value, b.inside_only(t.slope, output)};
  }
  template <typename V>
  [[gnu::always_inline]] static Terms<V> logit_terms(V y, V z, V& activation, const Scalar<V>* q) {
    y = smoothed(y, q[4]);
    const BinaryLogit<V> b(y, z);
    activation = b.p;
    return focused(y, b.p, b.rest, b.value, (Scalar<V>(1) - y * Scalar<V>(2)) * b.p * b.rest, b.slope(y), q);
  }
};

}  // namespace
}  // namespace laminar::kernels
