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

/// Brings each sample to mean 0 and variance 1 over its last axis, then scales and shifts by learned
/// gamma and beta (Ba, Kiros & Hinton 2016); the same in training and prediction.
struct LayerNormalization {
  static constexpr const char* kKind = "layer_normalization";
  static constexpr LayerTraits kTraits{.parameters = true};

  double epsilon = 1e-3;
  bool center = true;  // there is a beta
  bool scale = true;   // there is a gamma
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  std::string name = {};
  std::optional<Regularizer> beta_regularizer = {};
  std::optional<Regularizer> gamma_regularizer = {};
  std::optional<Constraint> beta_constraint = {};
  std::optional<Constraint> gamma_constraint = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("epsilon", self.epsilon);
    visit("center", self.center);
    visit("scale", self.scale);
    visit("beta_initializer", self.beta_initializer);
    visit("gamma_initializer", self.gamma_initializer);
    visit("beta_regularizer", self.beta_regularizer);
    visit("gamma_regularizer", self.gamma_regularizer);
    visit("beta_constraint", self.beta_constraint);
    visit("gamma_constraint", self.gamma_constraint);
  }
};

void declare(const LayerNormalization& layer, Declaration& declaration);

}  // namespace laminar
