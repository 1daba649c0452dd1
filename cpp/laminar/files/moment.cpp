// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/moment.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "laminar/base/characters.hpp"
#include "laminar/files/cells.hpp"

namespace laminar {
namespace {

bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }

/// What is left of a text while it is read from its begin.
class Reader {
 public:
  explicit Reader(std::string_view text) : left_(text) {}

  bool done() const { return left_.empty(); }
  char peek() const { return left_.empty() ? '\0' : left_.front(); }
  bool at_digit() const { return is_digit(peek()); }
  bool at_letter() const { return is_letter(peek()); }

  bool take(char c) {
    if (peek() != c) return false;
    left_.remove_prefix(1);
    return true;
  }
  bool skip(std::string_view any) {
    const std::size_t size = std::min(left_.find_first_not_of(any), left_.size());
    left_.remove_prefix(size);
    return size > 0;
  }
  std::string_view digits() { return taken(is_digit); }
  std::string word() {
    std::string word(taken(is_letter));
    std::transform(word.begin(), word.end(), word.begin(), lower);
    return word;
  }
  /// Whole seconds with a fraction, or without.
  std::optional<double> decimal() {
    const std::string_view all = left_;
    std::size_t size = digits().size();
    if (size == 0) return {};
    if (peek() == '.' || peek() == ',') {
      left_.remove_prefix(1);
      size += 1 + digits().size();
    }
    std::string text(all.substr(0, size));
    std::replace(text.begin(), text.end(), ',', '.');
    return cell_number(text);
  }

 private:
  template <typename Is>
  std::string_view taken(const Is& is) {
    const auto end = std::find_if_not(left_.begin(), left_.end(), is);
    const std::string_view found = left_.substr(0, static_cast<std::size_t>(end - left_.begin()));
    left_.remove_prefix(found.size());
    return found;
  }

  std::string_view left_;
};

constexpr std::size_t kMostDigits = 9;

std::optional<int> whole(std::string_view digits) {
  if (digits.empty() || digits.size() > kMostDigits) return {};
  int value = 0;
  for (const char c : digits) value = value * 10 + (c - '0');
  return value;
}

constexpr std::array<std::string_view, 12> kMonths = {"january",   "february", "march",    "april",
                                                      "may",       "june",     "july",     "august",
                                                      "september", "october",  "november", "december"};
constexpr std::array<std::string_view, 7> kSecondsOfDays = {"monday", "tuesday",  "wednesday", "thursday",
                                                            "friday", "saturday", "sunday"};

/// The place, counted from 1, of the name that a word of three letters or more begins or is; 0 for none.
template <std::size_t N>
int named(const std::array<std::string_view, N>& names, std::string_view word) {
  if (word.size() < 3) return 0;
  if (word == "sept") word = "sep";
  if (word == "tues" || word == "thur" || word == "thurs") word = word.substr(0, 3);
  const auto* const found = std::find_if(names.begin(), names.end(), [&](std::string_view name) {
    return word == name || (word.size() == 3 && name.starts_with(word));
  });
  return found == names.end() ? 0 : static_cast<int>(found - names.begin()) + 1;
}

bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in(int month, int year) {
  constexpr std::array<int, 12> kLengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap(year) ? 29 : kLengths[static_cast<std::size_t>(month - 1)];
}

std::optional<Moment> checked(std::optional<int> year, std::size_t year_digits, std::optional<int> month,
                              std::optional<int> day) {
  if (!year || !month || !day || (year_digits != 2 && year_digits != 4)) return {};
  // As POSIX reads two digits, but for the year 2069, which is nearer than 1969 in few tables.
  constexpr int kPivot = 69;
  if (year_digits == 2) year = *year + (*year < kPivot ? 2000 : 1900);
  if (*year < 1 || *month < 1 || *month > 12 || *day < 1 || *day > days_in(*month, *year)) return {};
  return Moment{*year, *month, *day, 0};
}

/// Behind a time: "Z", "UTC", "GMT", "+01:00", "+0100", perhaps after a space; or nothing.
bool is_zone(Reader& left) {
  left.skip(" ");
  if (left.done()) return true;
  if (left.at_letter()) {
    const std::string word = left.word();
    return (word == "z" || word == "utc" || word == "gmt") && left.done();
  }
  if (!left.take('+') && !left.take('-')) return false;
  const std::size_t hours = left.digits().size();
  if (left.done()) return hours == 2 || hours == 4;
  return hours == 2 && left.take(':') && left.digits().size() == 2 && left.done();
}

constexpr double kMinute = 60;
constexpr double kHour = 3600;

std::optional<double> clock(Reader& left, bool compact, bool zone) {
  const std::string_view first = left.digits();
  std::optional<int> hours;
  std::optional<int> minutes;
  double seconds = 0;
  if (compact && (first.size() == 4 || first.size() == 6)) {
    hours = whole(first.substr(0, 2));
    minutes = whole(first.substr(2, 2));
    if (first.size() == 6) seconds = *whole(first.substr(4));
  } else {
    if (first.empty() || first.size() > 2 || !left.take(':')) return {};
    hours = whole(first);
    const std::string_view second = left.digits();
    if (second.size() != 2) return {};
    minutes = whole(second);
    if (left.take(':')) {
      const std::optional<double> rest = left.decimal();
      if (!rest) return {};
      seconds = *rest;
    }
  }
  Reader behind = left;
  behind.skip(" ");
  if (behind.at_letter()) {
    Reader word = behind;
    const std::string half = word.word();
    if (half == "am" || half == "pm") {
      if (*hours < 1 || *hours > 12) return {};
      hours = *hours % 12 + (half == "pm" ? 12 : 0);
      left = word;
    }
  }
  if (*hours > 23 || *minutes > 59 || !(seconds < kMinute + 1)) return {};
  if (zone ? !is_zone(left) : !left.done()) return {};
  return *hours * kHour + *minutes * kMinute + seconds;
}

}  // namespace

std::int64_t Moment::days() const {
  // H. Hinnant, chrono-compatible low-level date algorithms: years begin in March.
  const std::int64_t y = month <= 2 ? year - 1 : year;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const std::int64_t of_era = y - era * 400;
  const std::int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

std::optional<Moment> moment_of(std::string_view text, std::string_view order) {
  Reader left(text);
  std::vector<std::string_view> numbers;
  int month = 0;
  std::size_t before_month = 0;  // numbers
  while (!left.done() && numbers.size() + (month > 0 ? 1 : 0) < 3) {
    if (left.at_digit()) {
      numbers.push_back(left.digits());
      if (numbers.size() == 1 && numbers[0].size() == 8) {
        const std::string_view all = numbers[0];
        numbers = {all.substr(0, 4), all.substr(4, 2), all.substr(6)};
        break;
      }
      Reader behind = left;
      const std::string word = behind.word();
      if (word == "st" || word == "nd" || word == "rd" || word == "th") left = behind;
    } else if (left.at_letter()) {
      const std::string word = left.word();
      if (const int found = named(kMonths, word)) {
        if (month > 0) return {};
        month = found;
        before_month = numbers.size();
      } else if (named(kSecondsOfDays, word) == 0 || !numbers.empty() || month > 0) {
        return {};
      }
    } else {
      return {};
    }
    // What stands between the parts; before a time it is looked at below.
    Reader behind = left;
    if (behind.skip(" -/.,")) {
      if (behind.done()) break;
      if (numbers.size() + (month > 0 ? 1 : 0) < 3) left = behind;
    }
  }
  std::optional<Moment> found;
  const auto size = [&](std::size_t i) { return numbers[i].size(); };
  if (month > 0 && numbers.size() == 2) {
    const bool year_first = size(0) == 4 && before_month == 1;
    const std::size_t year = year_first ? 0 : 1;
    found = checked(whole(numbers[year]), size(year), month, whole(numbers[1 - year]));
  } else if (month > 0 && numbers.size() == 1 && (before_month == 0 || size(0) == 4)) {  // else a day without a year
    found = checked(whole(numbers[0]), size(0), month, 1);
  } else if (numbers.size() == 3) {
    const bool year_first = size(0) == 4 || order == "ymd";
    const std::size_t year = year_first ? 0 : 2;
    const std::size_t at = year_first ? 1 : (order == "mdy" ? 0 : 1);
    const std::size_t day = year_first ? 2 : 1 - at;
    if (size(at) > 2 || size(day) > 2) return {};
    found = checked(whole(numbers[year]), size(year), whole(numbers[at]), whole(numbers[day]));
  } else if (numbers.size() == 2 && size(0) == 4 && size(1) == 2) {
    found = checked(whole(numbers[0]), 4, whole(numbers[1]), 1);
  }
  if (!found || left.done()) return found;
  const bool compact = left.take('T') || left.take('t');
  if (!compact && !left.skip(" ,")) return {};
  if (left.done()) return found;
  const std::optional<double> seconds = clock(left, compact, true);
  if (!seconds) return {};
  found->seconds = *seconds;
  return found;
}

std::optional<double> time_of_day(std::string_view text) {
  Reader left(text);
  return clock(left, false, false);
}

std::optional<double> duration_of(std::string_view text, std::string_view order) {
  if (const std::optional<double> seconds = cell_number(text)) return seconds;
  Reader left(text);
  const bool negative = left.take('-');
  if (!negative) left.take('+');
  if (left.peek() == 'P') left.take('P');
  double total = 0;
  bool any = false;
  while (!left.done()) {
    left.skip(" ,T");
    const std::optional<double> value = left.decimal();
    if (!value) return {};
    any = true;
    if (left.take(':')) {
      const std::string_view second = left.digits();
      if (second.size() != 2) return {};
      const double middle = *whole(second);
      if (left.take(':')) {
        const std::optional<double> third = left.decimal();
        if (!third) return {};
        total += *value * kHour + middle * kMinute + *third;
      } else if (order == "ms") {
        double seconds = middle;
        if (left.take('.')) {
          const std::string_view fraction = left.digits();
          seconds += cell_number("." + std::string(fraction)).value_or(0);
        }
        total += *value * kMinute + seconds;
      } else {
        total += *value * kHour + middle * kMinute;
      }
      if (!left.done()) return {};
      break;
    }
    left.skip(" ");
    const std::string unit = left.word();
    const auto is = [&](std::initializer_list<std::string_view> names) {
      return std::find(names.begin(), names.end(), unit) != names.end();
    };
    if (is({"w", "week", "weeks"})) {
      total += *value * 7 * kSecondsOfDay;
    } else if (is({"d", "day", "days"})) {
      total += *value * kSecondsOfDay;
    } else if (is({"h", "hr", "hrs", "hour", "hours"})) {
      total += *value * kHour;
    } else if (is({"m", "min", "mins", "minute", "minutes"})) {
      total += *value * kMinute;
    } else if (is({"s", "sec", "secs", "second", "seconds"})) {
      total += *value;
    } else {
      return {};
    }
    left.skip(" ,");
  }
  if (!any) return {};
  return negative ? -total : total;
}

}  // namespace laminar
