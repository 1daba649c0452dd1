// SPDX-License-Identifier: Apache-2.0
// An epoch on its way: what it goes through, the batches of a block, and what has come of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "laminar/data/batch_rows.hpp"
#include "laminar/execution/scores.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// One pass over all rows.
struct Epoch {
  Index number = 0;
  Index rows = 0;        // 0 where only reading tells
  Index batch_size = 0;  // 0 where each batch has a size of its own
  bool shuffle = false;
  Index block_rows = 0;  // of a source that is read in blocks, and its parts; else 0
  Index parts = 0;       // or, where each batch has a size of its own, their number, 0 if only reading tells
  Index part = 0;        // most rows of a batch that go through at a time; 0 for all
  std::span<const MeanWeight> means = {};  // of the rows, one a goal
  bool own_weights = false;                // each batch is divided by its own

  /// 0 where only reading tells.
  Index batches() const { return batch_size > 0 ? (rows + batch_size - 1) / batch_size : parts; }
};

/// Consecutive batches of one block of an epoch.
template <typename T>
struct Batches {
  const Dataset<T>& data;
  const Index* order;
  Epoch epoch;
  Index earlier = 0;  // batches of the blocks before this one
  Index begin = 0;    // in this block
  Index end = 0;

  /// Rows of a batch but the last one.
  Index batch_size() const { return epoch.batch_size > 0 ? epoch.batch_size : data.x.rows; }
  Index size() const { return (data.x.rows + batch_size() - 1) / batch_size(); }
  bool single() const { return end - begin == 1; }
  /// One of the block's.
  Batches only(Index b) const { return {data, order, epoch, earlier, b, b + 1}; }
  BatchRows<T> batch(Index b) const {
    const Index first = b * batch_size();
    return {data, order, first, std::min(batch_size(), data.x.rows - first), epoch.means, epoch.own_weights};
  }
};

/// What came of a run of batches. Written by rank 0 alone.
struct Outcome {
  explicit Outcome(const Objective& objective_) : objective(&objective_), sums(objective_.goals.size()) {
    scores.reserve(objective->goals.size());
    for (const Goal& goal : objective->goals) scores.emplace_back(goal);
    for (const std::string& name : objective->names) logs.push_back({name.c_str(), 0});
  }

  const Objective* objective;
  Index done = 0;  // updates made in this run
  Index rows = 0;  // rows seen
  bool finite = true;
  bool stop = false;       // the caller asked to, before the way back was complete
  bool abandoned = false;  // … or before all gradients were: nothing is updated
  double last_loss = 0;    // sum over the last batch
  double penalties = 0;    // of the batches, times their weights
  std::vector<LossSum> sums;
  std::vector<Scores> scores;
  std::vector<Log> logs;

  /// Notes where an epoch stands after so many batches, to go on from there. Memory that is there is used again.
  void note(std::optional<EpochPosition>& to, const Epoch& epoch, Index batches_done) const {
    if (!to.has_value()) to.emplace();
    EpochPosition& position = *to;
    position.batches = batches_done;
    position.rows = epoch.rows;
    position.batch_size = epoch.batch_size;
    position.shuffle = epoch.shuffle;
    position.block_rows = epoch.block_rows;
    position.parts = epoch.parts;
    position.rows_seen = rows;
    position.sums = sums;
    position.penalties = penalties;
    std::size_t metrics = 0;
    for (const Scores& of_goal : scores) metrics += of_goal.size();
    position.scores.resize(metrics);
    auto score = position.scores.begin();
    for (const Scores& of_goal : scores) score = std::copy(of_goal.states().begin(), of_goal.states().end(), score);
  }
  void go_on(const EpochPosition& from) {
    rows = from.rows_seen;
    sums = from.sums;
    penalties = from.penalties;
    auto state = from.scores.begin();
    for (Scores& of_goal : scores) {
      const auto end = state + static_cast<std::ptrdiff_t>(of_goal.size());
      of_goal.set_states({state, end});
      state = end;
    }
  }
  /// As it was before the first batch.
  void restart() {
    done = rows = 0;
    finite = true;
    stop = abandoned = false;
    last_loss = penalties = 0;
    std::fill(sums.begin(), sums.end(), LossSum{});
    for (Scores& of_goal : scores) of_goal.clear();
  }
  void reserve(Index more_rows) {
    for (Scores& of_goal : scores) of_goal.reserve(more_rows);
  }

  /// What came of one more batch: its rows, and its loss in all goals together.
  void add(double batch_loss, Index batch_rows) {
    finite = std::isfinite(batch_loss);
    last_loss = batch_loss;
    rows += batch_rows;
  }
  /// … and in one of them.
  void add_loss(std::size_t goal, double batch_loss, double batch_weight) {
    sums[goal].loss += batch_loss;
    sums[goal].weight += batch_weight;
  }
  /// What is added to the loss of the same batch.
  void add_penalty(double penalty, double batch_weight) {
    finite = finite && std::isfinite(penalty);
    penalties += batch_weight > 0 ? penalty * batch_weight : 0;
  }
  /// The largest of what the rows seen weigh in goals that have a loss.
  double weight() const {
    double largest = 0;
    for (std::size_t g = 0; g < sums.size(); ++g) {
      if (objective->goals[g].loss) largest = std::max(largest, sums[g].weight);
    }
    return largest;
  }
  /// Loss and metrics over the rows seen: the mean by their weights, whatever batches they came in.
  std::span<const Log> means() {
    return means([](const Goal&, double weight) { return weight; });
  }
  /// The same with losses as a batch was updated by: divided by divisor(goal, weight).
  template <typename Divisor>
  std::span<const Log> means(const Divisor& divisor) {
    double total = 0;
    for (std::size_t g = 0; g < sums.size(); ++g) {
      const Goal& goal = objective->goals[g];
      if (goal.loss) {
        const double mean = sums[g].weight > 0 ? goal.loss->finish(sums[g].loss / divisor(goal, sums[g].weight)) : 0;
        total += goal.weight * mean;
        if (goal.log) logs[*goal.log].value = mean;
      }
      for (std::size_t m = 0; m < scores[g].size(); ++m) logs[goal.metric_logs[m]].value = scores[g].result(m);
    }
    const double weight = penalty_weight(sums.front().weight, rows);
    logs[0].value = weight > 0 ? total + penalties / weight : 0;
    return logs;
  }
  /// What penalties of a batch count in the mean over an epoch: as much as its rows do in the only goal.
  double penalty_weight(double weight, Index counted) const {
    return objective->apart ? static_cast<double>(counted) : weight;
  }
};

}  // namespace laminar
