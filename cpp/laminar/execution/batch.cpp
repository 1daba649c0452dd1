// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/batch.hpp"

#include <algorithm>

#include "laminar/execution/compare.hpp"
#include "laminar/execution/layers/kernel_gradient.hpp"

namespace laminar {
namespace {

Index cost_of(const GradientTask& task) { return task.in_count * task.out_count; }

}  // namespace

std::vector<int> whole_batch_nodes(const Network& network) {
  std::vector<int> nodes;
  for (std::size_t i = 1; i < network.nodes().size(); ++i) {
    if (needs_whole_batch(network.nodes()[i].layer)) nodes.push_back(static_cast<int>(i));
  }
  return nodes;
}

template <typename T>
BatchMemory<T>::Comparison::Comparison(const Goal& goal_, Index rows)
    : goal(&goal_),
      stride(padded_stride(goal_.targets)),
      targets(goal_.labels ? 0 : rows * stride),
      weights(rows),
      losses(rows),
      labels(static_cast<std::size_t>(goal_.labels ? rows : 0)),
      scores(goal_, rows) {}

template <typename T>
BatchMemory<T>::BatchMemory(const Network& network, const Objective& objective, Index rows, ProductPrecision precision)
    : plan_(network, rows, Mode::training, precision),
      memory_(plan_.size()),
      activity_(static_cast<std::size_t>(network.penalizes_activity() ? 2 * rows : 0)),
      whole_batch_(whole_batch_nodes(network)) {
  comparisons_.reserve(objective.goals.size());
  for (const Goal& goal : objective.goals) {
    comparisons_.emplace_back(goal, rows);
    part_room_ = std::max(part_room_, PartOfRow<T>::room(goal));
    own_room_ = std::max(own_room_, own_room(goal));
  }
  cut_tasks(network, 1);
}

template <typename T>
Index BatchMemory<T>::row_bytes(const Objective& objective) {
  Index bytes = 0;
  for (const Goal& goal : objective.goals) {
    const Index stride = padded_stride(goal.columns);
    bytes += (goal.needs_link() ? 3 : 2) * stride * static_cast<Index>(sizeof(T));
    for (const Metric& metric : goal.metrics) {
      bytes += metric.row_values(goal.columns) * static_cast<Index>(sizeof(double));
    }
  }
  return bytes;
}

// Nodes that need the whole batch cut the way into segments: within one, blocks of rows go through
// all nodes without a barrier. Without such nodes there is one segment, and a block comes back from
// its loss while its values are in the nearest cache.
template <typename T>
void BatchMemory<T>::forward_and_back(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch,
                                      std::span<const T> scales, const Team& team) {
  forward_to_last_segment(pass, batch, team);
  const int first = whole_batch_.empty() ? 1 : whole_batch_.back();
  const int lowest = whole_batch_.empty() ? 1 : first + 1;
  const int end = objective.end(pass.network);
  if (objective.mixes_rows()) return compare_at_once(pass, objective, batch, scales, team);
  for_row_blocks(batch.count, pass.kernels.depths, team, [&](Rows rows) {
    if (whole_batch_.empty()) gather(pass, batch, rows);
    forward(pass, rows, first, end);
    compare(pass, objective, batch, scales, rows);
    backward(pass, rows, end - 1, lowest);
  });
  backward_from_last_segment(pass, batch, team);
}

// Where the loss of a row depends on the others, one thread compares all of them.
template <typename T>
void BatchMemory<T>::compare_at_once(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch,
                                     std::span<const T> scales, const Team& team) {
  const int first = whole_batch_.empty() ? 1 : whole_batch_.back();
  const int lowest = whole_batch_.empty() ? 1 : first + 1;
  const int end = objective.end(pass.network);
  for_row_blocks(batch.count, pass.kernels.depths, team, [&](Rows rows) {
    if (whole_batch_.empty()) gather(pass, batch, rows);
    forward(pass, rows, first, end);
  });
  team.barrier();
  if (team.rank() == 0) compare(pass, objective, batch, scales, {0, batch.count});
  team.barrier();
  for_row_blocks(batch.count, pass.kernels.depths, team, [&](Rows rows) { backward(pass, rows, end - 1, lowest); });
  backward_from_last_segment(pass, batch, team);
}

template <typename T>
void BatchMemory<T>::forward_to_last_segment(const Pass<T>& pass, const BatchRows<T>& batch, const Team& team) {
  int first = 1;
  for (const int node : whole_batch_) {
    for_row_blocks(batch.count, pass.kernels.depths, team, [&](Rows rows) {
      if (first == 1) gather(pass, batch, rows);
      forward(pass, rows, first, node);
    });
    team.barrier();
    forward_sums(pass, node, batch.count, team);
    team.barrier();
    first = node;
  }
}

template <typename T>
void BatchMemory<T>::backward_from_last_segment(const Pass<T>& pass, const BatchRows<T>& batch, const Team& team) {
  for (std::size_t s = whole_batch_.size(); s-- > 0;) {
    const int node = whole_batch_[s];
    if (pass.wants_delta(node)) {
      team.barrier();
      backward_sums(pass, node, batch.count, team);
      team.barrier();
    }
    const int lowest = s == 0 ? 1 : whole_batch_[s - 1] + 1;
    for_row_blocks(batch.count, pass.kernels.depths, team, [&](Rows rows) { backward(pass, rows, node, lowest); });
  }
}

template <typename T>
const T* BatchMemory<T>::input_in_place(const BatchRows<T>& batch) const {
  const MatrixView<const T>& x = batch.data.x;
  if (batch.order != nullptr || !plan_.reads_input_in_place() || x.columns % kLongStride == 0) return nullptr;
  return x.data + batch.first * x.columns;
}

template <typename T>
void BatchMemory<T>::gather(const Pass<T>& pass, const BatchRows<T>& batch, Rows rows) {
  if (!activity_.empty()) {
    std::fill(activity() + rows.begin, activity() + rows.end, 0.0);
    std::fill(summed_activity() + rows.begin, summed_activity() + rows.end, 0.0);
  }
  const MatrixView<const T>& x = batch.data.x;
  const bool shuffled = batch.order != nullptr;
  if (pass.input == nullptr) {
    pass.kernels.gather(x.data + (shuffled ? 0 : batch.row(rows.begin) * x.columns), x.columns,
                        shuffled ? batch.order + batch.first + rows.begin : nullptr, rows.count(),
                        pass.output_to_write(0, rows.begin), pass.stride(0));
  }
  for (Comparison& comparison : comparisons_) gather(comparison, batch, rows);
}

template <typename T>
void BatchMemory<T>::gather(Comparison& comparison, const BatchRows<T>& batch, Rows rows) {
  const Goal& goal = *comparison.goal;
  if (goal.labels) {
    for (Index i = rows.begin; i < rows.end; ++i) {
      comparison.labels[static_cast<std::size_t>(i)] = batch.label(goal, batch.row(i));
    }
  } else {
    const T* const from = batch.targets(goal, 0);
    const Index stride = batch.data.y.values.columns;
    for (Index i = rows.begin; i < rows.end; ++i) {
      std::copy_n(from + batch.row(i) * stride, goal.targets, comparison.targets.data() + i * comparison.stride);
    }
  }
  if (batch.data.sample_weight.empty()) return;
  const GoalWeights<T> weights(goal, batch.data);
  for (Index i = rows.begin; i < rows.end; ++i) comparison.weights.data()[i] = weights[batch.row(i)];
}

// Where outputs are compared one by one, gradients go where the last node, which brings them together at
// prediction, would leave them.
template <typename T>
void BatchMemory<T>::compare(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch,
                             std::span<const T> scales, Rows rows) {
  const int last = pass.last();
  if (!objective.apart) {
    return compare(pass, comparisons_.front(), batch, scales[0], pass.delta(last, rows.begin), rows);
  }
  std::size_t next = 0;
  for (std::size_t output = 0; output < pass.node(last).inputs.size(); ++output) {
    const int input = pass.node(last).inputs[output];
    T* const delta = pass.wants_delta(input) ? pass.back(last, output, rows.begin) : nullptr;
    const bool compared = next < comparisons_.size() && comparisons_[next].goal->output == output;
    if (delta != nullptr && !(compared && comparisons_[next].goal->loss)) {
      std::fill_n(delta, rows.count() * pass.plan[input].stride, T(0));
    }
    if (compared) {
      compare(pass, comparisons_[next], batch, scales[next], delta, rows);
      ++next;
    }
    add_gradient(pass, last, output, rows);
  }
}

template <typename T>
void BatchMemory<T>::compare(const Pass<T>& pass, Comparison& comparison, const BatchRows<T>& batch, T scale, T* delta,
                             Rows rows) {
  const Goal& goal = *comparison.goal;
  Compared<T> c;
  c.outputs = pass.output_to_write(goal.node, rows.begin);
  c.outputs_stride = pass.plan[goal.node].stride;
  c.targets = goal.labels ? nullptr : comparison.targets.data() + rows.begin * comparison.stride;
  c.targets_stride = comparison.stride;
  c.labels = goal.labels ? comparison.labels.data() + rows.begin : nullptr;
  c.weights = batch.data.sample_weight.empty() ? nullptr : comparison.weights.data() + rows.begin;
  c.scale = scale;
  c.delta = delta;
  c.delta_stride = pass.plan[goal.node].stride;
  c.losses = comparison.losses.data() + rows.begin;
  c.scores = &comparison.scores;
  c.first_score = rows.begin;
  c.rows = rows.count();
  c.columns = goal.columns;
  laminar::compare(pass.kernels, goal, c);
}

// One thread takes the largest pieces that its caches like; several need enough of them.
template <typename T>
void BatchMemory<T>::cut_tasks(const Network& network, int threads) {
  constexpr Index kPiecesPerThread = 4;
  if (threads == task_threads_) return;
  task_threads_ = threads;
  const Index panel = kernels::kernels<T>().panel;
  const auto whole = gradient_tasks(network, panel, plan_.rows());
  Index total = 0;
  for (const GradientTask& task : whole) total += cost_of(task);
  const Index largest = threads == 1 ? total : std::max(panel * panel, total / (kPiecesPerThread * threads));
  const auto pieces_of = [&](const GradientTask& task) { return (cost_of(task) + largest - 1) / largest; };
  tasks_.clear();
  for (const GradientTask& task : whole) {
    cut_at_panels(task.in_count, pieces_of(task), panel, [&](Index in, Index in_count) {
      const GradientTask rows{task.node, task.in_begin + in, in_count, task.out_begin, task.out_count, task.weight};
      cut_at_panels(rows.out_count, pieces_of(rows), panel, [&](Index out, Index out_count) {
        tasks_.push_back({rows.node, rows.in_begin, rows.in_count, rows.out_begin + out, out_count, rows.weight});
      });
    });
  }
  scratch_ = plan_.scratch();
  scratch_.need(Scratch::present, part_room_);
  scratch_.need(Scratch::program, own_room_);
  for (const GradientTask& task : tasks_) {
    if (!has_kernel(network.nodes()[static_cast<std::size_t>(task.node)].layer)) continue;
    const PieceRoom room = room_of(kernels::kernels<T>(), task, plan_.rows());
    const Index places = network.calls_of(task.node).size() > 1 ? 2 : 1;
    scratch_.need(Scratch::gradient, places * (room.block + room.inputs));
  }
  task_costs_ = {0};
  for (const GradientTask& task : tasks_) task_costs_.push_back(task_costs_.back() + cost_of(task));
}

template <typename T>
Team::Share BatchMemory<T>::task_share(const Team& team) const {
  const auto begin_of = [&](int rank) {  // the place that is nearest to an even share
    const Index target = task_costs_.back() * rank / team.size();
    const auto at = std::lower_bound(task_costs_.begin(), task_costs_.end(), target);
    const bool before = at != task_costs_.begin() && target - *(at - 1) < *at - target;
    return static_cast<Index>(at - task_costs_.begin()) - (before ? 1 : 0);
  };
  return {begin_of(team.rank()), begin_of(team.rank() + 1)};
}

template <typename T>
void BatchMemory<T>::add_activity(ActivitySums& sums, Index rows) const {
  if (activity_.empty()) return;
  ActivitySums own;
  for (Index i = 0; i < rows; ++i) {
    own.mean += activity_[static_cast<std::size_t>(i)];
    own.sum += activity_[static_cast<std::size_t>(this->rows() + i)];
  }
  sums.mean += own.mean;
  sums.sum += own.sum;
}

template <typename T>
double BatchMemory<T>::loss_sum(std::size_t goal, Index rows) const {
  const T* losses = comparisons_[goal].losses.data();
  double sum = 0;
  for (Index i = 0; i < rows; ++i) sum += static_cast<double>(losses[i]);
  return sum;
}

template <typename T>
void BatchMemory<T>::fold_scores(std::span<Scores> scores, const BatchRows<T>& batch) const {
  for (std::size_t g = 0; g < comparisons_.size(); ++g) {
    const Comparison& comparison = comparisons_[g];
    const T* weights = batch.data.sample_weight.empty() ? nullptr : comparison.weights.data();
    scores[g].fold(comparison.scores, weights, batch.count);
  }
}

template class BatchMemory<float>;
template class BatchMemory<double>;

}  // namespace laminar
