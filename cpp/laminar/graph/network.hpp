// SPDX-License-Identifier: Apache-2.0
// A network as a value: its nodes in topological order and the layout of its parameters. It holds
// no weights; running it is the business of Pass (pass.hpp).
//
// A stack is the simplest graph. Whatever the graph, node 0 holds a sample's values and the last node the
// outputs: several inputs lie side by side in node 0, and a node for each takes its own; several outputs
// are brought side by side by a last node.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "laminar/catalogue/parameters.hpp"
#include "laminar/graph/layer.hpp"

namespace laminar {

class ProgramForms;

/// One layer in its place. Node 0 is the input and has no layer of its own.
struct Node {
  Layer layer;
  std::string name;
  bool trainable = true;                           // else its weights stay as they are
  int first_call = -1;                             // the first node of the same layer: this one unless it is shared
  std::vector<int> inputs;                         // nodes that come before
  Shape shape;                                     // of one sample's output
  Index width = 0;                                 // product of shape
  std::vector<std::size_t> tensors;                // positions in the parameter layout
  std::optional<Regularizer> activity = {};        // a penalty on the output
  Index kept = 0;                                  // values a row that training keeps for the way back
  Index shared = 0;                                // values that all rows of a batch have in common
  std::shared_ptr<const ProgramForms> forms = {};  // of a layer that is a program
};

/// A graph of layers, as users describe it. Values are numbered: the inputs, then the calls in their order.
struct Graph {
  struct Input {
    std::string name;
    Shape shape;  // of one sample
  };
  /// A layer at one place; a layer that is called more than once has one set of weights.
  struct Call {
    std::size_t layer = 0;    // its position in `layers`
    std::vector<int> inputs;  // values before this one
  };
  std::vector<Input> inputs;
  std::vector<Layer> layers;
  std::vector<std::size_t> frozen = {};  // positions of layers that training leaves alone
  std::vector<Call> calls;
  std::vector<int> outputs;  // values
};

/// A named range of columns of node 0 or of the last node.
struct Port {
  std::string name;
  Shape shape;  // of one sample
  Index begin = 0;
  Index width = 0;
  int node = 0;  // where these values come from, or go to
};

/// The structure of a model: `Network(4, {Dense{.units = 8, .activation = "tanh"}, Dense{.units = 1}})`.
class Network {
 public:
  /// Layers one after the other. Names left empty become "dense", "dense_1", … as in Keras.
  /// Throws std::invalid_argument naming the layer and what is wrong with it.
  Network(Shape input_shape, std::vector<Layer> layers, const std::vector<std::size_t>& frozen = {});
  /// The same for samples that are plain vectors.
  Network(Index features, std::vector<Layer> layers) : Network(Shape{features}, std::move(layers)) {}
  /// Layers in a graph. Throws std::invalid_argument where an input is not used, a value is read before it
  /// is there, or shapes do not go together.
  explicit Network(Graph graph);

  /// Extents of one sample, their product, and the values of one output.
  const Shape& input_shape() const { return nodes_.front().shape; }
  Index features() const { return nodes_.front().width; }
  Index outputs() const { return nodes_.back().width; }
  /// All nodes, the input first.
  const std::vector<Node>& nodes() const { return nodes_; }
  /// Inputs and outputs by name; a stack has one of each.
  const std::vector<Port>& input_ports() const { return input_ports_; }
  const std::vector<Port>& output_ports() const { return output_ports_; }
  /// Every node reads the one before it, and no layer comes twice.
  bool is_stack() const { return is_stack_; }
  /// What the network was made from; that of a stack, where it was made of layers alone.
  Graph graph() const;
  /// The nodes of one layer, in their order, given the first of them.
  const std::vector<int>& calls_of(int node) const { return calls_[static_cast<std::size_t>(node)]; }
  /// Some parameter of the node, or of one that it depends on, is changed by training.
  bool depends_on_training(int node) const { return depends_[static_cast<std::size_t>(node)] != 0; }

  /// All tensors and their places in a model's parameters.
  const ParameterLayout& parameters() const { return parameters_; }

  /// Some parameter of the node is changed by training.
  bool trains(const Node& node) const;

  /// One sample's forward pass in floating-point operations, counting what is not arithmetic as the
  /// operations that would take as long: enough to choose a number of threads by.
  double work() const { return work_; }
  /// Parameters that a step of so many rows may change, about.
  Index changed(Index rows) const;
  /// Some layer's output is penalized, or it adds a loss.
  bool penalizes_activity() const;
  /// Throws where some layer cannot be trained by gradient, and says which and why.
  void require_gradient() const;

  /// Gives a node a layer with other options; its name stays. Throws, and changes nothing, unless both
  /// are of one kind that acts in training alone: on others plans and weights depend.
  void replace(std::size_t node, Layer layer);

 private:
  Network() = default;
  void begin(const std::vector<Graph::Input>& inputs);
  /// Adds a node that reads others; `first_call` is the first node of the same layer, or -1.
  int append(Layer layer, std::vector<int> inputs, int first_call = -1, bool trainable = true);
  void finish(const std::vector<int>& outputs);
  void require_use() const;

  std::vector<Node> nodes_;
  ParameterLayout parameters_;
  std::vector<Port> input_ports_;
  std::vector<Port> output_ports_;
  std::vector<std::vector<int>> calls_;
  std::vector<char> depends_;
  bool is_stack_ = true;
  std::size_t end_ = 0;  // nodes from here on only bring the outputs together
  double work_ = 0;
};

/// What a kind says of itself, see layer.hpp.
bool is_view(const Layer& layer);
bool is_training_only(const Layer& layer);
bool needs_whole_batch(const Layer& layer);
bool merges(const Layer& layer);
bool has_kernel(const Layer& layer);
bool has_table(const Layer& layer);

/// The activation that a layer ends with, null where it has none.
const Activation* activation_of(const Layer& layer);

/// "dense", "dropout", …
const char* kind_of(const Layer& layer);

/// All kinds, in the order of the list.
std::vector<std::string> layer_kinds();

}  // namespace laminar
