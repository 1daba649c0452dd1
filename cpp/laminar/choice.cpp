// SPDX-License-Identifier: Apache-2.0
#include "laminar/choice.hpp"

#include <cmath>

#include "laminar/error.hpp"

namespace laminar {
namespace {

bool is_alias(std::string_view aliases, std::string_view name) {
  while (!aliases.empty()) {
    const std::size_t end = std::min(aliases.find(' '), aliases.size());
    if (aliases.substr(0, end) == name) return true;
    aliases.remove_prefix(std::min(end + 1, aliases.size()));
  }
  return false;
}

const char* broken_rule(Range range, double value) {
  if (!std::isfinite(value)) return "must be finite";
  switch (range) {
    case Range::any:
      return nullptr;
    case Range::non_negative:
      return value >= 0 ? nullptr : "must not be negative";
    case Range::positive:
      return value > 0 ? nullptr : "must be greater than 0";
    case Range::fraction:
      return value >= 0 && value < 1 ? nullptr : "must be at least 0 and less than 1";
    case Range::flag:
      return value == 0 || value == 1 ? nullptr : "must be true or false";
  }
  return nullptr;
}

}  // namespace

int Family::find(std::string_view name) const {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (name == entries[i].name || is_alias(entries[i].aliases, name)) return static_cast<int>(i);
    known.emplace_back(entries[i].name);
  }
  fail(unknown_name(title, name, known));
}

Choice::Choice(const Family& family, std::string_view name, std::initializer_list<NamedValue> values)
    : family_(&family), index_(family.find(name)) {
  for (int i = 0; i < info().count(); ++i) values_[static_cast<std::size_t>(i)] = info().parameters[i].value;
  for (const auto& [parameter, value] : values) set(parameter, value);
}

void Choice::set(std::string_view parameter, double value) {
  const std::size_t i = position(parameter);
  if (const char* rule = broken_rule(info().parameters[i].range, value)) {
    fail(family_->title, " '", name(), "': ", parameter, " ", rule, ", got ", value);
  }
  values_[i] = value;
}

std::size_t Choice::position(std::string_view parameter) const {
  std::vector<std::string> known;
  for (int i = 0; i < info().count(); ++i) {
    if (parameter == info().parameters[i].name) return static_cast<std::size_t>(i);
    known.emplace_back(info().parameters[i].name);
  }
  fail(family_->title, " '", name(), "': ", unknown_name("argument", parameter, known));
}

}  // namespace laminar
