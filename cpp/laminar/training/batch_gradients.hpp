// SPDX-License-Identifier: Apache-2.0
// A batch's loss and the gradients of all that is minimized: the step up to where weights change. It reads a
// State, changes nothing of it, and works in memory of its own.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "laminar/execution/batch.hpp"
#include "laminar/execution/penalties.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/execution/table_gradients.hpp"
#include "laminar/training/epoch.hpp"

namespace laminar {

/// Phases A and B of a step over one batch, which may go through in parts.
template <typename T>
class BatchGradients {
 public:
  explicit BatchGradients(const State<T>& state) : state_(state), penalties_(state.network.parameters()) {}

  /// Memory for batches of so many rows, of which `part` go through at a time, 0 for all.
  void reserve(Index rows, Index part);
  void release() { memory_.reset(); }
  BatchMemory<T>& memory() { return *memory_; }
  /// Whether weights have penalties, whose gradients come once all others are summed.
  bool penalizes() const { return !penalties_.none(); }

  /// What the rows of the next batch weigh in each goal, and what its gradients are multiplied by.
  void weigh(const BatchRows<T>& batch);
  /// A thread's part in summing loss, metrics and gradients. These go to `to`, those of the penalties too where it
  /// is a buffer. Rank 0 calls between_parts(), and each thread ready(pass, rows, first part) before the gradients
  /// of a part. False where a loss is not finite, or `stop` says so, which the outcome tells.
  template <typename Between, typename Ready>
  bool sum(const BatchRows<T>& batch, Index iteration, GradientSink<T> to, StopScope* stop, const Team& team,
           Outcome& outcome, const Between& between_parts, const Ready& ready);

 private:
  /// A part's way forward and back; its losses are added up. False where it ends here.
  bool part_forward_and_back(const Pass<T>& pass, const BatchRows<T>& batch, const BatchRows<T>& rows, const Team& team,
                             Outcome& outcome, double& loss, ActivitySums& activity);
  /// This thread's share of phase B. With `lasting`, that which changes running statistics, or the rest.
  void gradient_share(const Pass<T>& pass, const GradientSink<T>& to, Index rows, const Team& team,
                      std::optional<bool> lasting);
  /// From the gradient of the losses' mean, times `slope`, to that of all that is minimized.
  void complete(const GradientSink<T>& to, double slope, const Team& team);
  double penalty_scale() const;

  const State<T>& state_;
  Penalties<T> penalties_;
  std::unique_ptr<BatchMemory<T>> memory_;
  std::vector<double> weights_;  // these three as weigh() leaves them, one a goal
  std::vector<double> divisors_;
  std::vector<T> scales_;
};

// All threads leave in the same part: what decides is the same for each of them. Every thread sums the batch's
// losses itself, in the same order; `stop` is written by rank 0 before the first barrier and read by all after it,
// `abandoned` before the second.
template <typename T>
template <typename Between, typename Ready>
bool BatchGradients<T>::sum(const BatchRows<T>& batch, Index iteration, GradientSink<T> to, StopScope* stop,
                            const Team& team, Outcome& outcome, const Between& between_parts, const Ready& ready) {
  BatchMemory<T>& memory = *memory_;
  const Index part = memory.rows();
  const bool in_place = to.gradients == nullptr;
  double loss = 0;
  ActivitySums activity;
  penalties_.compute(state_.parameters.data(), team);
  for (Index first = 0; first < batch.count; first += part) {
    if (first > 0 && team.rank() == 0) between_parts();
    const BatchRows<T> rows{batch.data, batch.order, batch.first + first, std::min(part, batch.count - first)};
    const Pass<T> pass{.network = state_.network,
                       .plan = memory.plan(),
                       .kernels = state_.packed.kernels(),
                       .parameters = state_.parameters.data(),
                       .packed = state_.packed,
                       .memory = memory.memory(),
                       .input = memory.input_in_place(rows),
                       .absorbed = state_.objective->absorbed(),
                       .seed = state_.seed,
                       .step = iteration,
                       .first_row = first,
                       .activity = memory.activity(),
                       .summed_activity = memory.summed_activity(),
                       .activity_scale = 1 / static_cast<double>(batch.count),
                       .d_added = {static_cast<T>(1 / static_cast<double>(batch.count)), T(1)},
                       .stop = stop};
    if (!part_forward_and_back(pass, batch, rows, team, outcome, loss, activity)) return false;
    ready(pass, rows.count, first == 0);
    gradient_share(pass, to, rows.count, team, in_place ? std::nullopt : std::optional(false));
    if (team.rank() == 0 && !in_place && stop != nullptr) outcome.abandoned = stop->stopped();
    team.barrier();
    if (outcome.abandoned) return false;
    if (!in_place && memory.lasting()) {
      gradient_share(pass, to, rows.count, team, true);
      team.barrier();
    }
    to.add = true;
  }
  if (in_place) return true;
  const double divisor = divisors_.front();
  const Objective& objective = *state_.objective;
  const double slope =
      objective.whole_batch() && divisor > 0 ? objective.goals.front().loss->finish_slope(loss / divisor) : 1;
  complete(to, slope, team);
  return true;
}

}  // namespace laminar
