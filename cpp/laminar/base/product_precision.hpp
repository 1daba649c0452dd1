// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace laminar {

/// What the operands of a network's products are rounded to. Weights, sums and everything that is not a
/// product keep the model's type.
enum class ProductPrecision : std::uint8_t {
  full,      // not rounded
  bfloat16,  // the upper half of a float: 8 bits of fraction; for models of floats
};

}  // namespace laminar
