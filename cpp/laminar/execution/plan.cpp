// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/plan.hpp"

#include <algorithm>

#include "laminar/kernels/table.hpp"

namespace laminar {
namespace {

bool is_dense(const Node& node) { return std::holds_alternative<Dense>(node.layer); }

// A batch of gradients beyond this, of long rows, is copied into panels: a product that walks down one
// panel of it would touch another page at every row.
constexpr Index kLargestInPlace = 32768;  // elements

}  // namespace

Plan::Plan(const Network& network, Index rows, Mode mode, ProductPrecision precision) : rows_(rows), mode_(mode) {
  for (const Node& node : network.nodes()) {
    NodeSpace space;
    space.stride = padded_stride(node.width);
    space.holder = static_cast<int>(spaces_.size());
    spaces_.push_back(space);
  }
  if (mode == Mode::training) {
    place_training(network, precision);
  } else {
    place_inference(network);
  }
  place_shared(network);
  size_scratch(network);
  reads_input_in_place_ = only_dense_read_input(network);
}

bool Plan::only_dense_read_input(const Network& network) const {
  if (mode_ == Mode::training && spaces_.back().holder == 0) return false;  // the loss writes there
  for (std::size_t i = 1; i < spaces_.size(); ++i) {
    const Node& node = network.nodes()[i];
    const bool computes = spaces_[i].holder == static_cast<int>(i);
    if (computes && !is_dense(node) && spaces_[static_cast<std::size_t>(node.inputs.front())].holder == 0) return false;
  }
  return true;
}

void Plan::place_shared(const Network& network) {
  for (std::size_t i = 0; i < spaces_.size(); ++i) {
    const Index shared = network.nodes()[i].shared;
    if (shared == 0) continue;
    spaces_[i].shared = size_;
    size_ += shared;
  }
}

void Plan::size_scratch(const Network& network) {
  if (mode_ == Mode::inference) scratch_.need(Scratch::workspace, size_);
  for (const Node& node : network.nodes()) {
    if (has_kernel(node.layer)) scratch_.need(Scratch::tiles, kernels::tiles_size(kBlockRows));
    if (mode_ == Mode::inference) scratch_.need(Scratch::pieces, kBlockRows * padded_stride(node.kept));
  }
}

Index Plan::reserve(Index stride) {
  const Index at = size_;
  size_ += rows_ * stride;
  return at;
}

void Plan::place_training(const Network& network, ProductPrecision precision) {
  const auto& nodes = network.nodes();
  std::vector<bool> wanted(nodes.size(), false);  // some parameter at or before the node needs its gradient
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    NodeSpace& space = spaces_[i];
    wanted[i] = network.trains(node);
    for (const int input : node.inputs) wanted[i] = wanted[i] || wanted[static_cast<std::size_t>(input)];
    if (i > 0 && is_view(node.layer)) {
      const NodeSpace& viewed = spaces_[static_cast<std::size_t>(node.inputs.front())];
      space.holder = viewed.holder;
      space.output = viewed.output;
      space.delta = viewed.delta;
    } else {
      space.output = reserve(space.stride);
    }
    if (space.delta < 0 && (wanted[i] || i + 1 == nodes.size())) space.delta = reserve(space.stride);
    if (i > 0 && has_kernel(node.layer)) {
      const Index stride = padded_stride(network.parameters()[node.tensors[0]].shape[1]);
      const bool far_apart = stride > kLongStride && rows_ * stride > kLargestInPlace;
      if (far_apart || precision != ProductPrecision::full) space.delta_panels = reserve(stride);
    }
    if (node.kept > 0) {
      space.kept_stride = padded_stride(node.kept);
      space.kept = reserve(space.kept_stride);
    }
    if (i > 0 && is_dense(node)) {
      for (const int input : node.inputs) {
        const Node& before = nodes[static_cast<std::size_t>(input)];
        const Activation* activation = input > 0 ? activation_of(before.layer) : nullptr;
        spaces_[static_cast<std::size_t>(input)].slope_by_consumer =
            activation != nullptr && !activation->row_wise() && !activation->is_linear() &&
            !before.activity.has_value() && (is_dense(before) || !activation->keeps_input());
      }
    }
  }
}

// Nodes follow each other, so an output is dead once the next node is done: two areas suffice, used
// in turn.
void Plan::place_inference(const Network& network) {
  const auto& nodes = network.nodes();
  Index widest = 0;
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const int input = nodes[i].inputs.front();
    const int holder = spaces_[static_cast<std::size_t>(input)].holder;
    const bool same_values = is_view(nodes[i].layer) || is_training_only(nodes[i].layer);
    if (same_values) spaces_[i].holder = holder;
    widest = std::max(widest, spaces_[i].stride);
  }
  widest = std::max(widest, spaces_[0].stride);
  const Index areas[] = {reserve(widest), reserve(widest)};
  int next = 0;
  for (NodeSpace& space : spaces_) {
    const bool computes = space.holder == static_cast<int>(&space - spaces_.data());
    if (computes) {
      space.output = areas[next];
      next = 1 - next;
    }
  }
}

}  // namespace laminar
