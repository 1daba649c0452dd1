// SPDX-License-Identifier: Apache-2.0
// An epoch on its way: what it goes through, the batches of a block, and what has come of them.
#pragma once

#include <algorithm>
#include <cmath>
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
  MeanWeight mean = {};

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
  T* gradients = nullptr;  // non-null: fill it, update nothing

  /// Rows of a batch but the last one.
  Index batch_size() const { return epoch.batch_size > 0 ? epoch.batch_size : data.x.rows; }
  Index size() const { return (data.x.rows + batch_size() - 1) / batch_size(); }
  BatchRows<T> batch(Index b) const {
    const Index first = b * batch_size();
    return {data, order, first, std::min(batch_size(), data.x.rows - first), epoch.mean};
  }
};

/// What came of a run of batches. Written by rank 0 alone.
struct Outcome {
  Outcome(const Objective& objective_, Index outputs) : objective(&objective_), scores(objective_.metrics, outputs) {
    for (const std::string& name : objective->names) logs.push_back({name.c_str(), 0});
  }

  const Objective* objective;
  Index done = 0;     // updates made in this run
  Index rows = 0;     // rows seen
  double weight = 0;  // of these rows
  bool finite = true;
  bool stop = false;       // the caller asked to, before the way back was complete
  bool abandoned = false;  // … or before all gradients were: nothing is updated
  double last_loss = 0;    // sum over the last batch
  double loss = 0;         // sum over rows
  double penalties = 0;    // of the batches, times their weights
  Scores scores;
  std::vector<Log> logs;

  /// After so many batches of an epoch, to go on from there.
  EpochPosition position(const Epoch& epoch, Index batches_done) const {
    return {batches_done, epoch.rows, epoch.batch_size, epoch.shuffle,  epoch.block_rows, epoch.parts, rows,
            weight,       loss,       penalties,        scores.states()};
  }
  void go_on(const EpochPosition& from) {
    rows = from.rows_seen;
    weight = from.weight;
    loss = from.loss;
    penalties = from.penalties;
    scores.set_states(from.scores);
  }

  /// What came of one more batch.
  void add(double batch_loss, double batch_weight, Index batch_rows) {
    finite = std::isfinite(batch_loss);
    last_loss = batch_loss;
    loss += batch_loss;
    weight += batch_weight;
    rows += batch_rows;
  }
  /// What is added to the loss of the same batch.
  void add_penalty(double penalty, double batch_weight) {
    finite = finite && std::isfinite(penalty);
    penalties += batch_weight > 0 ? penalty * batch_weight : 0;
  }
  /// Loss and metrics over the rows seen: the mean by their weights, whatever batches they came in.
  std::span<const Log> means() { return means(weight); }
  /// The same with the loss as a batch was updated by.
  std::span<const Log> means(double divisor) {
    logs[0].value = weight > 0 ? objective->loss.finish(loss / divisor) + penalties / weight : 0;
    for (std::size_t m = 0; m < scores.size(); ++m) logs[m + 1].value = scores.result(m);
    return logs;
  }
};

}  // namespace laminar
