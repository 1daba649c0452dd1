// SPDX-License-Identifier: Apache-2.0
// The same values in another shape: rows stay where they are, nothing is computed.
#pragma once

#include <string>

#include "laminar/base/types.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// A sample of any shape as a plain vector.
struct Flatten {
  static constexpr const char* kKind = "flatten";
  static constexpr LayerTraits kTraits{.view = true};

  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self&, const Visit&) {}
};

void declare(const Flatten& layer, Declaration& declaration);

/// A sample in another shape of as many values; one extent may be -1: what is left for it.
struct Reshape {
  static constexpr const char* kKind = "reshape";
  static constexpr LayerTraits kTraits{.view = true};

  Shape target_shape = {};
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("target_shape", self.target_shape);
  }
};

void declare(const Reshape& layer, Declaration& declaration);

}  // namespace laminar
