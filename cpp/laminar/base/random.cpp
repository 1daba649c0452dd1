// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/random.hpp"

#include <cmath>

#include "laminar/base/stop.hpp"

namespace laminar {
namespace {

std::uint32_t high(std::uint64_t product) { return static_cast<std::uint32_t>(product >> 32); }
std::uint32_t low(std::uint64_t product) { return static_cast<std::uint32_t>(product); }

/// ln x for x in (0, 1): x = m 2^k, ln m = 2 atanh((m - 1) / (m + 1)) by its series. Slower than the
/// library's, but built from exactly rounded operations only.
double logarithm(double x) {
  int exponent = 0;
  double m = std::frexp(x, &exponent);
  if (m < 0.70710678118654752) {
    m *= 2;
    --exponent;
  }
  const double s = (m - 1) / (m + 1);
  const double t = s * s;
  double sum = 0;
  for (int k = 23; k >= 1; k -= 2) sum = sum * t + 1.0 / k;
  return exponent * 0.69314718055994530942 + 2 * s * sum;
}

template <std::size_t N>
double polynomial(const double (&terms)[N], double x) {
  double sum = terms[N - 1];
  for (std::size_t i = N - 1; i-- > 0;) sum = sum * x + terms[i];
  return sum;
}

}  // namespace

std::array<std::uint32_t, 4> RandomStream::words(std::uint64_t index) const {
  std::array<std::uint32_t, 4> c = {low(index), high(index), stream_, step_};
  std::uint32_t key0 = low(seed_);
  std::uint32_t key1 = high(seed_);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * c[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * c[2];
    c = {high(b) ^ c[1] ^ key0, low(b), high(a) ^ c[3] ^ key1, low(a)};
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return c;
}

double RandomStream::uniform(std::uint64_t index) const {
  const auto w = words(index);
  const std::uint64_t bits = (std::uint64_t{w[0]} << 20) ^ (w[1] >> 12);  // 52 bits
  return (static_cast<double>(bits) + 0.5) * 0x1p-52;
}

double normal_quantile(double p) {
  static constexpr double center_top[] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                          1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                          3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double center_bottom[] = {1.0,
                                             4.2313330701600911252e+1,
                                             6.8718700749205790830e+2,
                                             5.3941960214247511077e+3,
                                             2.1213794301586595867e+4,
                                             3.9307895800092710610e+4,
                                             2.8729085735721942674e+4,
                                             5.2264952788528545610e+3};
  static constexpr double middle_top[] = {
      1.42343711074968357734e0, 4.63033784615654529590e0,  5.76949722146069140550e0,  3.64784832476320460504e0,
      1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double middle_bottom[] = {1.0,
                                             2.05319162663775882187e0,
                                             1.67638483018380384940e0,
                                             6.89767334985100004550e-1,
                                             1.48103976427480074590e-1,
                                             1.51986665636164571966e-2,
                                             5.47593808499534494600e-4,
                                             1.05075007164441684324e-9};
  static constexpr double tail_top[] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                        2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                        2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double tail_bottom[] = {1.0,
                                           5.99832206555887937690e-1,
                                           1.36929880922735805310e-1,
                                           1.48753612908506148525e-2,
                                           7.86869131145613259100e-4,
                                           1.84631831751005468180e-5,
                                           1.42151175831644588870e-7,
                                           2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(center_top, r) / polynomial(center_bottom, r);
  }
  const double r = std::sqrt(-logarithm(q < 0 ? p : 1 - p));
  const double z = r <= 5 ? polynomial(middle_top, r - 1.6) / polynomial(middle_bottom, r - 1.6)
                          : polynomial(tail_top, r - 5) / polynomial(tail_bottom, r - 5);
  return q < 0 ? -z : z;
}

void fill_permutation(const RandomStream& stream, std::span<Index> order) {
  const auto size = order.size();
  constexpr std::size_t kPiece = 1 << 16;  // of draws before the caller is asked
  constexpr double kWorkPerDraw = 50;
  for (std::size_t i = 0; i < size; ++i) order[i] = static_cast<Index>(i);
  // The high half of word * i is uniform on 0 … i-1 up to i / 2^64.
  const auto exchange = [&](std::size_t i, std::uint64_t word) {
    const auto j = static_cast<std::size_t>((static_cast<unsigned __int128>(word) * i) >> 64);
    std::swap(order[i - 1], order[j]);
  };
  for (std::size_t i = size; i > 1; i -= 2) {
    if (i % kPiece < 2) leave_if_stopped(kWorkPerDraw * kPiece);
    const auto w = stream.words(i);
    exchange(i, (std::uint64_t{w[0]} << 32) | w[1]);
    if (i == 2) break;
    exchange(i - 1, (std::uint64_t{w[2]} << 32) | w[3]);
  }
}

}  // namespace laminar
