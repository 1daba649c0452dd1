// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "laminar/activation.hpp"
#include "laminar/initializer.hpp"
#include "laminar/types.hpp"

namespace laminar {

/// A fully connected layer: a = f(x W + b), x (n, in), W (in, units), b (units).
struct Dense {
  static constexpr const char* kKind = "dense";

  Index units = 0;
  Activation activation = "linear";
  bool use_bias = true;
  Initializer kernel_initializer = "glorot_uniform";
  Initializer bias_initializer = "zeros";
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("units", self.units);
    visit("activation", self.activation);
    visit("use_bias", self.use_bias);
    visit("kernel_initializer", self.kernel_initializer);
    visit("bias_initializer", self.bias_initializer);
  }
};

}  // namespace laminar
