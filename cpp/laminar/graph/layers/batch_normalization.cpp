// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/batch_normalization.hpp"

#include <cmath>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const BatchNormalization& layer, Declaration& declaration) {
  if (!(layer.momentum >= 0 && layer.momentum <= 1)) {
    declaration.refuse("momentum must be at least 0 and at most 1, got ", layer.momentum);
  }
  if (!(layer.epsilon > 0 && std::isfinite(layer.epsilon))) {
    declaration.refuse("epsilon must be greater than 0, got ", layer.epsilon);
  }
  const Index width = declaration.features();
  if (layer.scale)
    declaration.tensor("gamma", {width}, layer.gamma_initializer, layer.gamma_regularizer, layer.gamma_constraint);
  if (layer.center)
    declaration.tensor("beta", {width}, layer.beta_initializer, layer.beta_regularizer, layer.beta_constraint);
  declaration.tensor("moving_mean", {width}, layer.moving_mean_initializer, false);
  declaration.tensor("moving_variance", {width}, layer.moving_variance_initializer, false);
  for (Index i = 0; i < BatchNormalization::kVectors; ++i) declaration.share(width);
}

}  // namespace laminar
