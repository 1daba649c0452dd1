// SPDX-License-Identifier: Apache-2.0
// Errors in units in the last place, and numbers of all magnitudes to look for them at.
#pragma once

#include "support.hpp"

namespace laminar::tests {

inline constexpr Index kUlpSamples = 16000;

/// Distance from the exact value in units in the last place of T. Needs a long double that is wider.
template <typename T>
double ulps(T got, long double exact) {
  using Limits = std::numeric_limits<T>;
  if (std::isnan(exact) || std::isinf(static_cast<T>(exact))) {
    const bool right = std::isnan(exact) ? std::isnan(got) : got == static_cast<T>(exact);
    return right ? 0 : std::numeric_limits<double>::infinity();
  }
  int exponent = 0;
  std::frexp(exact, &exponent);
  const int lowest = Limits::min_exponent - Limits::digits;
  const long double unit = std::ldexp(1.0L, std::max(exponent - Limits::digits, lowest));
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / unit);
}

/// Values of every magnitude and both signs, values where functions bend, and the extremes.
template <typename T>
std::vector<T> samples() {
  using Limits = std::numeric_limits<T>;
  std::vector<T> x = {0,
                      -T(0),
                      Limits::denorm_min(),
                      -Limits::denorm_min(),
                      Limits::min(),
                      -Limits::min(),
                      Limits::max(),
                      Limits::lowest(),
                      Limits::infinity(),
                      -Limits::infinity(),
                      Limits::quiet_NaN()};
  const auto exponents = draws<double>(kUlpSamples, Limits::min_exponent - Limits::digits, Limits::max_exponent);
  for (std::size_t i = 0; i < exponents.size(); ++i) {
    const T size = static_cast<T>(std::exp2(static_cast<long double>(exponents[i])));
    x.push_back(i % 2 == 0 ? size : -size);
  }
  for (const double range : {1.0, 20.0, 110.0, 800.0}) {
    const auto near = draws<T>(kUlpSamples / 2, -range, range, 2);
    x.insert(x.end(), near.begin(), near.end());
  }
  return x;
}

}  // namespace laminar::tests
