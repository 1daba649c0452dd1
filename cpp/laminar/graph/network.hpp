// SPDX-License-Identifier: Apache-2.0
// A network as a value: its nodes in topological order and the layout of its parameters. It holds
// no weights; running it is the business of Pass (pass.hpp).
#pragma once

#include <string>
#include <vector>

#include "laminar/catalogue/parameters.hpp"
#include "laminar/graph/layer.hpp"

namespace laminar {

/// One layer in its place. Node 0 is the input and has no layer of its own.
struct Node {
  Layer layer;
  std::string name;
  std::vector<int> inputs;                   // nodes that come before
  Shape shape;                               // of one sample's output
  Index width = 0;                           // product of shape
  std::vector<std::size_t> tensors;          // positions in the parameter layout
  std::optional<Regularizer> activity = {};  // a penalty on the output
  Index kept = 0;                            // values a row that training keeps for the way back
  Index shared = 0;                          // values that all rows of a batch have in common
};

/// The structure of a model: `Network(4, {Dense{.units = 8, .activation = "tanh"}, Dense{.units = 1}})`.
class Network {
 public:
  /// Layers one after the other. Names left empty become "dense", "dense_1", … as in Keras.
  /// Throws std::invalid_argument naming the layer and what is wrong with it.
  Network(Shape input_shape, std::vector<Layer> layers);
  /// The same for samples that are plain vectors.
  Network(Index features, std::vector<Layer> layers) : Network(Shape{features}, std::move(layers)) {}

  /// Extents of one sample, their product, and the values of one output.
  const Shape& input_shape() const { return nodes_.front().shape; }
  Index features() const { return nodes_.front().width; }
  Index outputs() const { return nodes_.back().width; }
  /// All nodes, the input first.
  const std::vector<Node>& nodes() const { return nodes_; }
  /// All tensors and their places in a model's parameters.
  const ParameterLayout& parameters() const { return parameters_; }

  /// Some parameter of the node is changed by training.
  bool trains(const Node& node) const;

  /// One sample's forward pass in floating-point operations, counting what is not arithmetic as the
  /// operations that would take as long: enough to choose a number of threads by.
  double work() const;
  /// Some layer's output is penalized.
  bool penalizes_activity() const;
  /// Throws where some layer cannot be trained by gradient, and says which and why.
  void require_gradient() const;

  /// Gives a node a layer with other options; its name stays. Throws, and changes nothing, unless both
  /// are of one kind that acts in training alone: on others plans and weights depend.
  void replace(std::size_t node, Layer layer);

 private:
  void append(Layer layer);

  std::vector<Node> nodes_;
  ParameterLayout parameters_;
};

/// What a kind says of itself, see layer.hpp.
bool is_view(const Layer& layer);
bool is_training_only(const Layer& layer);
bool needs_whole_batch(const Layer& layer);
bool has_kernel(const Layer& layer);

/// The activation that a layer ends with, null where it has none.
const Activation* activation_of(const Layer& layer);

/// "dense", "dropout", …
const char* kind_of(const Layer& layer);

/// All kinds, in the order of the list.
std::vector<std::string> layer_kinds();

}  // namespace laminar
