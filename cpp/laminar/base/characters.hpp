// SPDX-License-Identifier: Apache-2.0
// Characters of ASCII, whatever the locale. Internal.
#pragma once

namespace laminar {

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace laminar
