// SPDX-License-Identifier: Apache-2.0
// Running a network over rows of a batch. A Pass names everything that is read (network, plan,
// parameters) and the workspace that is written; it holds no state, so one model may be run by many
// threads, each with its own workspace, and the rows of one workspace by many threads.
//
// A layer kind provides, in layers/<name>.cpp:
//   forward   its rows of the output, from its input's
//   backward  on entry delta holds d_a of its rows (d_z where the reader applied the slope already);
//             leaves d_z there and writes d_a of its inputs to Pass::back, if anyone asks for it
//   gradient_tasks / parameter_gradient   its share of phase B, for kinds that hold parameters
//   forward_sums / backward_sums   for kinds that need the whole batch: what all its rows have in
//             common, for a share of the columns, before forward and before backward
#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "laminar/base/stop.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/execution/packed.hpp"
#include "laminar/execution/plan.hpp"
#include "laminar/kernels/table.hpp"
#include "laminar/threads/parallel.hpp"

namespace laminar {

/// Rows [begin, end) of a workspace.
struct Rows {
  Index begin = 0;
  Index end = 0;
  Index count() const { return end - begin; }
};

/// Penalties on outputs and losses that layers add, summed over rows: those whose mean over the batch counts, and
/// those whose sum does.
struct ActivitySums {
  double mean = 0;
  double sum = 0;
  double of(Index rows) const { return mean / static_cast<double>(rows) + sum; }
};

/// A network, its weights and a workspace: what running it over rows reads and writes.
template <typename T>
struct Pass {
  const Network& network;
  const Plan& plan;
  const kernels::Kernels<T>& kernels;
  const T* parameters;
  const PackedWeights<T>& packed;
  T* memory;
  const T* input = nullptr;        // rows read where they lie, instead of the workspace's node 0
  const char* absorbed = nullptr;  // by node: a loss takes its activation upon itself; null: none does
  std::uint64_t seed = 0;
  Index step = 0;
  Index first_row = 0;  // of the batch: where the workspace holds a part of it

  const Node& node(int i) const { return network.nodes()[static_cast<std::size_t>(i)]; }
  int last() const { return static_cast<int>(network.nodes().size()) - 1; }
  Index stride(int i) const {
    const int holder = plan[i].holder;
    return holder == 0 && input != nullptr ? node(0).width : plan[holder].stride;
  }
  const T* output(int i, Index row) const {
    const int holder = plan[i].holder;
    if (holder == 0 && input != nullptr) return input + row * node(0).width;
    return memory + plan[holder].output + row * plan[holder].stride;
  }
  T* output_to_write(int i, Index row) const { return memory + plan[i].output + row * plan[i].stride; }
  T* delta(int i, Index row) const { return memory + plan[i].delta + row * plan[i].stride; }
  /// Where a node leaves the gradient of one of its inputs: in its place, or where it is added from.
  T* back(int i, std::size_t which, Index row) const {
    const Index place = plan[i].back[which];
    const int input = node(i).inputs[which];
    return place < 0 ? delta(input, row) : memory + place + row * plan[input].stride;
  }
  T* kept(int i, Index row) const { return memory + plan[i].kept + row * plan[i].kept_stride; }
  T* shared(int i) const { return memory + plan[i].shared; }
  // Penalties on outputs and losses that layers add: of each row summed here, or null, those whose mean counts and
  // those whose sum does; and their share in the batch's loss.
  double* activity = nullptr;
  double* summed_activity = nullptr;
  double activity_scale = 0;
  std::array<T, kAddedLosses> d_added = {};  // the same of what layers add
  StopScope* stop = nullptr;                 // where it is stopped, what is computed is of no use to anyone

  /// Whether to leave, before so many operations for each of some rows.
  bool stopping(Index rows, double operations) const {
    return stop != nullptr && stop->poll(static_cast<double>(rows) * operations);
  }
  /// One row's operations in a node, about.
  double work(int i) const {
    const Node& n = node(i);
    const bool by_width = n.tensors.empty() || has_table(n.layer);
    return 2 * static_cast<double>(by_width ? n.width : network.parameters()[n.tensors[0]].size);
  }
  bool wants_delta(int i) const { return plan[i].delta >= 0; }
  bool on_logits(int i) const { return absorbed != nullptr && absorbed[i] != 0; }
};

/// One piece of phase B: a block of one node's parameters.
struct GradientTask {
  int node = 0;
  Index in_begin = 0;
  Index in_count = 0;
  Index out_begin = 0;
  Index out_count = 0;
  int weight = 0;  // among the node's tensors; kManyWeights: all that have no tasks of their own
};

inline constexpr int kManyWeights = -1;

/// The form that a node's program is trained in.
const TrainingForm& training_form_of(const Network& network, int node);

/// Packs what a task has updated.
template <typename T>
void refresh(PackedWeights<T>& packed, const Network& network, const GradientTask& task, const T* parameters);

/// Calls take(begin, count) for at most `pieces` parts of [0, size), cut at multiples of a panel.
template <typename Take>
void cut_at_panels(Index size, Index pieces, Index panel, const Take& take) {
  const Index panels = (size + panel - 1) / panel;
  pieces = std::clamp<Index>(pieces, 1, panels);
  for (Index p = 0; p < pieces; ++p) {
    const Index begin = panels * p / pieces * panel;
    take(begin, std::min(panels * (p + 1) / pieces * panel, size) - begin);
  }
}

template <typename T>
class TableGradients;

/// Memory that will be read soon.
template <typename T>
struct Ahead {
  const T* begin = nullptr;
  Index size = 0;
};

/// Where parameter gradients go: into a buffer, or straight into an optimizer update.
template <typename T>
struct GradientSink {
  const kernels::Kernels<T>& kernels;
  T* gradients = nullptr;  // the flat gradient buffer; null: update
  bool add = false;        // to what the buffer holds already
  T* parameters = nullptr;
  int optimizer = 0;
  std::array<T*, kernels::kMaxSlots> slots{};
  std::array<T, kernels::kMaxCoefficients> coefficients{};
  PackedWeights<T>* packed = nullptr;
  TableGradients<T>* tables = nullptr;  // where gradients of tables' rows go that are not taken whole
  T* statistics = nullptr;              // the parameters, where running statistics are to follow the batch's

  /// Takes rows x columns gradients that belong at `offset` of the flat buffers.
  void take(Index offset, Index stride, const T* block, Index block_stride, Index rows, Index columns) const;

  /// One of `parts` equal parts of what an update of `size` parameters from `offset` on will read.
  Ahead<T> ahead(Index offset, Index size, Index part, Index parts) const;
};

/// Forward through the nodes [first, end) for the given rows.
template <typename T>
void forward(const Pass<T>& pass, Rows rows, int first, int end);

/// Back through the nodes from `last` down to `first` for the given rows, from the last one's delta.
template <typename T>
void backward(const Pass<T>& pass, Rows rows, int last, int first);

/// Adds the gradient that a node has left for one of its inputs, where others have read that as well.
template <typename T>
void add_gradient(const Pass<T>& pass, int node, std::size_t which, Rows rows);

/// The sums of a node that needs the whole batch, for this thread's share of its columns.
template <typename T>
void forward_sums(const Pass<T>& pass, int node, Index rows, const Team& team);
template <typename T>
void backward_sums(const Pass<T>& pass, int node, Index rows, const Team& team);

/// All of phase B for batches of up to `rows` rows, in a fixed order.
std::vector<GradientTask> gradient_tasks(const Network& network, Index panel, Index rows);

/// One piece of phase B over the first `rows` rows.
template <typename T>
void parameter_gradient(const Pass<T>& pass, const GradientTask& task, Index rows, const GradientSink<T>& sink);

}  // namespace laminar
