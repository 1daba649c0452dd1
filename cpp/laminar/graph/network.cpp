// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/network.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "laminar/base/error.hpp"
#include "laminar/graph/layers/declaration.hpp"

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
  return std::visit([](const auto& l) { return requires { l.kView; }; }, layer);
}
bool is_training_only(const Layer& layer) {
  return std::visit([](const auto& l) { return requires { l.kTrainingOnly; }; }, layer);
}
bool needs_whole_batch(const Layer& layer) {
  return std::visit([](const auto& l) { return requires { l.kWholeBatch; }; }, layer);
}
bool has_kernel(const Layer& layer) {
  return std::visit([](const auto& l) { return requires { l.kKernel; }; }, layer);
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

Network::Network(Shape input_shape, std::vector<Layer> layers) {
  if (input_shape.empty()) fail("input_shape: needs at least one axis, got ()");
  if (layers.empty()) fail("layers: a network needs at least one layer, got none");
  Node input;
  input.name = "input";
  input.width = width_of(input_shape, "input_shape");
  input.shape = std::move(input_shape);
  nodes_.push_back(std::move(input));
  name_layers(layers);
  for (Layer& layer : layers) append(std::move(layer));
}

void Network::append(Layer layer) {
  Node node;
  node.name = std::visit([](const auto& l) { return l.name; }, layer);
  node.inputs = {static_cast<int>(nodes_.size()) - 1};
  Declaration declaration(parameters_, nodes_.back(), node);
  std::visit([&](const auto& kind) { declare(kind, declaration); }, layer);
  node.width = width_of(node.shape, node.name.c_str());
  node.layer = std::move(layer);
  nodes_.push_back(std::move(node));
}

bool Network::trains(const Node& node) const {
  return std::any_of(node.tensors.begin(), node.tensors.end(), [&](std::size_t t) { return parameters_[t].trainable; });
}

double Network::work() const {
  constexpr double per_node = 800;  // 8 ns: gathering, calling, storing a narrow row
  double sum = per_node * static_cast<double>(nodes_.size());
  for (const Tensor& tensor : parameters_.tensors()) sum += 2.0 * static_cast<double>(tensor.size);
  for (const Node& node : nodes_) sum += 10.0 * static_cast<double>(node.width);
  return sum;
}

bool Network::penalizes_activity() const {
  return std::any_of(nodes_.begin(), nodes_.end(), [](const Node& node) { return node.activity.has_value(); });
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
  Declaration declaration(none, nodes_[static_cast<std::size_t>(old.inputs[0])], scratch);
  std::visit([&](const auto& kind) { declare(kind, declaration); }, layer);
  old.layer = std::move(layer);
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
