// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/error.hpp"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace laminar {
namespace {

/// Edits (insert, delete, replace) that turn one word into the other, letter case aside.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (lower(a[i - 1]) == lower(b[j - 1]) ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  return text + (shape.size() == 1 ? ",)" : ")");
}

void check_elements(const char* kind, const char* name, const char* argument, std::size_t elements,
                    const Shape& shape) {
  Index wanted = 1;
  for (const Index extent : shape) wanted *= extent;
  if (wanted == static_cast<Index>(elements)) return;
  fail(kind, " '", name, "': ", argument, " must have ", wanted, " elements for shape ", to_string(shape), ", got ",
       elements);
}

std::string unknown_name(std::string_view kind, std::string_view name, const std::vector<std::string>& known) {
  constexpr std::size_t kLongest = 100;  // of a name that can be a slip: comparing takes name times known
  const auto nearest =
      name.size() > kLongest
          ? known.end()
          : std::min_element(known.begin(), known.end(), [&](const std::string& a, const std::string& b) {
              return edit_distance(name, a) < edit_distance(name, b);
            });
  std::ostringstream message;
  message << "unknown " << kind << " '" << name << "'";
  if (nearest != known.end() && edit_distance(name, *nearest) <= std::max<std::size_t>(2, nearest->size() / 2)) {
    message << "; did you mean '" << *nearest << "'?";
  }
  message << " (known: " << join(known) << ")";
  return message.str();
}

}  // namespace laminar
