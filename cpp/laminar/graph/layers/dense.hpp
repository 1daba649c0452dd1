// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// A fully connected layer: a = f(x W + b), x (n, in), W (in, units), b (units).
struct Dense {
  static constexpr const char* kKind = "dense";
  static constexpr LayerTraits kTraits{.parameters = true, .kernel = true};

  Index units = 0;  // at least 1
  Activation activation = "linear";
  bool use_bias = true;  // there is a b
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};
  std::optional<Regularizer> kernel_regularizer = {};
  std::optional<Regularizer> bias_regularizer = {};
  std::optional<Regularizer> activity_regularizer = {};  // of a, its mean over the rows
  std::optional<Constraint> kernel_constraint = {};
  std::optional<Constraint> bias_constraint = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("units", self.units);
    visit("activation", self.activation);
    visit("use_bias", self.use_bias);
    visit("kernel_initializer", self.kernel_initializer);
    visit("bias_initializer", self.bias_initializer);
    visit("kernel_regularizer", self.kernel_regularizer);
    visit("bias_regularizer", self.bias_regularizer);
    visit("activity_regularizer", self.activity_regularizer);
    visit("kernel_constraint", self.kernel_constraint);
    visit("bias_constraint", self.bias_constraint);
  }
};

void declare(const Dense& layer, Declaration& declaration);

}  // namespace laminar
