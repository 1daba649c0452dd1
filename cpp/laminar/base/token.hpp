// SPDX-License-Identifier: Apache-2.0
// Whole numbers that stand among values and choose something.
#pragma once

#include "laminar/base/types.hpp"

namespace laminar {

/// The token, from 0 to tokens - 1, that a value is; -1 where it is none, as NaN.
template <typename T>
Index token_of(T value, Index tokens) {
  if (!(value >= 0 && value < static_cast<T>(tokens))) return -1;
  const auto token = static_cast<Index>(value);
  return static_cast<T>(token) == value ? token : -1;
}

}  // namespace laminar
