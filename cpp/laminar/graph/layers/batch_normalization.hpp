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

/// a = gamma (x - mean) / sqrt(variance + epsilon) + beta for each column, with the moments of the
/// batch while training and their running means at prediction (Ioffe & Szegedy 2015). As in Keras the
/// variance is that of the rows, divided by their number.
struct BatchNormalization {
  static constexpr const char* kKind = "batch_normalization";
  static constexpr LayerTraits kTraits{.parameters = true, .whole_batch = true};
  static constexpr int kVectors = 8;  // of one number a column, that all rows of a batch have in common

  double momentum = 0.99;  // of the running means: new = old * momentum + batch * (1 - momentum)
  double epsilon = 1e-3;
  bool center = true;  // there is a beta
  bool scale = true;   // there is a gamma
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  Initializer moving_mean_initializer = "zeros";
  Initializer moving_variance_initializer = "ones";
  std::string name = {};
  std::optional<Regularizer> beta_regularizer = {};
  std::optional<Regularizer> gamma_regularizer = {};
  std::optional<Constraint> beta_constraint = {};
  std::optional<Constraint> gamma_constraint = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("momentum", self.momentum);
    visit("epsilon", self.epsilon);
    visit("center", self.center);
    visit("scale", self.scale);
    visit("beta_initializer", self.beta_initializer);
    visit("gamma_initializer", self.gamma_initializer);
    visit("moving_mean_initializer", self.moving_mean_initializer);
    visit("moving_variance_initializer", self.moving_variance_initializer);
    visit("beta_regularizer", self.beta_regularizer);
    visit("gamma_regularizer", self.gamma_regularizer);
    visit("beta_constraint", self.beta_constraint);
    visit("gamma_constraint", self.gamma_constraint);
  }
};

void declare(const BatchNormalization& layer, Declaration& declaration);

}  // namespace laminar
