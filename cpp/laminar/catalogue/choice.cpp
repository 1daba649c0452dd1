// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/choice.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

const char* broken_rule(const ParameterInfo& parameter, double value) {
  if (parameter.optional() && std::isnan(value)) return nullptr;
  if (!std::isfinite(value)) return "must be finite";
  // From 2^53 on a double no longer tells neighbours apart.
  const bool whole = std::floor(value) == value && std::abs(value) < 0x1p53;
  switch (parameter.range) {
    case Range::any:
      return nullptr;
    case Range::non_negative:
      return value >= 0 ? nullptr : "must not be negative";
    case Range::positive:
      return value > 0 ? nullptr : "must be greater than 0";
    case Range::fraction:
      return value >= 0 && value < 1 ? nullptr : "must be at least 0 and less than 1";
    case Range::share:
      return value >= 0 && value <= 1 ? nullptr : "must be at least 0 and at most 1";
    case Range::whole:
      return whole && value >= 0 ? nullptr : "must be an integer of at least 0 and less than 2^53";
    case Range::count:
      return whole && value >= 1 ? nullptr : "must be an integer of at least 1 and less than 2^53";
    case Range::integer:
      return whole ? nullptr : "must be an integer of less than 2^53";
    case Range::flag:
      return value == 0 || value == 1 ? nullptr : "must be true or false";
    case Range::word:
      return whole && value >= 0 && value < static_cast<double>(words_of(parameter.words).size())
                 ? nullptr
                 : "must be the number of one of its words";
    case Range::numbers:
      return "must be a list of numbers";
  }
  return nullptr;
}

}  // namespace

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    words.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

int Family::find(std::string_view name) const {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (name == entries[i].name) return static_cast<int>(i);
    for (const std::string_view alias : words_of(entries[i].aliases)) {
      if (name == alias) return static_cast<int>(i);
    }
    known.emplace_back(entries[i].name);
  }
  fail(unknown_name(title, name, known));
}

Choice::Choice(const Family& family, std::string_view name, std::initializer_list<NamedValue> values)
    : family_(&family), index_(family.find(name)) {
  for (int i = 0; i < info().count(); ++i) values_[static_cast<std::size_t>(i)] = info().parameters[i].value;
  for (const auto& [parameter, value] : values) set(parameter, value);
}

bool Choice::takes(std::string_view parameter) const {
  for (int i = 0; i < info().count(); ++i) {
    if (parameter == info().parameters[i].name) return true;
  }
  return false;
}

void Choice::set(std::string_view parameter, double value) {
  const std::size_t i = position(parameter);
  if (const char* rule = broken_rule(info().parameters[i], value)) {
    fail(family_->title, " '", name(), "': ", parameter, " ", rule, ", got ", value);
  }
  values_[i] = value;
}

std::string_view Choice::word(std::string_view parameter) const {
  const std::size_t i = position(parameter);
  return words_of(info().parameters[i].words).at(static_cast<std::size_t>(values_[i]));
}

void Choice::set_word(std::string_view parameter, std::string_view word) {
  const std::size_t i = position(parameter);
  std::vector<std::string> known;
  for (const std::string_view other : words_of(info().parameters[i].words)) {
    if (word == other) {
      values_[i] = static_cast<double>(known.size());
      return;
    }
    known.emplace_back(other);
  }
  fail(family_->title, " '", name(), "': ", unknown_name(info().parameters[i].name, word, known));
}

std::span<const double> Choice::list(std::string_view parameter) const {
  const std::size_t i = position(parameter);
  return i < lists_.size() ? std::span<const double>(lists_[i]) : std::span<const double>();
}

void Choice::set_list(std::string_view parameter, std::vector<double> values) {
  const std::size_t i = position(parameter);
  if (info().parameters[i].range != Range::numbers) {
    fail(family_->title, " '", name(), "': ", parameter, " must be a single value, got a list");
  }
  for (const double value : values) {
    if (!std::isfinite(value)) fail(family_->title, " '", name(), "': ", parameter, " must be finite, got ", value);
  }
  lists_.resize(static_cast<std::size_t>(info().count()));
  lists_[i] = std::move(values);
}

std::size_t Choice::position(std::string_view parameter) const {
  for (int i = 0; i < info().count(); ++i) {
    if (parameter == info().parameters[i].name) return static_cast<std::size_t>(i);
  }
  std::vector<std::string> known;  // only now: every step of a training asks for parameters by name
  for (int i = 0; i < info().count(); ++i) known.emplace_back(info().parameters[i].name);
  fail(family_->title, " '", name(), "': ", unknown_name("argument", parameter, known));
}

}  // namespace laminar
