// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/json_members.hpp"

#include <algorithm>
#include <limits>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

constexpr int kDeepest = 64;  // nesting of any text; deeper text is refused unread

template <typename Fits>
bool is_list_of(const Json& value, const Fits& fits) {
  return value.is_array() && std::all_of(value.begin(), value.end(), fits);
}

// Depth is looked at beforehand: a parser that asks back at every bracket looks through the whole list
// around it each time.
void check_depth(std::string_view text, std::string_view owner) {
  int depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      in_string = c != '"';
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kDeepest) fail(owner, ": nested deeper than ", kDeepest, " levels");
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
}

}  // namespace

Json parse_json(std::string_view text, std::string_view owner) {
  check_depth(text, owner);
  try {
    return Json::parse(text);
  } catch (const Json::exception& e) {
    fail(owner, ": not JSON: ", e.what());
  }
}

Members::Members(const Json& json, std::string owner) : json_(json), owner_(std::move(owner)) {
  if (!json.is_object()) fail(owner_, ": expected an object, got ", json.type_name());
}

const Json* Members::find(const char* key) {
  if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
  const auto at = json_.find(key);
  return at == json_.end() || at->is_null() ? nullptr : &*at;
}

const Json& Members::require(const char* key) {
  const Json* value = find(key);
  if (value == nullptr) fail(owner_, ": '", key, "' is missing");
  return *value;
}

std::string Members::text(const char* key) {
  const Json& value = require(key);
  if (!value.is_string()) fail(owner_, ": '", key, "' must be a string, got ", value.dump());
  return value.get<std::string>();
}

Shape Members::shape(const char* key) {
  const Json& value = require(key);
  if (!value.is_array()) fail(owner_, ": '", key, "' must be a list of integers, got ", value.dump());
  Shape shape;
  for (const Json& extent : value) shape.push_back(integer(extent, key));
  return shape;
}

std::vector<double> Members::numbers(const char* key) {
  const Json& value = require(key);
  if (!is_list_of(value, [](const Json& element) { return element.is_number(); })) {
    fail(owner_, ": '", key, "' must be a list of numbers, got ", value.dump());
  }
  return value.get<std::vector<double>>();
}

std::vector<std::string> Members::texts(const char* key) {
  const Json& value = require(key);
  if (!is_list_of(value, [](const Json& element) { return element.is_string(); })) {
    fail(owner_, ": '", key, "' must be a list of strings, got ", value.dump());
  }
  return value.get<std::vector<std::string>>();
}

void Members::read(const char* key, std::string& out) {
  if (find(key) != nullptr) out = text(key);
}

void Members::read(const char* key, double& out) {
  const Json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_number()) fail(owner_, ": '", key, "' must be a number, got ", value->dump());
  out = value->get<double>();
}

void Members::read(const char* key, bool& out) {
  const Json* value = find(key);
  if (value == nullptr) return;
  if (!value->is_boolean()) fail(owner_, ": '", key, "' must be true or false, got ", value->dump());
  out = value->get<bool>();
}

void Members::read(const char* key, Index& out) {
  if (const Json* value = find(key)) out = integer(*value, key);
}

void Members::read(const char* key, std::optional<Index>& out) {
  if (const Json* value = find(key)) out = integer(*value, key);
}

void Members::read(const char* key, Shape& out) {
  if (find(key) != nullptr) out = shape(key);
}

void Members::read(const char* key, std::vector<double>& out) {
  if (find(key) != nullptr) out = numbers(key);
}

void Members::finish() const {
  for (const auto& [key, value] : json_.items()) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
      fail(owner_, ": ", unknown_name("argument", key, known_));
    }
  }
}

Index Members::integer(const Json& value, const char* key) const {
  const bool fits = value.is_number_unsigned()
                        ? value.get<std::uint64_t>() <= std::uint64_t{std::numeric_limits<Index>::max()}
                        : value.is_number_integer();
  if (!fits) fail(owner_, ": '", key, "' must be an integer, got ", value.dump());
  return value.get<Index>();
}

}  // namespace laminar
