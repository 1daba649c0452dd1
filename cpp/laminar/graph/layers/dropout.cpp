// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/dropout.hpp"

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Dropout& dropout, Declaration& declaration) {
  check_rate(dropout.rate, declaration);
  declaration.keep(declaration.width());
}

}  // namespace laminar
