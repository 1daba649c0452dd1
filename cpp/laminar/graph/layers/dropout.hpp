// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "laminar/base/types.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// While training, sets each value to 0 with probability `rate` and multiplies the others by
/// 1 / (1 - rate); at prediction the identity (Srivastava et al. 2014, inverted).
struct Dropout {
  static constexpr const char* kKind = "dropout";
  static constexpr LayerTraits kTraits{.training_only = true};

  double rate = 0;                 // 0 <= rate < 1: the fraction dropped
  std::optional<Index> seed = {};  // of the draws, in place of the model's
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("rate", self.rate);
    visit("seed", self.seed);
  }
};

void declare(const Dropout& layer, Declaration& declaration);

}  // namespace laminar
