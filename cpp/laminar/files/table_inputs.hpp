// SPDX-License-Identifier: Apache-2.0
// What a cell becomes once it is known what it says, for rows of texts and for columns alike.
#pragma once

#include <cmath>
#include <limits>

#include "laminar/files/table.hpp"

namespace laminar {

/// Numbers of tables are smaller than this: models of either precision take them.
inline constexpr float kLargestCell = std::numeric_limits<float>::max();

/// Fills the inputs of a number, NaN where there is none and the mean stands in. False where it is too large.
template <typename T, typename Value>
bool put_number(T mean, bool indicator, Value value, T* inputs) {
  const bool missing = std::isnan(value);
  inputs[0] = missing ? mean : static_cast<T>(value);
  if (indicator) inputs[1] = missing ? T(1) : T(0);
  return !(std::abs(value) >= static_cast<Value>(kLargestCell));
}

template <typename T, typename Value>
bool put_number(const TableColumn& of, Value value, T* inputs) {
  return put_number(static_cast<T>(of.mean), of.indicator, value, inputs);
}

/// Sets the input of a category, negative where it is none of the column's; all others are 0 already.
template <typename T>
void put_category(const TableColumn& of, Index category, T* inputs) {
  if (category >= 0) {
    inputs[category] = 1;
  } else if (of.indicator) {
    inputs[of.categories.size()] = 1;
  }
}

}  // namespace laminar
