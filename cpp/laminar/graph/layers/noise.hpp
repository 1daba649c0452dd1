// SPDX-License-Identifier: Apache-2.0
// Layers that, like dropout, disturb their input while training and are the identity at prediction.
#pragma once

#include <optional>
#include <string>

#include "laminar/base/types.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// Dropout for selu networks: a dropped value becomes selu's lower limit, and what results is scaled
/// and shifted so that mean 0 and variance 1 stay (Klambauer et al. 2017).
struct AlphaDropout {
  static constexpr const char* kKind = "alpha_dropout";
  static constexpr LayerTraits kTraits{.training_only = true};

  double rate = 0;  // 0 <= rate < 1: the fraction dropped
  std::optional<Index> seed = {};
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("rate", self.rate);
    visit("seed", self.seed);
  }
};

void declare(const AlphaDropout& layer, Declaration& declaration);

/// While training, adds to each value a normal draw of mean 0.
struct GaussianNoise {
  static constexpr const char* kKind = "gaussian_noise";
  static constexpr LayerTraits kTraits{.training_only = true};

  double stddev = 0;  // of the draws, not negative
  std::optional<Index> seed = {};
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("stddev", self.stddev);
    visit("seed", self.seed);
  }
};

void declare(const GaussianNoise& layer, Declaration& declaration);

/// While training, multiplies each value by a normal draw of mean 1 and standard deviation
/// sqrt(rate / (1 - rate)): that of dropout's mask (Srivastava et al. 2014, section 10).
struct GaussianDropout {
  static constexpr const char* kKind = "gaussian_dropout";
  static constexpr LayerTraits kTraits{.training_only = true};

  double rate = 0;  // 0 <= rate < 1
  std::optional<Index> seed = {};
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("rate", self.rate);
    visit("seed", self.seed);
  }
};

void declare(const GaussianDropout& layer, Declaration& declaration);

}  // namespace laminar
