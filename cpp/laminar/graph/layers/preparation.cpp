// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/preparation.hpp"

#include <cmath>

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {
namespace {

void require_first(const Declaration& declaration) {
  if (declaration.trained_before()) {
    declaration.refuse(
        "prepares data and gives no gradient to its input, so it must come before the layers that "
        "are trained");
  }
}

}  // namespace

void declare(const Normalization&, Declaration& declaration) {
  const Index columns = declaration.input().back();
  declaration.tensor("mean", {columns}, "zeros", false);
  declaration.tensor("variance", {columns}, "ones", false);
}

void declare(const Rescaling& layer, Declaration& declaration) {
  if (!std::isfinite(layer.scale)) declaration.refuse("scale must be finite, got ", layer.scale);
  if (!std::isfinite(layer.offset)) declaration.refuse("offset must be finite, got ", layer.offset);
}

void declare(const Discretization& layer, Declaration& declaration) {
  require_first(declaration);
  const std::vector<double>& bounds = layer.bin_boundaries;
  if (bounds.empty()) declaration.refuse("bin_boundaries must hold at least one number, got none");
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    if (!std::isfinite(bounds[i])) declaration.refuse("bin_boundaries must be finite, got ", bounds[i]);
    if (i > 0 && !(bounds[i - 1] < bounds[i])) {
      declaration.refuse("bin_boundaries must increase, got ", bounds[i - 1], " before ", bounds[i]);
    }
  }
}

void declare(const CategoryEncoding& layer, Declaration& declaration) {
  require_first(declaration);
  if (layer.num_tokens <= 0) declaration.refuse("num_tokens must be positive, got ", layer.num_tokens);
  const std::string& mode = layer.output_mode;
  if (mode == "one_hot") {
    Shape shape = declaration.input();
    if (shape.back() == 1) shape.pop_back();
    shape.push_back(layer.num_tokens);
    declaration.output(std::move(shape));
  } else if (mode == "multi_hot" || mode == "count") {
    declaration.features();
    declaration.output({layer.num_tokens});
  } else {
    declaration.refuse("output_mode must be 'multi_hot', 'one_hot' or 'count', got '", mode, "'");
  }
}

}  // namespace laminar
