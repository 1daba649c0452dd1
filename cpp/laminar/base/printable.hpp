// SPDX-License-Identifier: Apache-2.0
// Texts of files as a terminal may have them: what would move its cursor, change its colours or turn
// the direction of writing is shown as an escape, not obeyed.
#pragma once

#include <string>
#include <string_view>

namespace laminar {

/// The text with control characters, marks of direction and bytes that are not UTF-8 spelt out, as
/// Python spells them: "\\x1b[31m", "\\u202e". What is shown so is shown unchanged when it comes again.
std::string printable(std::string_view text);

}  // namespace laminar
