// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "laminar/catalogue/activation.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// An activation as a layer of its own: a = f(x).
struct Activate {
  static constexpr const char* kKind = "activation";
  static constexpr LayerTraits kTraits{};

  Activation activation = "linear";
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("activation", self.activation);
  }
};

void declare(const Activate& layer, Declaration& declaration);

}  // namespace laminar
