// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/layer_normalization.hpp"

#include <cmath>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const LayerNormalization& layer, Declaration& declaration) {
  if (!(layer.epsilon > 0) || !std::isfinite(layer.epsilon)) {
    declaration.refuse("epsilon must be finite and greater than 0, got ", layer.epsilon);
  }
  const Index columns = declaration.input().back();
  if (layer.scale)
    declaration.tensor("gamma", {columns}, layer.gamma_initializer, layer.gamma_regularizer, layer.gamma_constraint);
  if (layer.center)
    declaration.tensor("beta", {columns}, layer.beta_initializer, layer.beta_regularizer, layer.beta_constraint);
  declaration.keep(declaration.width() + declaration.width() / columns);
}

}  // namespace laminar
