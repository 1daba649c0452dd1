// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/dense.hpp"

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Dense& dense, Declaration& declaration) {
  if (dense.units <= 0) declaration.refuse("units must be positive, got ", dense.units);
  const Index features = declaration.features();
  declaration.output({dense.units});
  declaration.tensor("kernel", {features, dense.units}, dense.kernel_initializer, dense.kernel_regularizer,
                     dense.kernel_constraint);
  if (dense.use_bias) {
    declaration.tensor("bias", {dense.units}, dense.bias_initializer, dense.bias_regularizer, dense.bias_constraint);
  }
  declaration.activity(dense.activity_regularizer);
  if (dense.activation.keeps_input()) declaration.keep(dense.units);
}

}  // namespace laminar
