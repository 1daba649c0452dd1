// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/loss_gradients.hpp"

#include <algorithm>

#include "laminar/base/denormals.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/threads/crew.hpp"
#include "laminar/training/executor.hpp"
#include "laminar/training/small_executor.hpp"

namespace laminar {

template <typename T>
double LossGradients<T>::compute(const Dataset<T>& data, std::span<T> gradients, bool by_weight) {
  const Index rows = data.x.rows;
  const Objective& objective = *state_.objective;
  const Index iteration = state_.optimizer->batches();
  const BatchRows<T> batch{data, nullptr, 0, rows, {}, by_weight || state_.penalties_per_row};
  std::fill(gradients.begin(), gradients.end(), T(0));
  Outcome outcome(objective);
  outcome.reserve(rows);
  if (suits_small(state_, rows) && !general_.penalizes() && !objective.whole_batch()) {
    general_.release();
    if (small_ == nullptr || small_->rows() < rows) {
      small_ = std::make_unique<SmallNetwork<T>>(state_.network, objective, rows);
    }
    const FlushDenormals flush;
    small_->load(state_);
    small_step<T>(*small_, objective.goals.front(), batch, nullptr, iteration, outcome);
    small_->gradients(gradients.data());
  } else {
    small_.reset();
    by_general_step(batch, gradients, iteration, outcome);
  }
  return outcome.means([&](const Goal& goal, double weight) { return batch.divisor(goal, weight); })[0].value;
}

template <typename T>
void LossGradients<T>::by_general_step(const BatchRows<T>& batch, std::span<T> gradients, Index iteration,
                                       Outcome& outcome) {
  general_.reserve(batch.count, 0);
  general_.weigh(batch);
  const double work = work_of_step(state_.network, batch.count);
  const int threads = threads_for(work);
  general_.memory().cut_tasks(state_.network, threads);
  StopScope* const stop = StopScope::current();
  Crew crew(threads, work, general_.memory().scratch(), sizeof(T));
  crew.run([&](const Team& team) {
    const FlushDenormals flush;
    const GradientSink<T> sink{kernels::kernels<T>(), gradients.data()};
    general_.sum(batch, iteration, sink, stop, team, outcome, [] {}, [](const Pass<T>&, Index, bool) {});
  });
  if (outcome.stop || outcome.abandoned) stop->leave();
}

template class LossGradients<float>;
template class LossGradients<double>;

}  // namespace laminar
