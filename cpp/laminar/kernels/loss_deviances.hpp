// SPDX-License-Identifier: Apache-2.0
// Losses of counts, rates and shares: likelihoods of distributions whose mean the output is. Outputs
// must be positive; where one is not, Poisson's and the deviances are NaN, and training stops.
#pragma once

#include "laminar/kernels/loss_entry.hpp"

namespace laminar::kernels {
namespace {

/// p - y ln(p + margin)
struct Poisson : ElementwiseLoss {
  static constexpr EntryInfo info{"poisson", "", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::non_negative; }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V shifted = p + Scalar<V>(kProbabilityMargin);
    return {p - y * log(shifted), Scalar<V>(1) - y / shifted};
  }
};

/// sum_j y_j ln(y_j / p_j), both kept between the margin and 1
struct KlDivergence : ElementwiseLoss {
  static constexpr EntryInfo info{"kl_divergence", "kld KLD kullback_leibler_divergence", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }
  static constexpr bool averaged = false;
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V margin = broadcast<V>(Scalar<V>(kProbabilityMargin));
    const V one = broadcast<V>(1);
    y = minimum(maximum(y, margin), one);
    const V inside = minimum(maximum(p, margin), one);
    const V ratio = y / inside;
    return {y * log(ratio), select<V>(inside == p, -ratio, V{})};
  }
};

/// y against a mean p > 0: r = y / p, u = r - 1 and ln r, which is taken of u near 0.
template <typename V>
struct Ratio {
  V r;
  V u;
  V log_r;

  Ratio(V y, V p) : r(y / p), u((y - p) / p) {
    const Integer<V> near = absolute(u) < Scalar<V>(0.5);
    log_r = select<V>(near, log1p(select<V>(near, u, V{})), log(r));
  }
};

template <typename V>
inline V where_positive(V p, V v) {
  return select<V>(p > 0, v, broadcast<V>(Scalar<V>(__builtin_nanf(""))));
}

/// With a = 1 - power and b = 2 - power: 2 (y^b / (a b) - y p^a / a + p^b / b), slope 2 (p - y) p^-power.
/// That is 2 p^b ((r^b - 1) / b - u) / a = 2 p^b (r (r^a - 1) / a - u) / b: the first where b is the
/// smaller, the second where a is, so that neither cancels near powers 1 and 2, nor for y near p.
struct Tweedie : ElementwiseLoss {
  static constexpr EntryInfo info{"tweedie", "tweedie_deviance", {{"power", 1.5, Range::any}, kReduction}};
  static constexpr TargetRange targets(const double* q) {
    return q[0] >= 2 ? TargetRange::positive : q[0] > 0 ? TargetRange::non_negative : TargetRange::any;
  }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>* q) {
    using T = Scalar<V>;
    if (q[0] == 0) return {(p - y) * (p - y), (p - y) * T(2)};
    const T a = 1 - q[0];
    const T b = 2 - q[0];
    const Ratio<V> ratio(y, p);
    V half;
    if (b * b < a * a) {
      const V grown = b == 0 ? ratio.log_r : expm1(ratio.log_r * b) / b;
      half = (select<V>(y > 0, grown, broadcast<V>(b == 0 ? T(0) : -1 / b)) - ratio.u) / a;
    } else {
      const V grown = ratio.r * (a == 0 ? ratio.log_r : expm1(ratio.log_r * a) / a);
      half = (select<V>(y > 0, grown, ratio.r * (a == 0 ? T(0) : -1 / a)) - ratio.u) / b;
    }
    const V log_p = log(p);
    return {where_positive(p, exp(log_p * b) * half * T(2)), where_positive(p, exp(log_p * a) * ratio.u * T(-2))};
  }
};

/// 2 (ln(p / y) + y / p - 1): Tweedie's deviance of power 2
struct Gamma : ElementwiseLoss {
  static constexpr EntryInfo info{"gamma", "gamma_deviance", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::positive; }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const Ratio<V> ratio(y, p);
    return {where_positive(p, (ratio.u - ratio.log_r) * Scalar<V>(2)), where_positive(p, ratio.u / p * Scalar<V>(-2))};
  }
};

}  // namespace
}  // namespace laminar::kernels
