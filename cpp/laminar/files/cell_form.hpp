// SPDX-License-Identifier: Apache-2.0
// How the cells of a column are numbers that are not written as plain ones: amounts ("$1,234.50", "52 %",
// "1.234,5"), dates, times of day, durations. Which form a column has is decided when a model is trained
// and kept in its file. Every route, Python's columns among them, asks here what a cell says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// The form of one column.
struct CellForm {
  enum class Kind { plain, amount, date, time, duration };

  Kind kind = Kind::plain;
  // Of amounts: the mark before the fraction, '.' or ','; the other one, spaces, apostrophes and underscores
  // may stand between groups of digits. What may stand before and after the digits. Whether K, M, B and T
  // behind them are thousands, millions and so on.
  std::string decimal = ".";
  std::string prefix = {};
  std::string suffix = {};
  bool scaled = false;
  // Of dates: what three numbers are where none has four digits and no name of a month is among them,
  // "ymd", "dmy" or "mdy". Of durations: what two numbers with a colon are, "hm" or "ms".
  std::string order = {};
  // Of dates and times: which number of it, one of form_parts(); "days" are counted from so many days after
  // 1970-01-01 as `origin` says.
  std::string part = {};
  double origin = 0;
  // Cells of this column that mean that there is no value, besides those of the table.
  std::vector<std::string> missing = {};

  bool operator==(const CellForm&) const = default;
  /// Whether a trimmed cell is one of `missing`.
  bool is_missing(std::string_view cell) const;
  /// What a trimmed cell says, infinite where it is too large; nothing where it is not of this form.
  /// A duration is in seconds.
  std::optional<double> number(std::string_view cell) const;
};

/// What parts dates have, or times of day.
const std::vector<std::string>& form_parts(CellForm::Kind kind);

/// Reads what to_json writes; throws std::invalid_argument otherwise.
CellForm form_from_json(std::string_view text);
std::string to_json(const CellForm& form);

/// Throws std::invalid_argument where the parts do not fit together.
void check_form(const CellForm& form);

}  // namespace laminar
