// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// a_u = max_j (x w_ju + b_ju) over some linear pieces (Goodfellow et al. 2013). The kernel is
/// (in, pieces * units) and the bias (pieces * units): all units of piece 0, then those of piece 1, …
struct Maxout {
  static constexpr const char* kKind = "maxout";
  static constexpr LayerTraits kTraits{.parameters = true, .kernel = true};

  Index units = 0;   // at least 1
  Index pieces = 2;  // of each unit, at least 1
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};
  std::optional<Regularizer> kernel_regularizer = {};
  std::optional<Regularizer> bias_regularizer = {};
  std::optional<Constraint> kernel_constraint = {};
  std::optional<Constraint> bias_constraint = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("units", self.units);
    visit("pieces", self.pieces);
    visit("use_bias", self.use_bias);
    visit("kernel_initializer", self.kernel_initializer);
    visit("bias_initializer", self.bias_initializer);
    visit("kernel_regularizer", self.kernel_regularizer);
    visit("bias_regularizer", self.bias_regularizer);
    visit("kernel_constraint", self.kernel_constraint);
    visit("bias_constraint", self.bias_constraint);
  }
};

void declare(const Maxout& layer, Declaration& declaration);

}  // namespace laminar
