// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "laminar/initializer.hpp"

namespace laminar {

/// a = x if x >= 0 else alpha x, with a learned alpha for each value of a sample (He et al. 2015).
struct Prelu {
  static constexpr const char* kKind = "prelu";

  Initializer alpha_initializer = "zeros";
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("alpha_initializer", self.alpha_initializer);
  }
};

}  // namespace laminar
