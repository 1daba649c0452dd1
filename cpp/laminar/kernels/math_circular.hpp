// SPDX-License-Identifier: Apache-2.0
// sin, cos and erf on vectors. An angle is brought to [-pi/4, pi/4] by subtracting a multiple of pi/2 in four
// parts (Cody and Waite 1980); angles so large that this is not exact go to the C library, lane by lane.
// Polynomials are fits at Chebyshev's nodes of (sin r - r) / r^3 and (cos r - 1 + r^2 / 2) / r^4 in r^2.
#pragma once

#include "laminar/kernels/math_normal.hpp"

namespace laminar::kernels {
namespace {

template <typename T>
struct CircularTerms;

template <>
struct CircularTerms<float> {
  static constexpr float largest = 6000.0F;  // times 2 / pi below 2^12
  static constexpr float quarter[] = {1.5703125F, 0.0004837512969970703125F, 7.549533620476722717e-8F,
                                      2.563344151594518789e-12F};
  static constexpr float sine[] = {-0.1666666453989961F, 0.008332724732630293F, -0.0001958285585078999F};
  static constexpr float cosine[] = {0.04166666453694609F, -0.001388827944964954F, 2.454289633694463e-05F};
};

template <>
struct CircularTerms<double> {
  static constexpr double largest = 6.0e6;  // times 2 / pi below 2^22
  static constexpr double quarter[] = {1.570796325802803039550781, 9.920935791635221434603409e-10,
                                       5.170182978890249594880037e-19, 2.903855973979358266847447e-28};
  static constexpr double sine[] = {-0.16666666666666664366,  0.0083333333333307006253, -0.00019841269836387346242,
                                    2.7557315911911159132e-6, -2.505109250706138589e-8, 1.591532321227140032e-10};
  static constexpr double cosine[] = {0.041666666666666665228,   -0.0013888888888887242183, 0.000024801587298533455014,
                                      -2.7557317152467039576e-7, 2.0876121658871158775e-9,  -1.1380876948169716039e-11};
};

/// sin of x plus so many quarters of a turn.
template <int quarters, typename V>
inline V circular(V x) {
  using T = Scalar<V>;
  using Terms = CircularTerms<T>;
  const V magic = broadcast<V>(Format<T>::round_magic);
  const Integer<V> near = absolute(x) <= Terms::largest;
  const V inside = select<V>(near, x, V{});
  const V shifted = inside * T(0.63661977236758134308) + magic;
  const V n = shifted - magic;
  const Integer<V> turn =
      bit_cast<Integer<V>>(shifted) - bit_cast<Integer<V>>(magic) + static_cast<IntegerScalar<V>>(quarters);
  const V r =
      ((inside - n * Terms::quarter[0]) - n * Terms::quarter[1]) - n * Terms::quarter[2] - n * Terms::quarter[3];
  const V square = r * r;
  const V sine = r + r * square * polynomial(square, Terms::sine);
  const V cosine = (square * T(-0.5) + T(1)) + square * square * polynomial(square, Terms::cosine);
  V y = select<V>((turn & 1) == 0, sine, cosine);
  y = select<V>((turn & 2) == 0, y, -y);
  if constexpr (quarters == 0) y = select<V>(inside == 0, inside, y);
  for (Index i = 0; i < kLanes<T>; ++i) {
    if (near[i] != 0) continue;
    if constexpr (sizeof(T) == 4) {
      y[i] = quarters == 0 ? __builtin_sinf(x[i]) : __builtin_cosf(x[i]);
    } else {
      y[i] = quarters == 0 ? __builtin_sin(x[i]) : __builtin_cos(x[i]);
    }
  }
  return y;
}

template <typename V>
inline V sine(V x) {
  return circular<0>(x);
}

template <typename V>
inline V cosine(V x) {
  return circular<1>(x);
}

/// erf x: its series up to 3/4, beyond that 1 - 2 P(N > sqrt(2) |x|).
template <typename V>
inline V error_function(V x) {
  using T = Scalar<V>;
  constexpr int terms = sizeof(T) == 4 ? 10 : 17;
  const V magnitude = minimum(absolute(x), broadcast<V>(T(20)));
  const V near = minimum(magnitude, broadcast<V>(T(0.75)));
  const V square = near * near;
  V sum{};
  double factorial = 1;
  double coefficients[terms];  // of 2 / sqrt(pi) sum (-1)^n x^(2 n + 1) / (n! (2 n + 1))
  for (int n = 0; n < terms; ++n) {
    if (n > 0) factorial *= n;
    coefficients[n] = (n % 2 == 0 ? 1.0 : -1.0) * 1.1283791670955125739 / (factorial * (2 * n + 1));
  }
  for (int n = terms - 1; n >= 0; --n) sum = sum * square + T(coefficients[n]);
  const V beyond = T(1) - normal_tail(magnitude * T(1.41421356237309504880)) * T(2);
  const V y = select<V>(magnitude <= T(0.75), sum * near, beyond);
  return select<V>(x == x, with_sign_of(y, x), x);
}

}  // namespace
}  // namespace laminar::kernels
