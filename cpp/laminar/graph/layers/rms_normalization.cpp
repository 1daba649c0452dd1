// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/rms_normalization.hpp"

#include <cmath>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const RmsNormalization& layer, Declaration& declaration) {
  if (!(layer.epsilon > 0) || !std::isfinite(layer.epsilon)) {
    declaration.refuse("epsilon must be finite and greater than 0, got ", layer.epsilon);
  }
  const Index columns = declaration.input().back();
  declaration.tensor("scale", {columns}, "ones");
  declaration.keep(declaration.width() + declaration.width() / columns);
}

}  // namespace laminar
