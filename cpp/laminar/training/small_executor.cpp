// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/small_executor.hpp"

#include "laminar/base/denormals.hpp"

namespace laminar {

template <typename T>
void SmallExecutor<T>::reserve(Index rows, Index) {
  if (network_ != nullptr && network_->rows() >= rows) return;
  release();
  network_ = std::make_unique<SmallNetwork<T>>(state_.network, *state_.objective, rows);
}

template <typename T>
void SmallExecutor<T>::release() {
  settle();
  network_.reset();
  loaded_ = false;
}

template <typename T>
void SmallExecutor<T>::settle() {
  if (!ahead()) return;
  network_->save(state_);
  state_.packed.refresh(state_.network, state_.parameters.data());
  ahead_.store(false, std::memory_order_release);
}

template <typename T>
void SmallExecutor<T>::forget() {
  loaded_ = false;
  ahead_.store(false, std::memory_order_release);
}

template <typename T>
bool small_step(SmallNetwork<T>& network, const Goal& goal, const BatchRows<T>& batch, const Optimizer* optimizer,
                Index iteration, Outcome& outcome) {
  const double weight = batch.weight(goal);
  const double loss = network.step(batch, batch.divisor(goal, weight), optimizer, iteration);
  outcome.add(loss, batch.count);
  outcome.add_loss(0, loss, weight);
  network.score(outcome.scores.front());
  if (!outcome.finite) return false;
  ++outcome.done;
  return true;
}

template <typename T>
Index SmallExecutor<T>::single_rows(const BatchRows<T>& rows, Index iteration, Outcome& outcome) {
  if (!network_->run(rows, state_.optimizer->optimizer, iteration)) return 0;
  for (Index i = 0; i < rows.count; ++i) {
    const auto loss = static_cast<double>(network_->losses()[i]);
    outcome.add(loss, 1);
    outcome.add_loss(0, loss, network_->row_weights()[static_cast<std::size_t>(i)]);
  }
  network_->score(outcome.scores.front());
  outcome.done += rows.count;
  return rows.count;
}

template <typename T>
bool SmallExecutor<T>::steps(const Batches<T>& batches, Index b, Index end, Outcome& outcome) {
  const FlushDenormals flush;
  const bool by_row = batches.batch_size() == 1;
  while (b < end) {
    const Index iteration = start_ + b - batches.begin;
    if (by_row && end - b > 1) {  // a run keeps all as it was, which pays for several
      const BatchRows<T> rows{batches.data,
                              batches.order,
                              b,
                              std::min(end - b, SmallNetwork<T>::kRun),
                              batches.epoch.means,
                              batches.epoch.own_weights};
      if (const Index taken = single_rows(rows, iteration, outcome); taken > 0) {
        b += taken;
        continue;
      }
    }
    if (!small_step(*network_, state_.objective->goals.front(), batches.batch(b), &state_.optimizer->optimizer,
                    iteration, outcome)) {
      return false;
    }
    ++b;
  }
  return true;
}

template <typename T>
void SmallExecutor<T>::run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome) {
  start_ = state_.optimizer->batches();
  if (!loaded_) network_->load(state_);
  loaded_ = true;
  const auto save = [this](Index done) {
    state_.optimizer->iterations = start_ + done;
    ahead_.store(true, std::memory_order_release);
    settle();
  };
  RunPoll<T> asking(poll, state_, batches, outcome, save);
  const Index at_once = steps_between_polls(work_of_step(state_.network, batches.batch_size()));
  for (Index b = batches.begin; b < batches.end; b += at_once) {
    asking.ask();
    if (outcome.stop || !steps(batches, b, std::min(batches.end, b + at_once), outcome)) break;
  }
  state_.optimizer->iterations = start_ + outcome.done;
  ahead_.store(true, std::memory_order_release);
}

template bool small_step(SmallNetwork<float>&, const Goal&, const BatchRows<float>&, const Optimizer*, Index, Outcome&);
template bool small_step(SmallNetwork<double>&, const Goal&, const BatchRows<double>&, const Optimizer*, Index,
                         Outcome&);
template class SmallExecutor<float>;
template class SmallExecutor<double>;

}  // namespace laminar
