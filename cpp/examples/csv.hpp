// SPDX-License-Identifier: Apache-2.0
// A reader of comma-separated values for the examples beside it: a header, quoted fields, either kind
// of line end. Errors name the line.
#pragma once

#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

struct Csv {
  std::vector<std::string> names;
  std::vector<std::vector<std::string>> rows;  // as many fields each as there are names
};

inline Csv read_csv(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot open " + path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte order mark
  if (!text.empty() && text.back() != '\n') text += '\n';

  Csv csv;
  std::vector<std::string> fields(1);
  int line = 1;
  const auto fail = [&](const std::string& what) {
    throw std::runtime_error(path + ", line " + std::to_string(line) + ": " + what);
  };
  const auto finish_line = [&] {
    const bool blank = fields.size() == 1 && fields[0].empty();
    if (csv.names.empty()) {
      csv.names = fields;
    } else if (!blank && fields.size() != csv.names.size()) {
      fail(std::to_string(fields.size()) + " fields, expected " + std::to_string(csv.names.size()));
    } else if (!blank) {
      csv.rows.push_back(fields);
    }
    fields.assign(1, "");
  };

  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
      fields.back() += text[i++];  // two quotes stand for one
    } else if (c == '"' && (quoted || fields.back().empty())) {
      quoted = !quoted;
    } else if (quoted) {
      fields.back() += c;
    } else if (c == ',') {
      fields.emplace_back();
    } else if (c == '\n') {
      finish_line();
      ++line;
    } else if (c != '\r') {
      fields.back() += c;
    }
  }
  if (quoted) fail("a quoted field does not end");
  if (csv.rows.empty()) throw std::runtime_error(path + ": expected a header and rows");
  return csv;
}

/// A field as a file has it: in quotes where it needs them.
inline std::string quoted(const std::string& field) {
  if (field.find_first_of("\",\r\n") == std::string::npos) return field;
  std::string text = "\"";
  for (const char c : field) text += c == '"' ? std::string("\"\"") : std::string(1, c);
  return text + "\"";
}
