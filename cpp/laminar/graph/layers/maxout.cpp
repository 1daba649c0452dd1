// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/maxout.hpp"

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Maxout& layer, Declaration& declaration) {
  if (layer.units <= 0) declaration.refuse("units must be positive, got ", layer.units);
  if (layer.pieces <= 0) declaration.refuse("pieces must be positive, got ", layer.pieces);
  Index columns = 0;
  if (__builtin_mul_overflow(layer.units, layer.pieces, &columns)) {
    declaration.refuse("units * pieces is too large: ", layer.units, " * ", layer.pieces);
  }
  const Index features = declaration.features();
  declaration.output({layer.units});
  declaration.tensor("kernel", {features, columns}, layer.kernel_initializer, layer.kernel_regularizer,
                     layer.kernel_constraint);
  if (layer.use_bias)
    declaration.tensor("bias", {columns}, layer.bias_initializer, layer.bias_regularizer, layer.bias_constraint);
  declaration.keep(columns);
}

}  // namespace laminar
