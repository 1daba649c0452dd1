// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "laminar/initializer.hpp"

namespace laminar {

/// Brings each sample to mean 0 and variance 1 over its last axis, then scales and shifts by learned
/// gamma and beta (Ba, Kiros & Hinton 2016); the same in training and prediction.
struct LayerNormalization {
  static constexpr const char* kKind = "layer_normalization";

  double epsilon = 1e-3;
  bool center = true;  // there is a beta
  bool scale = true;   // there is a gamma
  Initializer beta_initializer = "zeros";
  Initializer gamma_initializer = "ones";
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("epsilon", self.epsilon);
    visit("center", self.center);
    visit("scale", self.scale);
    visit("beta_initializer", self.beta_initializer);
    visit("gamma_initializer", self.gamma_initializer);
  }
};

}  // namespace laminar
