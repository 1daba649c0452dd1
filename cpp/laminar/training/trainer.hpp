// SPDX-License-Identifier: Apache-2.0
// The only epoch loop: epochs, their order, who is asked between batches, and what stays where training fails.
// Executors make the updates.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "laminar/data/row_blocks.hpp"
#include "laminar/training/general_executor.hpp"
#include "laminar/training/small_executor.hpp"

namespace laminar {

/// Trains a State; Model is its public face.
template <typename T>
class Trainer {
 public:
  /// Throws where the optimizer's options do not suit the network.
  explicit Trainer(State<T>& state, const Optimizer& optimizer);

  /// Throws NonFiniteError where loss or weights stop being finite; the last finite weights stay.
  History fit(RowBlocks<T>& rows, RowBlocks<T>* validation, const FitOptions<T>& options);

  /// One update. Returns loss and metrics of the batch before it.
  std::vector<double> train_on_batch(const Dataset<T>& data);

 private:
  /// With `before`, what came of the epoch's batches before these is counted in.
  Outcome run(const Batches<T>& batches, Poll<T>* poll, const Outcome* before = nullptr);
  /// A run after a snapshot, which comes back where the run throws: a step may have failed half way.
  Outcome safe_run(const Batches<T>& batches, Poll<T>* poll, const Outcome* before);
  /// The same; throws NonFiniteError, the last finite weights in their place.
  Outcome finite_run(const Batches<T>& batches, Poll<T>& poll, const Outcome* before);
  /// Throws where the epoch at hand is not the one that training stopped in.
  void check_position(const Epoch& epoch) const;
  void run_epochs(RowBlocks<T>& rows, RowBlocks<T>* validation, const FitOptions<T>& options, Poll<T>& poll,
                  History& history);
  /// All of an epoch, or what is left of it; false where the poll has stopped it.
  bool run_epoch(RowBlocks<T>& rows, const Epoch& epoch, const FitOptions<T>& options, Poll<T>& poll, Outcome& outcome);
  /// The same for one block; leave is set where on_batch ends the epoch.
  bool run_block(RowBlocks<T>& rows, Batches<T>& batches, const FitOptions<T>& options, Poll<T>& poll, Outcome& outcome,
                 bool& leave);
  void keep_last_finite(const Batches<T>& batches, Index done);

  State<T>& state_;
  Snapshot<T> snapshot_;  // of the last run; its memory, weights and optimizer state once more, stays for the next one
  GeneralExecutor<T> general_;
  SmallExecutor<T> small_;
};

}  // namespace laminar
