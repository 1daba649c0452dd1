// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/shape.hpp"

#include <algorithm>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {

void declare(const Flatten&, Declaration& declaration) { declaration.output({declaration.width()}); }

void declare(const Reshape& layer, Declaration& declaration) {
  Shape shape = layer.target_shape;
  const auto free = std::find(shape.begin(), shape.end(), Index{-1});
  const auto refuse = [&](const char* expected) {
    declaration.refuse("target_shape must ", expected, ", got ", to_string(layer.target_shape),
                       " for samples of shape ", to_string(declaration.input()));
  };
  if (shape.empty()) refuse("have at least one axis");
  Index known = 1;
  for (auto extent = shape.begin(); extent != shape.end(); ++extent) {
    if (extent == free) continue;
    if (*extent <= 0) refuse("hold positive extents and at most one -1");
    if (__builtin_mul_overflow(known, *extent, &known)) refuse("hold as many values as the input");
  }
  if (free != shape.end()) {
    if (declaration.width() % known != 0) refuse("divide the values of the input");
    *free = declaration.width() / known;
    known = declaration.width();
  }
  if (known != declaration.width()) refuse("hold as many values as the input");
  declaration.output(std::move(shape));
}

}  // namespace laminar
