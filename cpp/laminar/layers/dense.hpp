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
};

}  // namespace laminar
