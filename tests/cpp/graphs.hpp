// SPDX-License-Identifier: Apache-2.0
// Small networks that are no stacks.
#pragma once

#include "laminar/laminar.hpp"
#include "task.hpp"

namespace laminar::tests {

/// Every layer that brings values together.
inline std::vector<Layer> merging_layers() {
  return {Add{}, Subtract{}, Multiply{}, Average{}, Maximum{}, Minimum{}, Concatenate{}, Dot{}, Dot{.normalize = true}};
}

/// Two inputs of three values brought together by a layer, or what a dense layer makes of each.
inline Network merged(Layer layer, bool with_dense = false) {
  Graph graph;
  graph.inputs = {{"a", {3}}, {"b", {3}}};
  graph.layers = {std::move(layer)};
  graph.calls = {{0, {0, 1}}};
  graph.outputs = {2};
  if (with_dense) {
    graph.layers.push_back(Dense{.units = 3, .activation = "tanh"});
    graph.layers.push_back(Dense{.units = 3, .activation = "sigmoid"});
    graph.calls = {{1, {0}}, {2, {1}}, {0, {2, 3}}};
    graph.outputs = {4};
  }
  return Network(std::move(graph));
}

/// The largest difference between gradients and central differences, over the largest of them.
inline double gradient_error(Model<double>& model, const Dataset<double>& data) {
  std::vector<double> gradients(model.parameters().size());
  model.loss_and_gradients(data, gradients);
  std::vector<double> scratch(gradients.size());
  const std::vector<double> before = weights_of(model);
  double largest = 1e-3;
  double worst = 0;
  for (const Tensor& tensor : model.network().parameters().tensors()) {
    for (Index i = 0; i < tensor.size; i += 1 + tensor.size / 7) {
      const std::size_t at = as_size(tensor.offset + i);
      if (!tensor.trainable) continue;
      double losses[2];
      for (const int side : {0, 1}) {
        std::vector<double> moved = before;
        moved[at] += side == 0 ? -1e-5 : 1e-5;
        model.set_parameters(moved);
        losses[side] = model.loss_and_gradients(data, scratch);
      }
      const double expected = (losses[1] - losses[0]) / 2e-5;
      largest = std::max(largest, std::abs(expected));
      worst = std::max(worst, std::abs(expected - gradients[at]));
    }
  }
  model.set_parameters(before);
  return worst / largest;
}

}  // namespace laminar::tests
