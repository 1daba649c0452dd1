// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/network.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "laminar/base/error.hpp"
#include "laminar/graph/layers/declaration.hpp"
#include "laminar/operations/forms.hpp"

namespace laminar {
namespace {

Index width_of(const Shape& shape, const char* whose) {
  Index width = 1;
  for (const Index extent : shape) {
    if (extent <= 0) fail(whose, ": every axis must be positive, got shape ", to_string(shape));
    if (__builtin_mul_overflow(width, extent, &width) || width > (Index{1} << 40)) {
      fail(whose, ": shape ", to_string(shape), " is too large");
    }
  }
  return width;
}

template <std::size_t... I>
std::vector<std::string> kinds(std::index_sequence<I...>) {
  return {std::variant_alternative_t<I, Layer>::kKind...};
}

std::size_t as_size(int i) { return static_cast<std::size_t>(i); }

const std::string& name_of(const Layer& layer) {
  return std::visit([](const auto& l) -> const std::string& { return l.name; }, layer);
}

/// Declares a node whose layer has been called before: its tensors are those of the first call.
void share_tensors(const ParameterLayout& parameters, const Layer& layer, std::vector<const Node*> before, bool trained,
                   const Node& first, Node& node) {
  if (needs_whole_batch(layer)) {
    fail("layer '", node.name, "' of kind '", kind_of(layer),
         "' follows the batches of one place; call another one here");
  }
  ParameterLayout own;
  Declaration declaration(own, std::move(before), trained, node);
  std::visit([&](const auto& kind) { declare(kind, declaration); }, layer);
  for (std::size_t i = 0; i < first.tensors.size(); ++i) {
    const Tensor& tensor = parameters[first.tensors[i]];
    if (own[i].shape == tensor.shape) continue;
    fail("layer '", node.name, "' is shared: its ", tensor.name, " has shape ", to_string(tensor.shape),
         ", which does not fit samples of shape ", to_string(declaration.input()));
  }
  node.tensors = first.tensors;
}

/// Gives each layer without a name the first of "dense", "dense_1", … that none before it has.
void name_layers(std::vector<Layer>& layers) {
  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int> tried;  // by kind: what comes before is taken
  for (Layer& layer : layers) {
    std::string& name = std::visit([](auto& l) -> std::string& { return l.name; }, layer);
    if (name.empty()) {
      const std::string kind = kind_of(layer);
      int& i = tried[kind];
      do name = i == 0 ? kind : kind + "_" + std::to_string(i);
      while (taken.contains(name) && ++i > 0);
      ++i;
    } else if (taken.contains(name)) {
      fail("layers: two layers are named '", name, "'");
    }
    taken.insert(name);
  }
}

}  // namespace

bool is_view(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kTraits.view; }, layer);
}
bool is_training_only(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kTraits.training_only; }, layer);
}
bool needs_whole_batch(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kTraits.whole_batch; }, layer);
}
bool merges(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kTraits.merges; }, layer);
}
bool has_kernel(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kTraits.kernel; }, layer);
}

bool has_table(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kTraits.table; }, layer);
}

const Activation* activation_of(const Layer& layer) {
  return std::visit(
      [](const auto& l) -> const Activation* {
        if constexpr (requires { l.activation; }) {
          return &l.activation;
        } else {
          return nullptr;
        }
      },
      layer);
}

const char* kind_of(const Layer& layer) {
  return std::visit([](const auto& l) { return l.kKind; }, layer);
}

std::vector<std::string> layer_kinds() { return kinds(std::make_index_sequence<std::variant_size_v<Layer>>{}); }

Network::Network(Shape input_shape, std::vector<Layer> layers, const std::vector<std::size_t>& frozen) {
  if (input_shape.empty()) fail("input_shape: needs at least one axis, got ()");
  if (layers.empty()) fail("layers: a network needs at least one layer, got none");
  width_of(input_shape, "input_shape");
  begin({{"input", std::move(input_shape)}});
  name_layers(layers);
  for (std::size_t i = 0; i < layers.size(); ++i) {
    const bool trainable = std::find(frozen.begin(), frozen.end(), i) == frozen.end();
    append(std::move(layers[i]), {static_cast<int>(nodes_.size()) - 1}, -1, trainable);
  }
  finish({static_cast<int>(nodes_.size()) - 1});
}

Network::Network(Graph graph) {
  if (graph.inputs.empty()) fail("inputs: a network needs at least one input, got none");
  if (graph.outputs.empty()) fail("outputs: a network needs at least one output, got none");
  if (graph.calls.empty()) fail("layers: a network needs at least one layer, got none");
  name_layers(graph.layers);
  std::unordered_set<std::string> names;
  for (const Graph::Input& input : graph.inputs) {
    if (!names.insert(input.name).second) fail("inputs: two inputs are named '", input.name, "'");
    if (input.shape.empty()) fail("input '", input.name, "': its shape needs at least one axis, got ()");
  }
  begin(graph.inputs);
  std::vector<int> values;  // their nodes
  for (const Port& port : input_ports_) values.push_back(port.node);
  std::vector<int> first_calls(graph.layers.size(), -1);
  for (const Graph::Call& call : graph.calls) {
    if (call.layer >= graph.layers.size()) {
      fail("nodes: layer must be from 0 to ", graph.layers.size() - 1, ", got ", call.layer);
    }
    const Layer& layer = graph.layers[call.layer];
    std::vector<int> inputs;
    for (const int input : call.inputs) {
      if (input < 0 || as_size(input) >= values.size()) {
        fail("layer '", name_of(layer), "' reads value ", input, ", but only ", values.size(), " stand before it");
      }
      inputs.push_back(values[as_size(input)]);
    }
    const bool trainable = std::find(graph.frozen.begin(), graph.frozen.end(), call.layer) == graph.frozen.end();
    int& first = first_calls[call.layer];
    const int node = append(layer, std::move(inputs), first, trainable);
    if (first < 0) first = node;
    values.push_back(node);
  }
  for (std::size_t i = 0; i < first_calls.size(); ++i) {
    if (first_calls[i] < 0) fail("layer '", name_of(graph.layers[i]), "' is not called");
  }
  std::vector<int> outputs;
  for (const int output : graph.outputs) {
    if (output < 0 || as_size(output) >= values.size()) {
      fail("outputs: values are numbered from 0 to ", values.size() - 1, ", got ", output);
    }
    outputs.push_back(values[as_size(output)]);
  }
  finish(outputs);
}

// Several inputs lie side by side in node 0: rows are gathered, checked and kept as those of one are.
void Network::begin(const std::vector<Graph::Input>& inputs) {
  Index width = 0;
  for (const Graph::Input& input : inputs) {
    Port port{input.name, input.shape, width, width_of(input.shape, input.name.c_str())};
    width += port.width;
    input_ports_.push_back(std::move(port));
  }
  Node first;
  first.name = "input";
  first.first_call = 0;
  first.width = width;
  first.shape = inputs.size() == 1 ? inputs[0].shape : Shape{width};
  nodes_.push_back(std::move(first));
  calls_.push_back({0});
  depends_.push_back(0);
  if (inputs.size() == 1) return;
  for (Port& port : input_ports_) port.node = append(Slice{port.begin, port.shape, port.name}, {0});
}

int Network::append(Layer layer, std::vector<int> inputs, int first_call, bool trainable) {
  const int at = static_cast<int>(nodes_.size());
  Node node;
  node.name = name_of(layer);
  node.trainable = trainable;
  node.first_call = first_call < 0 ? at : first_call;
  node.inputs = std::move(inputs);
  if (node.inputs.empty()) fail("layer '", node.name, "' reads nothing");
  if (node.inputs.size() > 1 && !merges(layer)) {
    fail("layer '", node.name, "' of kind '", kind_of(layer), "' reads one value, got ", node.inputs.size());
  }
  std::vector<const Node*> before;
  bool trained = false;
  for (const int input : node.inputs) {
    before.push_back(&nodes_[as_size(input)]);
    trained = trained || depends_on_training(input);
  }
  if (first_call < 0) {
    Declaration declaration(parameters_, std::move(before), trained, node);
    std::visit([&](const auto& kind) { declare(kind, declaration); }, layer);
  } else {
    share_tensors(parameters_, layer, std::move(before), trained, nodes_[as_size(first_call)], node);
  }
  node.width = width_of(node.shape, node.name.c_str());
  node.layer = std::move(layer);
  is_stack_ = is_stack_ && first_call < 0 && node.inputs == std::vector<int>{at - 1} && !merges(node.layer) &&
              !std::holds_alternative<Slice>(node.layer);
  depends_.push_back(trained || trains(node) ? 1 : 0);
  calls_.emplace_back();
  calls_[as_size(node.first_call)].push_back(at);
  nodes_.push_back(std::move(node));
  return at;
}

namespace {

double work_of(const Node& node, const ParameterLayout& parameters) {
  constexpr double per_node = 800;  // 8 ns: gathering, calling, storing a narrow row
  double sum = per_node + 10.0 * static_cast<double>(node.width);
  if (node.forms != nullptr) sum += node.forms->work();
  if (has_table(node.layer)) return sum;
  for (const std::size_t tensor : node.tensors) sum += 2.0 * static_cast<double>(parameters[tensor].size);
  return sum;
}

}  // namespace

// The last node holds the outputs. Where the one output is not the last node anyway, or there are several,
// a node of its own brings them to the end.
void Network::finish(const std::vector<int>& outputs) {
  end_ = nodes_.size();
  const int last = static_cast<int>(end_) - 1;
  Index begin = 0;
  for (const int output : outputs) {
    const Node& node = nodes_[as_size(output)];
    output_ports_.push_back({node.name, node.shape, begin, node.width, output});
    begin += node.width;
  }
  if (outputs != std::vector<int>{last}) {
    std::vector<int> flat;
    for (const int output : outputs) {
      const bool vector = nodes_[as_size(output)].shape.size() == 1;
      flat.push_back(vector ? output : append(Flatten{.name = nodes_[as_size(output)].name + "/flat"}, {output}));
    }
    append(Concatenate{.name = "outputs"}, flat);
    is_stack_ = false;
  }
  require_use();
  for (const Node& node : nodes_) work_ += work_of(node, parameters_);
}

void Network::require_use() const {
  std::vector<char> used(nodes_.size(), 0);
  used.back() = 1;
  for (std::size_t i = nodes_.size(); i-- > 0;) {
    if (used[i] == 0) {
      const bool input = input_ports_.size() > 1 && i <= input_ports_.size();
      fail(input ? "input '" : "layer '", nodes_[i].name, "' leads to no output");
    }
    for (const int before : nodes_[i].inputs) used[as_size(before)] = 1;
  }
}

Graph Network::graph() const {
  Graph graph;
  for (const Port& port : input_ports_) graph.inputs.push_back({port.name, port.shape});
  std::vector<int> values(nodes_.size(), -1);  // the numbers of nodes in the graph
  for (std::size_t i = 0; i < input_ports_.size(); ++i) values[as_size(input_ports_[i].node)] = static_cast<int>(i);
  const std::size_t first = input_ports_.size() == 1 ? 1 : 1 + input_ports_.size();
  std::vector<std::size_t> layers(nodes_.size(), 0);
  int next = static_cast<int>(input_ports_.size());
  for (std::size_t i = first; i < end_; ++i) {
    const Node& node = nodes_[i];
    if (node.first_call == static_cast<int>(i)) {
      if (!node.trainable) graph.frozen.push_back(graph.layers.size());
      layers[i] = graph.layers.size();
      graph.layers.push_back(node.layer);
      std::visit([&](auto& kind) { kind.name = node.name; }, graph.layers.back());
    }
    Graph::Call call{layers[as_size(node.first_call)], {}};
    for (const int input : node.inputs) call.inputs.push_back(values[as_size(input)]);
    graph.calls.push_back(std::move(call));
    values[i] = next++;
  }
  for (const Port& port : output_ports_) graph.outputs.push_back(values[as_size(port.node)]);
  return graph;
}

bool Network::trains(const Node& node) const {
  return node.trainable &&
         std::any_of(node.tensors.begin(), node.tensors.end(), [&](std::size_t t) { return parameters_[t].trainable; });
}

Index Network::changed(Index rows) const {
  Index changed = parameters_.count();
  for (const Node& node : nodes_) {
    if (node.first_call < 0 || !has_table(node.layer) || &node != &nodes_[as_size(node.first_call)]) continue;
    const Tensor& table = parameters_[node.tensors[0]];
    if (table.by_rows) changed -= table.size - std::min(table.size, rows * node.width);
  }
  return changed;
}

bool Network::penalizes_activity() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) {
    return node.activity.has_value() || (node.forms != nullptr && node.forms->adds_losses());
  });
}

void Network::replace(std::size_t node, Layer layer) {
  if (node == 0 || node >= nodes_.size()) {
    fail("replace: node must be from 1 to ", nodes_.size() - 1, ", got ", node);
  }
  Node& old = nodes_[node];
  if (layer.index() != old.layer.index() || !is_training_only(layer)) {
    fail("layer '", old.name, "' is of kind '", kind_of(old.layer), "', which a layer of kind '", kind_of(layer),
         "' cannot replace: both must be of one kind that acts in training alone, such as dropout");
  }
  std::visit([&](auto& kind) { kind.name = old.name; }, layer);
  ParameterLayout none;
  Node scratch;
  scratch.name = old.name;
  Declaration declaration(none, {&nodes_[as_size(old.inputs[0])]}, false, scratch);
  std::visit([&](const auto& kind) { declare(kind, declaration); }, layer);
  for (const int call : calls_of(old.first_call)) nodes_[as_size(call)].layer = layer;
}

void Network::require_gradient() const {
  for (std::size_t i = 1; i < nodes_.size(); ++i) {
    const Activation* activation = activation_of(nodes_[i].layer);
    if (activation != nullptr && !activation->has_gradient()) {
      fail("layer '", nodes_[i].name, "': activation '", activation->name(),
           "' has slope 0 wherever it has one, so it cannot be trained by gradient");
    }
  }
}

}  // namespace laminar
