// SPDX-License-Identifier: Apache-2.0
// Training on the calling thread, in the layout of small networks (small.hpp).
#pragma once

#include <atomic>
#include <memory>

#include "laminar/training/executor.hpp"
#include "laminar/training/small.hpp"

namespace laminar {

/// Whether batches of so many rows are faster this way, and the network is of the kind.
template <typename T>
bool suits_small(const State<T>& state, Index rows) {
  return state.precision == ProductPrecision::full && SmallNetwork<T>::suits(state.network, *state.objective, rows);
}

/// One batch by a small network: an update, or without `optimizer` its gradients. False where the loss is not finite.
template <typename T>
bool small_step(SmallNetwork<T>& network, const Goal& goal, const BatchRows<T>& batch, const Optimizer* optimizer,
                Index iteration, Outcome& outcome);

/// The executor of networks whose step is too small to be shared. Weights and what the optimizer keeps of them stay in
/// the small network's layout from run to run, and are brought to the state when somebody asks for that.
template <typename T>
class SmallExecutor final : public Executor<T> {
 public:
  explicit SmallExecutor(State<T>& state) : state_(state) {}

  void reserve(Index rows, Index part) override;
  void release() override;
  void run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome) override;

  /// Whether the state lags behind. Any thread may ask.
  bool ahead() const { return ahead_.load(std::memory_order_acquire); }
  /// Brings the state up to the last update.
  void settle();
  /// The state has become another than that of the last update: the next run begins with it.
  void forget();
  /// All weights are finite; only where it is ahead.
  bool finite() const { return network_->finite(); }

 private:
  /// Updates by single rows, the next ones of the run; returns their number, 0 where they must be
  /// taken one by one because a loss is not finite.
  Index single_rows(const BatchRows<T>& rows, Index iteration, Outcome& outcome);
  /// The batches [b, end); false where the run ends inside of them.
  bool steps(const Batches<T>& batches, Index b, Index end, Outcome& outcome);

  State<T>& state_;
  Index start_ = 0;  // batches before the run
  std::unique_ptr<SmallNetwork<T>> network_;
  bool loaded_ = false;  // the network has the newest weights
  std::atomic<bool> ahead_{false};
};

}  // namespace laminar
