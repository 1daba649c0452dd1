// SPDX-License-Identifier: Apache-2.0
// Dates, times of day and durations as people write them. Zones are read and left out: what a clock showed
// is what counts. Internal.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace laminar {

inline constexpr double kSecondsOfDay = 86400;

/// A date, with a time of day where one was written.
struct Moment {
  int year = 1970;
  int month = 1;
  int day = 1;
  double seconds = 0;  // since midnight

  /// Days since 1970-01-01.
  std::int64_t days() const;
};

/// Of a text such as "2024-01-31", "31.1.2024 14:05", "1/31/24 2:05 PM", "31 Jan 2024", "Jan 2024",
/// "20240131T140500"; for `order` see CellForm.
std::optional<Moment> moment_of(std::string_view text, std::string_view order);

/// Seconds since midnight of a text such as "14:05", "2:05:30.5 pm".
std::optional<double> time_of_day(std::string_view text);

/// Seconds of a text such as "1:02:03", "2 days 03:00:00", "1h 30m", "90 min", "PT1H30M", "75" (seconds).
std::optional<double> duration_of(std::string_view text, std::string_view order);

}  // namespace laminar
