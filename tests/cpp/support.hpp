// SPDX-License-Identifier: Apache-2.0
// What the C++ tests share: awkward sizes, reproducible numbers, every entry of a family with every
// hyper-parameter moved, and comparisons that say in one line where two arrays part.
#pragma once

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <span>
#include <sstream>
#include <string>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/choice.hpp"

namespace laminar::tests {

/// Around the widths of vectors and panels, and past one block of depth.
inline constexpr Index kSizes[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 300};
inline constexpr Index kBatches[] = {1, 2, 33};

template <typename T>
constexpr T kNan = std::numeric_limits<T>::quiet_NaN();

inline std::size_t as_size(Index n) { return static_cast<std::size_t>(n); }

/// n reproducible numbers between low and high.
template <typename T>
std::vector<T> draws(Index n, double low, double high, std::uint64_t seed = 1) {
  std::mt19937_64 bits(seed);
  std::vector<T> values(as_size(n));
  for (T& v : values) v = static_cast<T>(low + (high - low) * (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53);
  return values;
}

/// n reproducible whole numbers from -size to size: their sums of products are exact.
template <typename T>
std::vector<T> whole_numbers(Index n, int size, std::uint64_t seed = 1) {
  std::mt19937_64 bits(seed);
  std::vector<T> values(as_size(n));
  for (T& v : values) v = static_cast<T>(static_cast<int>(bits() % static_cast<unsigned>(2 * size + 1)) - size);
  return values;
}

template <typename T>
std::span<const T> view(const std::vector<T>& values) {
  return values;
}

template <typename T>
std::vector<double> as_double(std::span<const T> values) {
  return {values.begin(), values.end()};
}

template <typename T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof(T)) == 0;
}

/// "" where both hold the same bits, else the first place where they differ.
template <typename T>
std::string bit_difference(std::span<const T> a, std::span<const T> b) {
  std::ostringstream text;
  text.precision(17);
  if (a.size() != b.size()) {
    text << a.size() << " values, not " << b.size();
    return text.str();
  }
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (same_bits(a[i], b[i])) continue;
    text << "value " << i << " is " << a[i] << ", not " << b[i];
    return text.str();
  }
  return "";
}

template <typename T>
std::string bit_difference(const std::vector<T>& a, const std::vector<T>& b) {
  return bit_difference(view(a), view(b));
}

/// "" where all differences are within `tolerance` of the larger of 1 and the largest expected
/// value, else the largest difference. NaN equals NaN and nothing else.
template <typename A, typename B>
std::string difference(const A& got, const B& expected, double tolerance) {
  std::ostringstream text;
  text.precision(12);
  const auto n = static_cast<std::size_t>(got.size());
  if (n != static_cast<std::size_t>(expected.size())) {
    text << n << " values, not " << expected.size();
    return text.str();
  }
  double scale = 1;
  for (std::size_t i = 0; i < n; ++i) {
    const auto e = static_cast<double>(expected.data()[i]);
    if (std::isfinite(e)) scale = std::max(scale, std::abs(e));
  }
  double worst = tolerance * scale;
  for (std::size_t i = 0; i < n; ++i) {
    const auto g = static_cast<double>(got.data()[i]);
    const auto e = static_cast<double>(expected.data()[i]);
    if (g == e || (std::isnan(g) && std::isnan(e)) || std::abs(g - e) <= worst) continue;
    worst = std::isnan(g) ? std::numeric_limits<double>::infinity() : std::abs(g - e);
    text.str("");
    text << "value " << i << " is " << g << ", expected " << e;
  }
  return text.str();
}

/// Another value that the hyper-parameter may take, one value alone.
inline double moved(const ParameterInfo& parameter) {
  const double value = parameter.optional() ? 1 : parameter.value;
  switch (parameter.range) {
    case Range::flag:
      return 1 - value;
    case Range::fraction:
    case Range::share:
      return 0.25 + value / 2;
    case Range::non_negative:
    case Range::positive:
      return value * 1.5 + 0.01;
    case Range::whole:
    case Range::count:
      return value + 1;
    case Range::integer:
      return parameter.optional() ? 1001 : value + 1;  // no class has this number
    case Range::word:
      return value == 0 ? 1 : 0;
    case Range::any:
    case Range::numbers:
      break;
  }
  return value + 0.25;
}

/// Gives a hyper-parameter another value.
inline void move(Choice& choice, const ParameterInfo& parameter) {
  if (parameter.range == Range::numbers) {
    choice.set_list(parameter.name, {1, 2.5});
  } else {
    choice.set(parameter.name, moved(parameter));
  }
}

/// Every entry of a family as it stands, with each hyper-parameter moved, and with all of them.
template <typename C>
std::vector<C> variants(const Family& family) {
  std::vector<C> all;
  for (const EntryInfo& entry : family.entries) {
    const C plain{std::string_view(entry.name)};
    all.push_back(plain);
    C every = plain;
    for (int i = 0; i < entry.count(); ++i) {
      C one = plain;
      move(one, entry.parameters[i]);
      move(every, entry.parameters[i]);
      all.push_back(one);
    }
    if (entry.count() > 1) all.push_back(every);
  }
  return all;
}

/// What std::invalid_argument says when `call` throws it, "nothing thrown" where it does not.
template <typename Call>
std::string message_of(const Call& call) {
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// "" where `text` has all parts, else the text, so that a failed check shows it.
inline std::string without(const std::string& text, std::initializer_list<std::string_view> parts) {
  for (const std::string_view part : parts) {
    if (text.find(part) == std::string::npos) return std::string(part).append(" is missing in: ").append(text);
  }
  return "";
}

}  // namespace laminar::tests
