// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/prelu.hpp"

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Prelu& layer, Declaration& declaration) {
  declaration.tensor("alpha", declaration.input(), layer.alpha_initializer, layer.alpha_regularizer,
                     layer.alpha_constraint);
}

}  // namespace laminar
