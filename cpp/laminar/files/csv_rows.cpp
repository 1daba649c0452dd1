// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/csv_rows.hpp"

#include <algorithm>

namespace laminar {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

/// The quote that opens a cell next, from a place outside of quotes on.
std::size_t opening(std::string_view text, std::size_t from, char delimiter) {
  for (std::size_t quote = text.find('"', from); quote != kNone; quote = text.find('"', quote + 1)) {
    if (quote == 0) return quote;
    const char before = text[quote - 1];
    if (before == delimiter || before == '\n' || before == '\r') return quote;
  }
  return kNone;
}

/// The quote that closes the cell that another one has opened.
std::size_t closing(std::string_view text, std::size_t opened) {
  std::size_t quote = text.find('"', opened + 1);
  while (quote != kNone && quote + 1 < text.size() && text[quote + 1] == '"') quote = text.find('"', quote + 2);
  return quote;
}

}  // namespace

std::size_t end_of_csv_rows(std::string_view text, char delimiter) {
  // The last stretch outside of quotes that has such a line end; what finds the first in it is faster than what
  // finds the last.
  struct Stretch {
    std::size_t first = 0;
    std::size_t end = 0;
  };
  Stretch newline;
  Stretch carriage_return;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t quote = opening(text, from, delimiter);
    const Stretch stretch{from, std::min(quote, text.size())};
    const std::string_view outside = text.substr(from, stretch.end - from);
    if (outside.find('\n') != kNone) {
      newline = stretch;
    } else if (newline.end == 0 && outside.find('\r') != kNone) {
      carriage_return = stretch;
    }
    if (quote == kNone) break;
    const std::size_t closed = closing(text, quote);
    if (closed == kNone) break;
    from = closed + 1;
  }
  const Stretch last = newline.end > 0 ? newline : carriage_return;
  const std::size_t end = text.substr(0, last.end).rfind(newline.end > 0 ? '\n' : '\r');
  return end == kNone ? 0 : end + 1;
}

}  // namespace laminar
