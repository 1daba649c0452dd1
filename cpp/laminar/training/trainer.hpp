// SPDX-License-Identifier: Apache-2.0
// The only epoch loop: epochs, their order, who is asked between batches, and what stays where training fails.
// Executors make the updates.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "laminar/data/row_blocks.hpp"
#include "laminar/training/general_executor.hpp"
#include "laminar/training/journal.hpp"
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

  /// Whether the state lags behind what was trained. Any thread may ask.
  bool ahead() const { return small_.ahead(); }
  /// Brings the state up to the last update.
  void settle() { small_.settle(); }
  /// The state has been changed by somebody else, after it was settled.
  void changed();

 private:
  /// What comes of the batches is added to the outcome.
  void run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome);
  /// A run that leaves all as it was where it throws: a step may have failed half way. It goes on from an earlier
  /// snapshot if it is one update that the journal takes; again(update, visit) calls visit(batches) with one of there.
  template <typename Again>
  void safe_run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome, const Dataset<T>* rows, const Again& again);
  /// The same; throws NonFiniteError, the last finite weights in their place.
  void finite_run(const Batches<T>& batches, Poll<T>& poll, Outcome& outcome);
  /// Writes down an update that stays.
  void note_update(const Batches<T>& batches, const Dataset<T>* rows);
  /// Returns its bytes.
  Index take_snapshot();
  void restore_snapshot();
  /// Brings back the snapshot and makes the updates of the journal again.
  template <typename Again>
  void redo(const Again& again);
  /// All weights are finite.
  bool finite() const { return small_.ahead() ? small_.finite() : snapshot_.finite(); }
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
  Snapshot<T> snapshot_;  // its memory, weights and optimizer state once more, stays for the next one
  Journal<T> journal_;    // of what came after it
  std::optional<EpochPosition> position_before_;  // the present run
  std::optional<Outcome> single_;                 // of train_on_batch
  GeneralExecutor<T> general_;
  SmallExecutor<T> small_;
};

}  // namespace laminar
