// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace laminar {

/// How a model for inference holds what its inputs are multiplied by, and its tables. Inputs, sums and all other
/// weights keep the model's type.
enum class Quantization : std::uint8_t {
  none,
  bfloat16,  // the nearest bfloat16: the upper half of a float, 8 bits of fraction
  int8,      // the nearest of -127 … 127 times a scale, of which each column has one, and each row of a table
};

/// "bfloat16" or "int8"; "none".
constexpr std::string_view name_of(Quantization quantization) {
  constexpr std::string_view names[] = {"none", "bfloat16", "int8"};
  return names[static_cast<int>(quantization)];
}

/// That of a name of the two that round weights.
constexpr std::optional<Quantization> quantization_of(std::string_view name) {
  for (const Quantization q : {Quantization::bfloat16, Quantization::int8}) {
    if (name_of(q) == name) return q;
  }
  return {};
}

}  // namespace laminar
