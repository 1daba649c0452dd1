// SPDX-License-Identifier: Apache-2.0
// The general step. It is two phases with two barriers: A over blocks of rows (batch.hpp), B over blocks of
// parameters, each summed by one thread in the order of rows and updated at once, or from a buffer of gradients.
#pragma once

#include <memory>

#include "laminar/training/batch_gradients.hpp"
#include "laminar/training/buffered_update.hpp"
#include "laminar/training/executor.hpp"
#include "laminar/training/snapshot.hpp"

namespace laminar {

/// The executor of any network, on any number of threads.
template <typename T>
class GeneralExecutor final : public Executor<T> {
 public:
  /// Rows of tables are kept in the snapshot before they change. Throws where the optimizer's options do not suit
  /// the network.
  GeneralExecutor(State<T>& state, const Optimizer& optimizer, Snapshot<T>& snapshot)
      : state_(state), snapshot_(snapshot), gradients_(state), buffered_(state, optimizer) {}

  /// Whether such batches are updated from a buffer of gradients, which only this executor does.
  bool buffers(Index rows, Index part) const;
  /// Rows that fit into the limit at a time, 0 for all; throws where none does, or where the network must see
  /// all rows of a batch at once.
  Index rows_within(Index limit, Index rows) const;

  void reserve(Index rows, Index part) override;
  void release() override { gradients_.release(); }
  void run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome) override;
  /// At the end of training: what the optimizer's options do to the weights then.
  void finalize() { buffered_.finalize(); }

 private:
  /// Whether a step of so many rows takes so long that its update must wait for all gradients: until then
  /// it can be abandoned.
  bool long_step(Index rows) const;
  /// A thread's part in one step; false where the run ends here, without an update.
  bool step(const BatchRows<T>& batch, Index iteration, const Team& team, RunPoll<T>& asking, Outcome& outcome);
  /// This thread's share of finding out which rows of tables the batch reads. With `fresh`, its first part.
  void read_tables(const Pass<T>& pass, Index rows, bool fresh, const Team& team);
  /// Where phase B puts what it sums: into a buffer, or straight into the update.
  GradientSink<T> sink(Index iteration);

  State<T>& state_;
  Snapshot<T>& snapshot_;
  BatchGradients<T> gradients_;
  BufferedUpdate<T> buffered_;
  StopScope* stop_ = nullptr;                  // of the thread that called the present run
  bool from_buffer_ = false;                   // updates of the present run are made by buffered_
  std::unique_ptr<TableGradients<T>> tables_;  // of those that change by rows, if there are any
};

}  // namespace laminar
