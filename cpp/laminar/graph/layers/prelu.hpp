// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// a = x if x >= 0 else alpha x, with a learned alpha for each value of a sample (He et al. 2015).
struct Prelu {
  static constexpr const char* kKind = "prelu";
  static constexpr LayerTraits kTraits{.parameters = true};

  Initializer alpha_initializer = "zeros";
  std::string name = {};
  std::optional<Regularizer> alpha_regularizer = {};
  std::optional<Constraint> alpha_constraint = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("alpha_initializer", self.alpha_initializer);
    visit("alpha_regularizer", self.alpha_regularizer);
    visit("alpha_constraint", self.alpha_constraint);
  }
};

void declare(const Prelu& layer, Declaration& declaration);

}  // namespace laminar
