// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/embedding.hpp"

#include "laminar/graph/layers/declaration.hpp"

namespace laminar {
namespace {

constexpr Index kMostRows = Index{1} << 24;  // from here on a float does not tell whole numbers apart

}  // namespace

void declare(const Embedding& layer, Declaration& declaration) {
  if (declaration.trained_before()) {
    declaration.refuse("takes whole numbers and gives no gradient to them, so no layer before it may be trained");
  }
  if (layer.input_dim < 1 || layer.input_dim > kMostRows) {
    declaration.refuse("input_dim must be from 1 to ", kMostRows, ", got ", layer.input_dim);
  }
  if (layer.output_dim < 1) declaration.refuse("output_dim must be positive, got ", layer.output_dim);
  declaration.table("embeddings", {layer.input_dim, layer.output_dim}, layer.embeddings_initializer,
                    layer.embeddings_regularizer, layer.embeddings_constraint);
  Shape shape = declaration.input();
  shape.push_back(layer.output_dim);
  declaration.output(std::move(shape));
}

}  // namespace laminar
