// SPDX-License-Identifier: Apache-2.0
// Small networks that are no stacks.
#pragma once

#include "laminar/laminar.hpp"

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

}  // namespace laminar::tests
