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

constexpr Index kNearElements = 6144;  // values of a program that stay in the nearest cache
constexpr Index kFewestRows = 4;

/// Rows of a block that a program runs over together. Products want many, other operations their values near.
Index rows_at_once(const Program& program, Index block) {
  const auto multiplies = [](const Instruction& value) { return value.operation == Operation::matmul; };
  if (std::any_of(program.values().begin(), program.values().end(), multiplies)) return block;
  const Index row = std::max<Index>(1, ProgramPlan(program, block).size() / block);
  return std::clamp(kNearElements / row, std::min(kFewestRows, block), block);
}

/// Scratch for a node's program: its values, and what is said of its inputs, weights and outputs.
Index program_room(const Node& node, const ProgramSpace& space, Mode mode) {
  const auto of = [&](const Program& program, const ProgramPlan& plan) {
    return plan.size() +
           kProgramArguments *
               static_cast<Index>(program.inputs().size() + 2 * program.weights().size() + program.outputs.size()) +
           (node.forms->adds_losses() ? static_cast<Index>(kAddedLosses) * kBlockRows : 0) + 3 * kSlice;
  };
  if (mode == Mode::inference) {
    const ProgramForms& forms = *node.forms;
    return std::max(of(forms.prediction().program, space.forward), of(forms.evaluation().program, space.evaluation));
  }
  const TrainingForm& form = *space.form;
  Index sums = of(form.sums.program, space.sums);
  for (const int output : form.sums.program.outputs)
    sums += 2 * round_up(row_width(form.sums.program.shape(output)), kSlice);
  return std::max({of(form.forward.program, space.forward), of(form.backward.program, space.backward), sums});
}

}  // namespace

Plan::Plan(const Network& network, Index rows, Mode mode, ProductPrecision precision, bool by_input)
    : rows_(rows), mode_(mode) {
  for (const Node& node : network.nodes()) {
    NodeSpace space;
    space.stride = padded_stride(node.width);
    space.holder = static_cast<int>(spaces_.size());
    spaces_.push_back(space);
  }
  place_holders(network);
  if (mode != Mode::inference) {
    place_training(network, precision, by_input);
    place_backward(network);
  } else {
    place_inference(network);
  }
  place_shared(network);
  size_scratch(network);
  reads_input_in_place_ = only_dense_read_input(network);
}

bool Plan::only_dense_read_input(const Network& network) const {
  if (mode_ != Mode::inference && spaces_.back().holder == 0) return false;  // the loss writes there
  return std::all_of(readers_[0].begin(), readers_[0].end(), [&](const Edge& reader) {
    return is_dense(network.nodes()[static_cast<std::size_t>(reader.node)]);
  });
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
  for (std::size_t i = 0; i < spaces_.size(); ++i) {
    const Node& node = network.nodes()[i];
    if (has_kernel(node.layer) || (node.forms != nullptr && !node.forms->factors().empty())) {
      scratch_.need(Scratch::tiles, kernels::tiles_size(kBlockRows));
    }
    if (node.forms != nullptr) scratch_.need(Scratch::program, program_room(node, *spaces_[i].program, mode_));
    if (mode_ == Mode::inference) scratch_.need(Scratch::pieces, kBlockRows * padded_stride(node.kept));
  }
}

Index Plan::place_program(const Node& node, NodeSpace& space) {
  auto program = std::make_shared<ProgramSpace>();
  const bool whole = mode_ != Mode::inference && needs_whole_batch(node.layer);
  const auto plan = [&](const Program& run, Index& rows) {
    rows = whole ? rows_ : rows_at_once(run, std::min(rows_, kBlockRows));
    return ProgramPlan(run, rows);
  };
  if (mode_ == Mode::inference) {
    program->forward = plan(node.forms->prediction().program, program->forward_rows);
    if (node.forms->adds_losses()) {
      program->evaluation = ProgramPlan(node.forms->evaluation().program, program->forward_rows);
    }
  } else {
    const bool by_inputs = std::any_of(node.inputs.begin(), node.inputs.end(),
                                       [&](int input) { return spaces_[static_cast<std::size_t>(input)].delta >= 0; });
    program->form = &node.forms->form(mode_ == Mode::training, by_inputs);
    program->forward = plan(program->form->forward.program, program->forward_rows);
    program->backward = plan(program->form->backward.program, program->backward_rows);
    program->sums = ProgramPlan(program->form->sums.program, rows_);
  }
  const Index kept = program->form != nullptr ? program->form->kept_width : 0;
  space.program = std::move(program);
  return kept;
}

Index Plan::reserve(Index stride) {
  const Index at = size_;
  size_ += rows_ * stride;
  return at;
}

// Where nothing is computed, values are those of another node. Readers of either read that one.
void Plan::place_holders(const Network& network) {
  const auto& nodes = network.nodes();
  readers_.resize(nodes.size());
  for (std::size_t i = 1; i < nodes.size(); ++i) {
    const Layer& layer = nodes[i].layer;
    if (is_view(layer) || (mode_ != Mode::training && is_training_only(layer))) {
      spaces_[i].holder = spaces_[static_cast<std::size_t>(nodes[i].inputs.front())].holder;
      continue;
    }
    for (std::size_t e = 0; e < nodes[i].inputs.size(); ++e) {
      const int holder = spaces_[static_cast<std::size_t>(nodes[i].inputs[e])].holder;
      readers_[static_cast<std::size_t>(holder)].push_back({static_cast<int>(i), e});
    }
  }
}

// Tables write their own columns and nothing beside them, so what they alone bring into a Concatenate is written
// there, and its gradient read there.
std::vector<Plan::Part> Plan::parts_of(const Network& network) const {
  const auto& nodes = network.nodes();
  std::vector<Part> parts(nodes.size());
  for (std::size_t i = 1; i + 1 < nodes.size(); ++i) {
    if (!std::holds_alternative<Concatenate>(nodes[i].layer) || nodes[i].shape.back() != nodes[i].width) continue;
    Index begin = 0;
    for (const int input : nodes[i].inputs) {
      const auto holder = static_cast<std::size_t>(spaces_[static_cast<std::size_t>(input)].holder);
      if (holder > 0 && has_table(nodes[holder].layer) && readers_[holder].size() == 1) {
        parts[holder] = {static_cast<int>(i), begin};
      }
      begin += nodes[static_cast<std::size_t>(input)].width;
    }
  }
  return parts;
}

// Others read whole vectors, which may reach into a row that another thread writes.
bool Plan::read_exactly(const Network& network, std::size_t node) const {
  return spaces_.back().holder != static_cast<int>(node) &&
         std::all_of(readers_[node].begin(), readers_[node].end(), [&](const Edge& reader) {
           return has_table(network.nodes()[static_cast<std::size_t>(reader.node)].layer);
         });
}

void Plan::place_training(const Network& network, ProductPrecision precision, bool by_input) {
  const auto& nodes = network.nodes();
  const std::vector<Part> parts = parts_of(network);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const Node& node = nodes[i];
    NodeSpace& space = spaces_[i];
    const bool wanted = by_input || network.depends_on_training(static_cast<int>(i)) || i + 1 == nodes.size();
    if (space.holder != static_cast<int>(i)) {
      const NodeSpace& viewed = spaces_[static_cast<std::size_t>(space.holder)];
      space.stride = viewed.stride;
      space.output = viewed.output;
      space.delta = viewed.delta;
    } else if (parts[i].whole > 0) {
      NodeSpace& whole = spaces_[static_cast<std::size_t>(parts[i].whole)];
      if (whole.output < 0) whole.output = reserve(whole.stride);
      if (whole.delta < 0 && wanted) whole.delta = reserve(whole.stride);
      space.stride = whole.stride;
      space.output = whole.output + parts[i].begin;
      if (wanted) space.delta = whole.delta + parts[i].begin;
    } else if (const auto* slice = std::get_if<Slice>(&node.layer);
               slice != nullptr && !wanted && read_exactly(network, i)) {
      const NodeSpace& whole = spaces_[static_cast<std::size_t>(node.inputs.front())];
      space.stride = whole.stride;
      space.output = whole.output + slice->begin;
    } else if (space.output < 0) {
      space.output = reserve(space.stride);
    }
    if (space.delta < 0 && wanted) space.delta = reserve(space.stride);
    if (i > 0 && has_kernel(node.layer)) {
      const Index stride = padded_stride(network.parameters()[node.tensors[0]].shape[1]);
      const bool far_apart = stride > kLongStride && rows_ * stride > kLargestInPlace;
      if (far_apart || precision != ProductPrecision::full) space.delta_panels = reserve(stride);
    }
    const Index kept = node.forms != nullptr ? place_program(node, space) : node.kept;
    if (kept > 0) {
      space.kept_stride = padded_stride(kept);
      space.kept = reserve(space.kept_stride);
    }
  }
}

// Of the readers of a node the first that comes back writes its gradient, the others add theirs: they leave
// them in places of their own, from where they are added in the order in which the readers come back.
void Plan::place_backward(const Network& network) {
  const auto& nodes = network.nodes();
  for (std::size_t i = 0; i < nodes.size(); ++i) spaces_[i].back.assign(nodes[i].inputs.size(), -1);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const std::vector<Edge>& readers = readers_[i];
    NodeSpace& space = spaces_[i];
    const bool is_last = spaces_.back().holder == static_cast<int>(i);  // the loss writes there first
    if (space.delta < 0 || readers.empty()) continue;
    const int first = is_last ? -1 : readers.back().node;
    const auto first_edge =
        std::find_if(readers.begin(), readers.end(), [&](const Edge& e) { return e.node == first; });
    for (auto edge = readers.begin(); edge != readers.end(); ++edge) {
      if (edge == first_edge) continue;
      spaces_[static_cast<std::size_t>(edge->node)].back[edge->input] = reserve(space.stride);
    }
    if (readers.size() > 1 || is_last) continue;
    const Node& reader = nodes[static_cast<std::size_t>(first)];
    const Activation* activation = activation_of(nodes[i].layer);
    space.slope_by_consumer = is_dense(reader) && reader.inputs.front() == static_cast<int>(i) &&
                              activation != nullptr && !activation->row_wise() && !activation->is_linear() &&
                              !nodes[i].activity.has_value() && (is_dense(nodes[i]) || !activation->keeps_input());
  }
}

// A place is free again once all readers of the node that had it are done. For a stack that makes two places,
// used in turn.
void Plan::place_inference(const Network& network) {
  struct Area {
    Index begin;
    int until;  // the last node that reads it
  };
  Index widest = 0;
  for (const NodeSpace& space : spaces_) widest = std::max(widest, space.stride);
  const int end = static_cast<int>(network.nodes().size());
  std::vector<Area> areas;
  for (int i = 0; i < end; ++i) {
    NodeSpace& space = spaces_[static_cast<std::size_t>(i)];
    if (space.holder != i) continue;
    const Node& node = network.nodes()[static_cast<std::size_t>(i)];
    if (node.forms != nullptr) place_program(node, space);
    const std::vector<Edge>& readers = readers_[static_cast<std::size_t>(i)];
    const bool kept = spaces_.back().holder == i;
    const int until = kept ? end : readers.empty() ? i : readers.back().node;
    auto area = std::find_if(areas.begin(), areas.end(), [&](const Area& a) { return a.until < i; });
    if (area == areas.end()) area = areas.insert(area, {reserve(widest), 0});
    area->until = until;
    space.output = area->begin;
  }
}

}  // namespace laminar
