// SPDX-License-Identifier: Apache-2.0
// A chosen entry of a closed set with the values of its hyper-parameters: an activation, a loss, an
// optimizer, … Names, defaults, ranges and error messages all come from the family's one list.
#pragma once

#include <array>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "laminar/family.hpp"

namespace laminar {

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

  int index() const { return index_; }
  const EntryInfo& info() const { return family_->entries[static_cast<std::size_t>(index_)]; }
  const char* name() const { return info().name; }
  const Family& family() const { return *family_; }

  /// Values in the order of info().parameters.
  const std::array<double, kMaxParameters>& values() const { return values_; }
  double value(std::string_view parameter) const { return values_[position(parameter)]; }
  void set(std::string_view parameter, double value);

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
};

}  // namespace laminar
