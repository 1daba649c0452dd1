// SPDX-License-Identifier: Apache-2.0
// exp, expm1, log, log1p, tanh and sigmoid on vectors: the same text for every width and both
// scalars, a few ULP at most, NaN in gives NaN out, no branch. Polynomials are Chebyshev fits of
// (e^r - 1 - r)/r^2 on |r| <= ln(2)/2 and of (2 atanh(s) - 2 s)/s^3 in s^2 for the logarithm.
#pragma once

#include "laminar/kernels/simd.hpp"

namespace laminar::kernels {
namespace {

/// Constants of one floating-point format.
template <typename T>
struct Format;

template <>
struct Format<float> {
  static constexpr int mantissa_bits = 23;
  static constexpr std::int32_t bias = 127;
  static constexpr float round_magic = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer
  static constexpr float exp_min = -104.0F;
  static constexpr float exp_max = 89.0F;
  static constexpr float tanh_max = 10.0F;
  static constexpr float log2_e = 1.44269504F;
  static constexpr float ln2_high = 0.693359375F;  // few bits: n * ln2_high is exact
  static constexpr float ln2_low = -2.12194440e-4F;
  static constexpr float smallest_normal = 1.17549435e-38F;
  static constexpr float exp_terms[] = {0.5F, 0.1666657695F, 0.04166655457F, 0.008363185032F, 0.001392619106F};
  static constexpr float log_terms[] = {0.6666666655F, 0.4000012221F, 0.2855077863F, 0.2333161447F};
};

template <>
struct Format<double> {
  static constexpr int mantissa_bits = 52;
  static constexpr std::int64_t bias = 1023;
  static constexpr double round_magic = 6755399441055744.0;  // 1.5 * 2^52
  static constexpr double exp_min = -746.0;
  static constexpr double exp_max = 710.0;
  static constexpr double tanh_max = 20.0;
  static constexpr double log2_e = 1.4426950408889634;
  static constexpr double ln2_high = 6.93147180369123816490e-01;
  static constexpr double ln2_low = 1.90821492927058770002e-10;
  static constexpr double smallest_normal = 2.2250738585072014e-308;
  static constexpr double exp_terms[] = {0.5,
                                         0.16666666666666671,
                                         0.0416666666666666698,
                                         0.00833333333332612936,
                                         0.00138888888888837442,
                                         0.000198412698748407686,
                                         0.0000248015873255621258,
                                         2.75572553746587421e-6,
                                         2.75572735248664763e-7,
                                         2.51052276365517591e-8,
                                         2.09146945603515916e-9};
  static constexpr double log_terms[] = {0.666666666666666971, 0.399999999998988905, 0.285714286262538376,
                                         0.222222110893794962, 0.181828924325368712, 0.153316117220550079,
                                         0.14617807153417325};
};

template <typename V, Index N>
inline V polynomial(V x, const Scalar<V> (&terms)[N]) {
  V sum = broadcast<V>(terms[N - 1]);
  for (Index i = N - 2; i >= 0; --i) sum = sum * x + terms[i];
  return sum;
}

/// The same in pairs of terms: as many operations, half the wait from one to the next.
template <typename V, Index N>
inline V polynomial(V x, V square, const Scalar<V> (&terms)[N]) {
  constexpr Index top = (N - 1) / 2 * 2;
  V sum = broadcast<V>(terms[top]);
  if constexpr (top + 1 < N) sum += x * terms[top + 1];
  for (Index i = top - 2; i >= 0; i -= 2) sum = sum * square + (x * terms[i + 1] + terms[i]);
  return sum;
}

/// 2^n for integers n within the normal range.
template <typename V>
inline V power_of_two(Integer<V> n) {
  using F = Format<Scalar<V>>;
  return bit_cast<V>((n + F::bias) << F::mantissa_bits);
}

/// x = n ln 2 + r, |r| <= ln(2)/2, and q = e^r - 1 = r + r^2 P(r).
template <typename V>
struct Reduced {
  V n;
  V shifted;  // its low bits are those of the integer n
  V q;

  Integer<V> integer() const {
    return bit_cast<Integer<V>>(shifted) - bit_cast<Integer<V>>(broadcast<V>(Format<Scalar<V>>::round_magic));
  }
  /// 2^(n + m) within the normal range: the low bits of `shifted` are moved to the exponent's place,
  /// and the high ones out.
  V power(IntegerScalar<V> m) const {
    using F = Format<Scalar<V>>;
    return bit_cast<V>((bit_cast<Integer<V>>(shifted) << F::mantissa_bits) + ((F::bias + m) << F::mantissa_bits));
  }
};

/// x 2^n, rounded once where the result is denormal.
template <typename V>
inline V scaled(V x, const Reduced<V>& e) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm512_maskz_scalef_ps(0xffff, bit_cast<__m512>(x), bit_cast<__m512>(e.n)));
  } else {
    return bit_cast<V>(_mm512_maskz_scalef_pd(0xff, bit_cast<__m512d>(x), bit_cast<__m512d>(e.n)));
  }
#else
  const Integer<V> n = e.integer();
  const Integer<V> half = n >> 1;  // two factors, so that 2^n may be denormal or overflow
  return x * power_of_two<V>(half) * power_of_two<V>(n - half);
#endif
}

template <typename V>
inline Reduced<V> reduce(V x) {
  using F = Format<Scalar<V>>;
  const V magic = broadcast<V>(F::round_magic);
  const V shifted = x * F::log2_e + magic;
  const V n = shifted - magic;
  const V r = (x - n * F::ln2_high) - n * F::ln2_low;
  const V square = r * r;
  return {n, shifted, r + square * polynomial(r, square, F::exp_terms)};
}

/// e^x for x that is not above 1, such as a difference from a maximum; 0 below the smallest denormal. The power
/// of two is there before the polynomial is, and both are multiplied and added at once.
template <typename V>
[[gnu::always_inline]] inline V exp_below(V x) {
  const Reduced<V> e = reduce(maximum(x, broadcast<V>(Format<Scalar<V>>::exp_min)));
  const V power = scaled(broadcast<V>(1), e);
  return e.q * power + power;
}

/// e^x; infinity above the largest finite value.
template <typename V>
inline V exp(V x) {
  using F = Format<Scalar<V>>;
  const Reduced<V> e = reduce(minimum(maximum(x, broadcast<V>(F::exp_min)), broadcast<V>(F::exp_max)));
  return scaled(e.q + Scalar<V>(1), e);
}

/// e^x - 1 without cancellation near zero.
template <typename V>
inline V expm1(V x) {
  using F = Format<Scalar<V>>;
  const V floor = broadcast<V>(Scalar<V>(-60));  // e^-60 - 1 rounds to -1
  x = minimum(maximum(x, floor), broadcast<V>(F::exp_max));
  const Reduced<V> e = reduce(x);
  const V scale = e.power(-1);
  const V result = (e.q * scale + (scale - Scalar<V>(0.5))) * Scalar<V>(2);
  return select<V>(e.n == 0, e.q, result);
}

// tanh and sigmoid are quotients whose denominators are rounded. What that takes is put back: y + r / d, where
// r is the remainder with the whole denominator, and 1 / d follows from y itself.

/// tanh |x| = e / (e + 2) with e = e^2|x| - 1, the sign put back. 2|x| is small enough for one factor 2^n,
/// and q 2^n + (2^n - 1) is exactly q where n is 0. The inverse that follows from y is too rough from e = 10^6
/// on: it is 0.
template <typename V>
inline V tanh(V x) {
  using F = Format<Scalar<V>>;
  const V magnitude = minimum(absolute(x), broadcast<V>(F::tanh_max));
  const Reduced<V> r = reduce(magnitude + magnitude);
  const V scale = r.power(0);
  const V e = r.q * scale + (scale - Scalar<V>(1));
  const V below = e + Scalar<V>(2);
  const V lost = e - (below - Scalar<V>(2));
  const V y = e / below;
  const V inverse = maximum(Scalar<V>(0.499999) - y * Scalar<V>(0.5), V{});
  return with_sign_of(y + inverse * (remainder(e, below, y) - lost * y), x);
}

/// 1 / (1 + e^-x), from e = e^-|x| so that neither tail overflows. The remainder a - y (1 + e) is (a - y) - e y,
/// of which the difference is exact.
template <typename V>
inline V sigmoid(V x, V e) {
  const V one = broadcast<V>(Scalar<V>(1));
  const Integer<V> below = x < 0;
  const V above = select<V>(below, e, one);
  const V y = above / (one + e);
  return y + select<V>(below, one - y, y) * remainder(above - y, e, y);
}

template <typename V>
inline V sigmoid(V x) {
  return sigmoid(x, exp_below(minus_absolute(x)));
}

/// log of a positive normal mantissa: x = 2^k (1 + f), `correction` is added to f's logarithm.
template <typename V>
inline V log_normal(V x, V correction) {
  using F = Format<Scalar<V>>;
  using I = Integer<V>;
  const V root_half = broadcast<V>(Scalar<V>(0.70710678118654752440));
  const I bits = bit_cast<I>(x) - bit_cast<I>(root_half);
  const I k = bits >> F::mantissa_bits;
  const V m = bit_cast<V>(bit_cast<I>(x) - (k << F::mantissa_bits));
  const V f = m - Scalar<V>(1);
  const V s = f / (f + Scalar<V>(2));
  const V t = s * s;
  const V half_square = f * f * Scalar<V>(0.5);
  const V r = t * polynomial(t, F::log_terms);
  const V kf = __builtin_convertvector(k, V);
  return kf * F::ln2_high - ((half_square - (s * (half_square + r) + (kf * F::ln2_low + correction))) - f);
}

/// log x for x > 0; -infinity at 0, NaN below.
template <typename V>
inline V log(V x) {
  using F = Format<Scalar<V>>;
  const Scalar<V> infinity = __builtin_inff();
  const Scalar<V> lift = Scalar<V>(std::int64_t{1} << F::mantissa_bits);
  const V inside = select<V>(x > 0, x, broadcast<V>(1));
  const Integer<V> tiny = inside < F::smallest_normal;
  const V lifted = select<V>(tiny, inside * lift, inside);
  const V shift = select<V>(tiny, broadcast<V>(Scalar<V>(F::mantissa_bits)), V{});
  V y = log_normal(lifted, V{}) - shift * Scalar<V>(0.69314718055994530942);
  y = select<V>(x == infinity, x, y);
  y = select<V>(x == 0, broadcast<V>(-infinity), y);
  return select<V>(x >= 0, y, broadcast<V>(Scalar<V>(__builtin_nanf(""))));
}

/// log(1 + x) for x > -1/2; the rounding error of 1 + x is put back as a correction.
template <typename V>
inline V log1p(V x) {
  const V u = x + Scalar<V>(1);
  const V lost = select<V>(x < 1, x - (u - Scalar<V>(1)), (x - u) + Scalar<V>(1));
  const V y = log_normal(u, lost / u);
  const Scalar<V> infinity = __builtin_inff();
  return select<V>(x < infinity, y, x);
}

}  // namespace
}  // namespace laminar::kernels
