// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace laminar {

/// While training, sets each value to 0 with probability `rate` and multiplies the others by
/// 1 / (1 - rate); at prediction the identity (Srivastava et al. 2014, inverted).
struct Dropout {
  static constexpr const char* kKind = "dropout";
  static constexpr bool kTrainingOnly = true;

  double rate = 0;  // 0 <= rate < 1: the fraction dropped
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("rate", self.rate);
  }
};

}  // namespace laminar
