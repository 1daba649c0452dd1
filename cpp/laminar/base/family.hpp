// SPDX-License-Identifier: Apache-2.0
// What one entry of a closed set (an activation, a loss, an optimizer, …) says about itself.
// Plain aggregates: the kernel files, which may hold no std template, use them too.
#pragma once

namespace laminar {

/// Values that a hyper-parameter may take.
enum class Range {
  any,           // finite
  non_negative,  // finite, >= 0
  positive,      // finite, > 0
  fraction,      // 0 <= value < 1
  share,         // 0 <= value <= 1
  whole,         // an integer >= 0
  count,         // an integer >= 1
  integer,       // an integer of either sign
  flag,          // 0 or 1, written as a boolean
  word,          // the position of one of `words`, written as that word
  numbers,       // a list of finite numbers
};

/// The default of a hyper-parameter that may be left out (None in Python, null in JSON).
inline constexpr double kAbsent = __builtin_nan("");

/// A named hyper-parameter with its default.
struct ParameterInfo {
  const char* name = nullptr;
  double value = 0;  // the default
  Range range = Range::any;
  const char* words = "";  // of Range::word, separated by single spaces

  /// Whether it may be left out.
  constexpr bool optional() const { return value != value; }
};

/// Most hyper-parameters that an entry has.
inline constexpr int kMaxParameters = 16;

/// One entry of a family: its name, its other names and its hyper-parameters.
struct EntryInfo {
  const char* name = nullptr;
  const char* aliases = "";  // separated by single spaces
  ParameterInfo parameters[kMaxParameters] = {};

  /// The number of hyper-parameters.
  constexpr int count() const {
    int n = 0;
    while (n < kMaxParameters && parameters[n].name != nullptr) ++n;
    return n;
  }
};

}  // namespace laminar
