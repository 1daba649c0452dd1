// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/noise.hpp"

#include <cmath>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const AlphaDropout& layer, Declaration& declaration) {
  check_rate(layer.rate, declaration);
  declaration.keep(declaration.width());
}

void declare(const GaussianNoise& layer, Declaration& declaration) {
  if (!(layer.stddev >= 0) || !std::isfinite(layer.stddev)) {
    declaration.refuse("stddev must be finite and not negative, got ", layer.stddev);
  }
}

void declare(const GaussianDropout& layer, Declaration& declaration) {
  check_rate(layer.rate, declaration);
  declaration.keep(declaration.width());
}

}  // namespace laminar
