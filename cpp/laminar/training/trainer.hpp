// SPDX-License-Identifier: Apache-2.0
// The only epoch loop. A step is two phases with two barriers: A over blocks of rows (batch.hpp),
// B over blocks of parameters, each summed by one thread in the order of rows and updated at once.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "laminar/data/row_blocks.hpp"
#include "laminar/execution/batch.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/training/buffered_update.hpp"
#include "laminar/training/fit_options.hpp"
#include "laminar/training/small.hpp"
#include "laminar/training/snapshot.hpp"

namespace laminar {

struct Epoch;  // these three in epoch.hpp
struct Outcome;
template <typename T>
struct Batches;

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

  /// Loss of all rows as one batch, and its gradient in the parameters' layout. Changes nothing.
  double loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight);

 private:
  class Poll;    // the user's poll and its clock
  class Inside;  // what it tells while a batch is under way

  /// Whether a step of so many rows takes so long that its update must wait for all gradients: until then
  /// it can be abandoned.
  bool long_step(Index rows) const;
  /// Memory for batches of so many rows, of which `part` go through at a time, 0 for all.
  void reserve(Index rows, Index part);
  /// Rows that fit into the limit at a time; throws where none does, or where the network must see
  /// all rows of a batch at once.
  Index rows_within(Index limit, Index rows) const;
  /// With `before`, what came of the epoch's batches before these is counted in.
  Outcome run(const Batches<T>& batches, Poll* poll, const Outcome* before = nullptr);
  /// A run after a snapshot, which comes back where the run throws: a step may have failed half way.
  Outcome safe_run(const Batches<T>& batches, Poll* poll, const Outcome* before);
  /// The same; throws NonFiniteError, the last finite weights in their place.
  Outcome finite_run(const Batches<T>& batches, Poll& poll, const Outcome* before);
  /// Throws where the epoch at hand is not the one that training stopped in.
  void check_position(const Epoch& epoch) const;
  void run_epochs(RowBlocks<T>& rows, RowBlocks<T>* validation, const FitOptions<T>& options, Poll& poll,
                  History& history);
  /// All of an epoch, or what is left of it; false where the poll has stopped it.
  bool run_epoch(RowBlocks<T>& rows, const Epoch& epoch, const FitOptions<T>& options, Poll& poll, Outcome& outcome);
  /// The same for one block; leave is set where on_batch ends the epoch.
  bool run_block(RowBlocks<T>& rows, Batches<T>& batches, const FitOptions<T>& options, Poll& poll, Outcome& outcome,
                 bool& leave);
  /// One update in the general way, or on the calling thread in the small network's. False where the
  /// run ends here, without an update.
  bool small_step(const BatchRows<T>& batch, Index iteration, bool updates, Outcome& outcome);
  /// Updates by single rows, the next ones of the run; returns their number, 0 where they must be
  /// taken one by one because a loss is not finite.
  Index small_run(const BatchRows<T>& rows, Index iteration, Outcome& outcome);
  /// What the rows of the next step weigh in each goal, and what its gradients are multiplied by.
  void weigh(const BatchRows<T>& batch);
  template <typename Ask>
  bool step(const BatchRows<T>& batch, Index iteration, T* gradients, const Team& team, const Ask& ask, StopScope* stop,
            Outcome& outcome);
  /// This thread's share of phase B. With `lasting`, that which changes running statistics, or the rest.
  void gradient_share(const Pass<T>& pass, const GradientSink<T>& to, Index rows, const Team& team,
                      std::optional<bool> lasting);
  /// This thread's share of finding out which rows of tables the batch reads. With `fresh`, its first part.
  void read_tables(const Pass<T>& pass, Index rows, bool fresh, const Team& team);
  /// Where phase B puts what it sums: into `gradients`, or without them straight into the update.
  GradientSink<T> sink(Index iteration, T* gradients) const;
  void keep_last_finite(const Batches<T>& batches, Index done);

  State<T>& state_;
  bool from_buffer_ = false;  // updates of the present run are made by buffered_
  std::unique_ptr<BatchMemory<T>> memory_;
  std::unique_ptr<TableGradients<T>> tables_;  // of those that change by rows, if there are any
  std::vector<double> weights_;                // these three as weigh() leaves them, one a goal
  std::vector<double> divisors_;
  std::vector<T> scales_;
  BufferedUpdate<T> buffered_;
  Snapshot<T> snapshot_;  // of the last run; its memory, weights and optimizer state once more, stays for the next one
  std::unique_ptr<SmallNetwork<T>> small_;  // instead, for batches that it suits
};

}  // namespace laminar
