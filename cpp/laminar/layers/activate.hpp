// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "laminar/activation.hpp"

namespace laminar {

/// An activation as a layer of its own: a = f(x).
struct Activate {
  static constexpr const char* kKind = "activation";

  Activation activation = "linear";
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("activation", self.activation);
  }
};

}  // namespace laminar
