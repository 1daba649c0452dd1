// SPDX-License-Identifier: Apache-2.0
// Losses of the error of one output: mean squared error and its kin, for regression and for margins.
#pragma once

#include "laminar/kernels/loss_entry.hpp"

namespace laminar::kernels {
namespace {

/// (y - p)^2
struct Mse : ElementwiseLoss {
  static constexpr EntryInfo info{"mse", "mean_squared_error MSE", {kReduction}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V e = p - y;
    return {e * e, e + e};
  }
};

/// sqrt(mean of (y - p)^2 over the batch): a row has its mean square, the mean's root is taken at the end.
struct Rmse : Mse {
  static constexpr EntryInfo info{"rmse", "root_mean_squared_error RMSE", {kReduction}};
  static constexpr bool whole_batch = true;
};

/// |y - p|, slope 0 at 0
struct Mae : ElementwiseLoss {
  static constexpr EntryInfo info{"mae", "mean_absolute_error MAE", {kReduction}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V e = p - y;
    return {absolute(e), signed_as(broadcast<V>(1), e)};
  }
};

/// e^2 / 2 if |e| <= delta else delta (|e| - delta / 2)  (Huber 1964)
struct Huber : ElementwiseLoss {
  static constexpr EntryInfo info{"huber", "", {{"delta", 1.0, Range::positive}, kReduction}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>* q) {
    const V e = p - y;
    const V size = absolute(e);
    const V delta = broadcast<V>(q[0]);
    const auto outside = size > delta;
    return {select<V>(outside, delta * (size - delta * Scalar<V>(0.5)), e * e * Scalar<V>(0.5)),
            select<V>(outside, with_sign_of(delta, e), e)};
  }
};

/// ln cosh e = |e| + ln(1 + e^-2|e|) - ln 2; below 1, where that cancels, ln(1 + t^2 / (2 + 2 t)) of
/// t = e^|e| - 1. Slope tanh e.
struct LogCosh : ElementwiseLoss {
  static constexpr EntryInfo info{"log_cosh", "logcosh", {kReduction}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V e = p - y;
    const V size = absolute(e);
    const V t = expm1(minimum(size, broadcast<V>(1)));
    const V near = log1p(t * t / (t * Scalar<V>(2) + Scalar<V>(2)));
    const V far = (size - Scalar<V>(0.69314718055994530942)) + log1p(exp_below(size * Scalar<V>(-2)));
    return {select<V>(size < 1, near, far), tanh(e)};
  }
};

/// 100 |y - p| / max(|y|, margin)
struct Mape : ElementwiseLoss {
  static constexpr EntryInfo info{"mape", "mean_absolute_percentage_error MAPE", {kReduction}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V e = p - y;
    const V scale = Scalar<V>(100) / maximum(absolute(y), broadcast<V>(Scalar<V>(kProbabilityMargin)));
    return {absolute(e) * scale, signed_as(scale, e)};
  }
};

/// (ln(1 + y) - ln(1 + p))^2, both raised to the margin where they are below it
struct Msle : ElementwiseLoss {
  static constexpr EntryInfo info{"msle", "mean_squared_logarithmic_error MSLE", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::non_negative; }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V margin = broadcast<V>(Scalar<V>(kProbabilityMargin));
    const V raised = maximum(p, margin);
    const V e = log1p(raised) - log1p(maximum(y, margin));
    return {e * e, select<V>(raised == p, (e + e) / (raised + Scalar<V>(1)), V{})};
  }
};

/// q (y - p) above p, (1 - q) (p - y) below: least at the quantile q  (Koenker & Bassett 1978)
struct Quantile : ElementwiseLoss {
  static constexpr EntryInfo info{"quantile", "pinball", {{"quantile", 0.5, Range::share}, kReduction}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>* q) {
    const V e = y - p;
    const V above = broadcast<V>(q[0]);
    const V below = broadcast<V>(q[0] - 1);
    return {e * select<V>(e > 0, above, below), select<V>(e == 0, V{}, select<V>(e > 0, -above, -below))};
  }
};

/// Margins take targets -1 and 1; 0 counts as -1.
template <typename V>
inline V margin_target(V y) {
  return select<V>(y == 0, broadcast<V>(-1), y);
}

/// max(1 - y p, 0)
struct Hinge : ElementwiseLoss {
  static constexpr EntryInfo info{"hinge", "", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::sign; }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    y = margin_target(y);
    const V short_of = Scalar<V>(1) - y * p;
    return {maximum(short_of, V{}), select<V>(short_of > 0, -y, V{})};
  }
};

/// max(1 - y p, 0)^2
struct SquaredHinge : ElementwiseLoss {
  static constexpr EntryInfo info{"squared_hinge", "", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::sign; }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    y = margin_target(y);
    const V short_of = maximum(Scalar<V>(1) - y * p, V{});
    return {short_of * short_of, y * short_of * Scalar<V>(-2)};
  }
};

}  // namespace
}  // namespace laminar::kernels
