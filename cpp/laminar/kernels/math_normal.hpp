// SPDX-License-Identifier: Apache-2.0
// What gelu needs: the tail of the normal distribution, and of the logistic one that stands in for it,
// both times x. Exponents such as x^2 / 2 are kept in two parts, as e^y is wrong by as much as y is.
//
// P(N > x) e^(x^2 / 2) = t G(1 - 8 t) with t = 1 / (x + 4); G is a Chebyshev fit on all x >= 0, after
// Shepherd and Laframboise (1981).
#pragma once

#include "laminar/kernels/math.hpp"

namespace laminar::kernels {
namespace {

constexpr double kGeluLine = 1.5957691216057307118;     // sqrt(8 / pi)
constexpr double kGeluCube = 0.071354816272600247;      // 0.044715 sqrt(8 / pi)
constexpr double kNormalPeak = 0.39894228040143267794;  // 1 / sqrt(2 pi)

template <typename T>
struct NormalTerms;

template <>
struct NormalTerms<float> {
  static constexpr float line_low = -4.53406804e-8F;  // what rounding took from kGeluLine
  static constexpr float cube_low = 2.3988324e-9F;
  static constexpr float tail[] = {0.7552851305F,    -0.6078966314F,    0.3871373939F,    -0.1865221598F,
                                   0.06039664828F,   -0.00753771716F,   -0.003479954637F, 0.001622040106F,
                                   0.0001336533871F, -0.0002155737763F, -1.731082301e-6F, 2.118298426e-5F};
};

template <>
struct NormalTerms<double> {
  static constexpr double line_low = -9.96930880911092031e-17;
  static constexpr double cube_low = -6.17514991815531545e-19;
  static constexpr double tail[] = {
      7.55285130415751516e-01, -6.07896641971892304e-01, 3.87137400742214921e-01,  -1.86521857959636606e-01,
      6.03965748909178757e-02, -7.54018896738631230e-03, -3.47969236704797355e-03, 1.63081846740990855e-03,
      1.33344309411832557e-04, -2.31095017362774259e-04, -1.90824635141457086e-06, 3.51451119028376531e-05,
      7.16658764119512090e-07, -5.92161104592397776e-06, -6.29836733849236862e-07, 1.02478510165527736e-06,
      2.72462969511458732e-07, -1.59773961422392199e-07, -8.68664701599789301e-08, 1.78449277729814146e-08,
      2.14276038434523546e-08, -5.87362676498719077e-10, -3.73064508186837036e-09, -1.19977820312530953e-10,
      3.40331230864949474e-10};
};

/// |z|, no larger than where both tails have become 0; NaN stays.
template <typename V>
inline V normal_range(V z) {
  return minimum(absolute(z), broadcast<V>(40));
}

/// a b in two parts: the product, and what rounding took from it. The compiler may not see that both
/// hold the same product, or it would compute it once, rounded.
template <typename V>
struct ExactProduct {
  V high;
  V low;

  ExactProduct(V a, V b) : high(rounded(a * b)), low(-remainder(high, rounded(a), b)) {}
};

/// value (1 + lost) = P(N > x) e^(x^2 / 2). Near 0 it changes three times as fast as t, so what rounding
/// took from t goes into the polynomial's argument as well.
template <typename V>
struct ScaledNormalTail {
  V value;
  V lost;

  explicit ScaledNormalTail(V x) {
    const V four = broadcast<V>(4);
    const V one = broadcast<V>(1);
    const V below = x + four;
    const V t = one / below;
    lost = remainder(one, below, t) - (x - (below - four)) * t;
    const V y = (one - t * Scalar<V>(8)) - t * lost * Scalar<V>(8);
    value = t * polynomial(y, NormalTerms<Scalar<V>>::tail);
  }
};

/// P(N > x)
template <typename V>
inline V normal_tail(V x) {
  return exp_below(x * x * Scalar<V>(-0.5)) * ScaledNormalTail<V>(x).value;
}

/// The density of N.
template <typename V>
inline V normal_density(V x) {
  return exp_below(x * x * Scalar<V>(-0.5)) * Scalar<V>(kNormalPeak);
}

/// m e^(high + low) for high <= 0 and a small low.
template <typename V>
inline V times_exp(V m, V high, V low) {
  const V floor = broadcast<V>(Format<Scalar<V>>::exp_min - 16);
  const Reduced<V> e = reduce(maximum(high, floor));
  const V lifted = m + m * low;
  return scaled(lifted + lifted * e.q, e);
}

/// x P(N > x)
template <typename V>
inline V normal_tail_moment(V x) {
  const ExactProduct<V> square(x, x);
  const ScaledNormalTail<V> tail(x);
  return times_exp(x * tail.value, square.high * Scalar<V>(-0.5), tail.lost - square.low * Scalar<V>(0.5));
}

/// x sigmoid(-w) for w = x (line + cube x^2)
template <typename V>
inline V logistic_tail_moment(V x) {
  using Terms = NormalTerms<Scalar<V>>;
  const V line = broadcast<V>(Scalar<V>(kGeluLine));
  const V cube = broadcast<V>(Scalar<V>(kGeluCube));
  const ExactProduct<V> square(x, x);
  const ExactProduct<V> bend(square.high, cube);
  const V sum = line + bend.high;
  const V part = sum - line;  // of bend.high that is in the sum
  const V lost = (line - (sum - part)) + (bend.high - part);
  const V low = lost + bend.low + (square.low * cube + (square.high * Terms::cube_low + Terms::line_low));
  const ExactProduct<V> w(x, sum);
  const V w_low = w.low + x * low;
  const V e = exp_below(-w.high);
  return times_exp(x, -w.high, -w_low) / (e + Scalar<V>(1));
}

}  // namespace
}  // namespace laminar::kernels
