// SPDX-License-Identifier: Apache-2.0
// A chosen entry of a closed set with the values of its hyper-parameters: an activation, a loss, an
// optimizer, … Names, defaults, ranges and error messages all come from the family's one list.
#pragma once

#include <array>
#include <cmath>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "laminar/base/family.hpp"

namespace laminar {

/// The words of a text that separates them by single spaces.
std::vector<std::string_view> words_of(std::string_view text);

/// A closed set: what its members are called together, and the members.
struct Family {
  const char* title;
  std::span<const EntryInfo> entries;

  /// Position of the entry with this name or alias; throws std::invalid_argument naming the nearest.
  int find(std::string_view name) const;
};

/// A hyper-parameter by name.
using NamedValue = std::pair<std::string_view, double>;

/// An entry and its values. Throws std::invalid_argument for unknown names and bad values.
class Choice {
 public:
  Choice(const Family& family, std::string_view name, std::initializer_list<NamedValue> values = {});

  /// The entry's position in its family, what is said of it there, its name, and the family.
  int index() const { return index_; }
  const EntryInfo& info() const { return family_->entries[static_cast<std::size_t>(index_)]; }
  const char* name() const { return info().name; }
  const Family& family() const { return *family_; }

  /// Values in the order of info().parameters.
  const std::array<double, kMaxParameters>& values() const { return values_; }
  /// One of them by name; NaN for an optional one that was left out.
  double value(std::string_view parameter) const { return values_[position(parameter)]; }
  /// Whether the entry has a hyper-parameter of this name.
  bool takes(std::string_view parameter) const;
  /// False where an optional value was left out.
  bool has(std::string_view parameter) const { return !std::isnan(value(parameter)); }
  /// Throws std::invalid_argument for an unknown name, and for a value out of its range.
  void set(std::string_view parameter, double value);
  /// A hyper-parameter of Range::word: its word, and setting it by one.
  std::string_view word(std::string_view parameter) const;
  void set_word(std::string_view parameter, std::string_view word);
  /// A hyper-parameter of Range::numbers; empty unless it was set.
  std::span<const double> list(std::string_view parameter) const;
  void set_list(std::string_view parameter, std::vector<double> values);

  /// The values as the kernels take them.
  template <typename T>
  std::array<T, kMaxParameters> values_as() const {
    std::array<T, kMaxParameters> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(values_[i]);
    return out;
  }

 private:
  std::size_t position(std::string_view parameter) const;

  const Family* family_;
  int index_;
  std::array<double, kMaxParameters> values_{};
  std::vector<std::vector<double>> lists_;  // by position, empty where there is none
};

}  // namespace laminar
