// SPDX-License-Identifier: Apache-2.0
// Where rows of CSV end. What cells say is somebody else's.
#pragma once

#include <cstddef>
#include <string_view>

namespace laminar {

/// Where the last row ends that a text holds as a whole, which begins with one; 0 where it holds none. A
/// quote opens a cell where it is the first character of it, and any other is a character as well; within
/// quotes two of them are one, and line ends part of the cell. Rows end with "\n", with "\r" alone where
/// there is none.
std::size_t end_of_csv_rows(std::string_view text, char delimiter);

}  // namespace laminar
