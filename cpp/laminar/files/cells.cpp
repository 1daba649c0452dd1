// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/cells.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <locale>
#include <nlohmann/json.hpp>
#include <sstream>

#include "laminar/base/characters.hpp"

namespace laminar {
namespace {

constexpr std::string_view kMissing[] = {"", "?", "na", "n/a", "nan", "null", "none"};

// White space beyond ASCII, in UTF-8: U+0085, U+00A0, U+1680, U+2000 to U+200A, U+2028, U+2029, U+202F,
// U+205F and U+3000.
constexpr std::string_view kWideSpaces[] = {
    "\xC2\x85",     "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83",
    "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A",
    "\xE2\x80\xA8", "\xE2\x80\xA9", "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= '\x1C' && c <= '\x1F'); }
bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

/// The bytes of the white space that `matches` finds at an end of a text, 0 for none.
template <typename Matches>
std::size_t wide_space(const Matches& matches) {
  const auto* const found = std::find_if(std::begin(kWideSpaces), std::end(kWideSpaces), matches);
  return found == std::end(kWideSpaces) ? 0 : found->size();
}

std::size_t space_before(std::string_view text) {
  if (text.empty()) return 0;
  if (is_space(text.front())) return 1;
  return is_ascii(text.front()) ? 0 : wide_space([&](std::string_view space) { return text.starts_with(space); });
}

std::size_t space_behind(std::string_view text) {
  if (text.empty()) return 0;
  if (is_space(text.back())) return 1;
  return is_ascii(text.back()) ? 0 : wide_space([&](std::string_view space) { return text.ends_with(space); });
}

/// A text that has the form of a number, whose decimal digits are `digits` times 10 to the power of
/// `exponent` where they are few.
struct Scanned {
  std::int64_t digits = 0;
  std::int64_t exponent = 0;
  std::int64_t count = 0;  // of digits, leading zeros left out
  bool negative = false;
};

// 10^0 … 10^22 are numbers of type double, and so are whole numbers of 15 digits: one division or
// multiplication of the two rounds once, hence correctly (Clinger, 1990).
constexpr std::int64_t kExactDigits = 15;
constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                   1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr std::int64_t kMostExactPower = 22;
constexpr std::int64_t kLargestPower = 1'000'000'000'000'000;  // no text has as many digits

std::optional<Scanned> scanned(std::string_view text) {
  Scanned number;
  const char* at = text.data();
  const char* const end = at + text.size();
  if (at != end && (*at == '+' || *at == '-')) number.negative = *at++ == '-';
  bool any = false;
  const auto take_digits = [&](int step) {
    for (; at != end && is_digit(*at); ++at) {
      any = true;
      if (number.count > 0 || *at != '0') ++number.count;
      if (number.count <= kExactDigits) number.digits = number.digits * 10 + (*at - '0');
      number.exponent -= step;
    }
  };
  take_digits(0);
  if (at != end && *at == '.') {
    ++at;
    take_digits(1);
  }
  if (!any) return {};
  if (at == end) return number;
  if (lower(*at++) != 'e') return {};
  bool down = false;
  if (at != end && (*at == '+' || *at == '-')) down = *at++ == '-';
  if (at == end) return {};
  std::int64_t power = 0;
  for (; at != end; ++at) {
    if (!is_digit(*at)) return {};
    power = std::min(power * 10 + (*at - '0'), kLargestPower);
  }
  number.exponent += down ? -power : power;
  return number;
}

bool same_letters(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string_view trimmed(std::string_view text) {
  while (const std::size_t size = space_before(text)) text.remove_prefix(size);
  while (const std::size_t size = space_behind(text)) text.remove_suffix(size);
  return text;
}

bool is_missing_cell(std::string_view cell, std::span<const std::string> others) {
  const auto is_it = [&](std::string_view text) { return same_letters(text, cell); };
  return std::any_of(std::begin(kMissing), std::end(kMissing), is_it) ||
         std::any_of(others.begin(), others.end(), [&](const std::string& text) { return is_it(trimmed(text)); });
}

std::optional<double> cell_number(std::string_view cell) {
  const std::optional<Scanned> number = scanned(cell);
  if (!number.has_value()) {
    if (same_letters(cell, "true")) return 1;
    if (same_letters(cell, "false")) return 0;
    return {};
  }
  const auto digits = static_cast<double>(number->digits);
  if (number->count <= kExactDigits && std::abs(number->exponent) <= kMostExactPower) {
    const double power = kExactPowers[std::abs(number->exponent)];
    const double value = number->exponent < 0 ? digits / power : digits * power;
    return number->negative ? -value : value;
  }
  // Not std::from_chars, which Apple's library lacks for numbers with a point.
  std::istringstream stream{std::string(cell)};
  stream.imbue(std::locale::classic());
  double value = 0;
  stream >> value;
  constexpr double kLargest = std::numeric_limits<double>::max();
  if (stream.fail() && std::abs(value) == kLargest)
    return std::copysign(std::numeric_limits<double>::infinity(), value);
  return value;
}

bool is_utf8(std::string_view text) {
  try {
    nlohmann::json(text).dump();
  } catch (const nlohmann::json::exception&) {
    return false;
  }
  return true;
}

}  // namespace laminar
