// SPDX-License-Identifier: Apache-2.0
// What the text of a cell says, wherever it came from: nothing, or a number. Python's _tables/cells.py
// says the same of columns. Nothing here depends on the locale.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace laminar {

/// The text without Unicode's white space around it.
std::string_view trimmed(std::string_view text);

/// Whether a trimmed cell has no value: it is empty, "?", "na", "n/a", "nan", "null", "none" or among the
/// others, whatever the case of the letters A to Z.
bool is_missing_cell(std::string_view cell, std::span<const std::string> others = {});

/// The number that a trimmed cell is, correctly rounded, infinite where it is too large:
///   [+-] (digits [. [digits]] | . digits) [(e|E) [+-] digits]
/// 1 for "true" and 0 for "false", whatever the case of their letters, since these are what booleans are as
/// numbers. Nothing for other texts, "nan" and "inf" among them.
std::optional<double> cell_number(std::string_view cell);

/// Whether a text is UTF-8.
bool is_utf8(std::string_view text);

}  // namespace laminar
