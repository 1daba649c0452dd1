// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/activate.hpp"

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Activate& layer, Declaration& declaration) {
  if (layer.activation.row_wise()) declaration.features();
}

}  // namespace laminar
