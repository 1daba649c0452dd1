// SPDX-License-Identifier: Apache-2.0
// The memory of a batch under training and phase A of a step: rows are gathered through the shuffle,
// go forward, meet their loss and come back, block by block while they are in the nearest cache.
#pragma once

#include <optional>
#include <vector>

#include "laminar/objective.hpp"
#include "laminar/parallel.hpp"
#include "laminar/pass.hpp"
#include "laminar/small.hpp"

namespace laminar {

/// Rows of a data set: `count` of them from position `first` of the order.
template <typename T>
struct BatchRows {
  const Dataset<T>& data;
  const Index* order;  // null: the rows as they stand
  Index first;
  Index count;

  Index row(Index i) const { return order != nullptr ? order[first + i] : first + i; }
  /// Sum of the rows' weights, which the batch's loss and gradient are divided by.
  double weight() const {
    if (data.sample_weight.empty()) return static_cast<double>(count);
    double sum = 0;
    for (Index i = 0; i < count; ++i) sum += static_cast<double>(data.sample_weight[static_cast<std::size_t>(row(i))]);
    return sum;
  }
};

template <typename T>
class BatchMemory {
 public:
  BatchMemory(const Network& network, const Objective& objective, Index rows);

  const Plan& plan() const { return plan_; }
  Index rows() const { return plan_.rows(); }
  T* memory() { return memory_.data(); }
  const std::vector<GradientTask>& tasks() const { return tasks_; }
  /// This thread's share of phase B: consecutive tasks, about the same work for everyone.
  Team::Share task_share(const Team& team) const;
  /// The small network's step, null where the general one is used.
  const SmallNetwork<T>* small() const { return small_.has_value() ? &*small_ : nullptr; }

  /// Phase A for this thread's share of the batch: losses, metrics and all deltas.
  /// Gradients are those of the sum of the rows' losses times `scale`.
  void forward_and_back(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch, T scale,
                        const Team& team);

  /// Sum over the first `rows` rows, in their order: the same for every thread that asks.
  double loss_sum(Index rows) const;
  double metric_sum(std::size_t metric, Index rows) const;

 private:
  void gather(const Pass<T>& pass, const BatchRows<T>& batch, Rows rows);
  void compare(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch, T scale, Rows rows);

  Plan plan_;
  AlignedBuffer<T> memory_;
  Index target_stride_;
  AlignedBuffer<T> targets_;
  AlignedBuffer<T> weights_;
  AlignedBuffer<T> losses_;
  std::vector<std::int32_t> labels_;
  std::vector<double> metrics_;  // [metric][row]
  std::vector<GradientTask> tasks_;
  std::vector<Index> task_costs_;  // of all tasks up to this one
  std::optional<SmallNetwork<T>> small_;
};

/// Calls work(Rows) over this thread's share of `count` rows in blocks that stay in its cache.
template <typename Work>
void for_row_blocks(Index count, const Team& team, const Work& work) {
  const Team::Share share = team.share(count);
  const Index rows = share.end - share.begin;
  const Index blocks = (rows + kBlockRows - 1) / kBlockRows;
  for (Index b = 0; b < blocks; ++b) {
    work(Rows{share.begin + rows * b / blocks, share.begin + rows * (b + 1) / blocks});
  }
}

}  // namespace laminar
