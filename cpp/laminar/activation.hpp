// SPDX-License-Identifier: Apache-2.0
// Activations by name. Formulas stand in kernels/activations.hpp, beside the list.
#pragma once

#include "laminar/choice.hpp"

namespace laminar {

const Family& activation_family();

/// `Activation("relu")`, `Activation("leaky_relu", {{"negative_slope", 0.1}})`.
struct Activation : Choice {
  Activation(const char* name) : Choice(activation_family(), name) {}
  explicit Activation(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(activation_family(), name, values) {}

  /// Works on whole rows (softmax), so it cannot be applied to one element.
  bool row_wise() const;
  /// The slope needs z as well as a.
  bool keeps_input() const;
  /// Can be trained through by gradient.
  bool has_gradient() const;
  bool is_linear() const;
};

}  // namespace laminar
