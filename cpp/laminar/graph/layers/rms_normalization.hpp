// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// Divides each sample by the root of the mean of its squares over its last axis, then multiplies by a learned
/// scale (Zhang & Sennrich 2019, arXiv:1910.07467); the same in training and prediction.
struct RmsNormalization {
  static constexpr const char* kKind = "rms_normalization";
  static constexpr LayerTraits kTraits{.parameters = true};

  double epsilon = 1e-6;
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("epsilon", self.epsilon);
  }
};

void declare(const RmsNormalization& layer, Declaration& declaration);

}  // namespace laminar
