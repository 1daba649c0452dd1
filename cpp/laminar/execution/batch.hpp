// SPDX-License-Identifier: Apache-2.0
// The memory of a batch under training and phase A of a step: rows are gathered through the shuffle,
// go forward, meet their loss and come back, block by block while they are in the nearest cache.
#pragma once

#include <algorithm>
#include <vector>

#include "laminar/data/batch_rows.hpp"
#include "laminar/execution/pass.hpp"
#include "laminar/execution/scores.hpp"
#include "laminar/graph/objective.hpp"
#include "laminar/threads/parallel.hpp"

namespace laminar {

/// The nodes that need all rows of their input, in order.
std::vector<int> whole_batch_nodes(const Network& network);

/// A batch of up to a fixed number of rows: its values in all layers, its losses, and phase A over it.
template <typename T>
class BatchMemory {
 public:
  BatchMemory(const Network& network, const Objective& objective, Index rows, ProductPrecision precision);

  const Plan& plan() const { return plan_; }
  Index rows() const { return plan_.rows(); }
  T* memory() { return memory_.data(); }
  /// The batch's rows where they lie, if they can be read there: unshuffled, by dense layers alone, and
  /// not so that they fall into few cache sets; else null.
  const T* input_in_place(const BatchRows<T>& batch) const;
  /// Cuts phase B into pieces that this many threads can share evenly.
  void cut_tasks(const Network& network, int threads);
  const std::vector<GradientTask>& tasks() const { return tasks_; }
  /// What each thread of a step needs besides.
  const ScratchSizes& scratch() const { return scratch_; }
  /// Whether some task changes running statistics.
  bool lasting() const { return !whole_batch_.empty(); }
  /// This thread's share of phase B: consecutive tasks, about the same work for everyone.
  Team::Share task_share(const Team& team) const;

  /// Phase A for this thread's share of the batch: losses, metrics and all deltas. Gradients are those of the
  /// sum of the rows' losses times `scales`, one for each goal.
  void forward_and_back(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch,
                        std::span<const T> scales, const Team& team);

  /// Sum of a goal's losses over the first `rows` rows, in their order: the same for every thread that asks.
  double loss_sum(std::size_t goal, Index rows) const;
  /// Adds the same of the penalties on outputs and of losses that layers add: of those whose mean counts, and of those
  /// whose sum does.
  void add_activity(ActivitySums& sums, Index rows) const;
  /// Where they are collected, a number a row; null where there are none.
  double* activity() { return activity_.empty() ? nullptr : activity_.data(); }
  double* summed_activity() { return activity_.empty() ? nullptr : activity_.data() + rows(); }
  /// Folds the batch's rows into the states of all goals' metrics, in their order.
  void fold_scores(std::span<Scores> scores, const BatchRows<T>& batch) const;
  /// Bytes of a row beside the plan's.
  static Index row_bytes(const Objective& objective);

 private:
  /// The way forward as far as it can go without the whole batch … and the way back from there.
  void forward_to_last_segment(const Pass<T>& pass, const BatchRows<T>& batch, const Team& team);
  void backward_from_last_segment(const Pass<T>& pass, const BatchRows<T>& batch, const Team& team);
  /// Phase A from there on, where all rows are compared at once.
  void compare_at_once(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch,
                       std::span<const T> scales, const Team& team);
  void gather(const Pass<T>& pass, const BatchRows<T>& batch, Rows rows);
  /// What the rows are compared with in one goal, and what comes of it.
  struct Comparison {
    Comparison(const Goal& goal, Index rows);

    const Goal* goal;
    Index stride;  // of targets
    AlignedBuffer<T> targets;
    AlignedBuffer<T> weights;
    AlignedBuffer<T> losses;
    std::vector<std::int32_t> labels;
    RowScores<T> scores;
  };

  /// Targets and weights of a goal.
  void gather(Comparison& comparison, const BatchRows<T>& batch, Rows rows);
  void compare(const Pass<T>& pass, const Objective& objective, const BatchRows<T>& batch, std::span<const T> scales,
               Rows rows);
  /// The same for one goal; the gradients go to `delta`, or nowhere where it is null.
  void compare(const Pass<T>& pass, Comparison& comparison, const BatchRows<T>& batch, T scale, T* delta, Rows rows);

  Plan plan_;
  AlignedBuffer<T> memory_;
  std::vector<Comparison> comparisons_;  // one a goal
  Index part_room_ = 0;                  // scratch for rows with some of their targets
  Index own_room_ = 0;                   // … and for losses and metrics of one's own
  std::vector<double> activity_;
  std::vector<int> whole_batch_;  // nodes that need all rows of their input
  int task_threads_ = 0;          // that phase B is cut for
  std::vector<GradientTask> tasks_;
  ScratchSizes scratch_;
  std::vector<Index> task_costs_;  // of all tasks before this one; one more for all
};

inline constexpr Index kLeastRows = 4;  // a product of fewer takes as long

/// How many of so many threads share `count` rows.
inline int row_sharers(Index count, int threads) {
  return static_cast<int>(std::clamp<Index>((count + kLeastRows - 1) / kLeastRows, 1, threads));
}

/// Calls work(Rows) over this thread's share of `count` rows in blocks that stay in its cache, which begin at
/// multiples of `together`: so many rows share an element of what the blocks leave. Few rows are shared by few
/// threads, the last ones: the first asks the caller between steps.
template <typename Work>
void for_row_blocks(Index count, Index together, const Team& team, const Work& work) {
  const int sharers = row_sharers(count, team.size());
  const int rank = team.rank() - (team.size() - sharers);
  if (rank < 0) return;
  const Team::Share share = Team(rank, sharers).share((count + together - 1) / together);
  const Index groups = share.end - share.begin;
  const Index blocks = (together * groups + kBlockRows - 1) / kBlockRows;
  for (Index b = 0; b < blocks; ++b) {
    const Index begin = share.begin + groups * b / blocks;
    const Index end = share.begin + groups * (b + 1) / blocks;
    work(Rows{together * begin, std::min(together * end, count)});
  }
}

}  // namespace laminar
