// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/batch_gradients.hpp"

#include <algorithm>
#include <cmath>

namespace laminar {

template <typename T>
void BatchGradients<T>::reserve(Index rows, Index part) {
  const bool limited = part > 0;
  part = limited ? std::min(part, rows) : rows;
  if (memory_ == nullptr || memory_->rows() < part || (limited && memory_->rows() > part)) {
    memory_.reset();
    memory_ = std::make_unique<BatchMemory<T>>(state_.network, *state_.objective, part, state_.precision);
  }
  const std::size_t goals = state_.objective->goals.size();
  weights_.resize(goals);
  divisors_.resize(goals);
  scales_.resize(goals);
}

template <typename T>
void BatchGradients<T>::weigh(const BatchRows<T>& batch) {
  const std::vector<Goal>& goals = state_.objective->goals;
  for (std::size_t g = 0; g < goals.size(); ++g) {
    weights_[g] = batch.weight(goals[g]);
    divisors_[g] = batch.divisor(goals[g], weights_[g]);
    scales_[g] = divisors_[g] > 0 ? static_cast<T>(goals[g].weight / divisors_[g]) : T(0);
  }
}

template <typename T>
double BatchGradients<T>::penalty_scale() const {
  const double divisor = divisors_.front();
  return !state_.penalties_per_row ? 1 : divisor > 0 ? 1 / divisor : 0;
}

template <typename T>
bool BatchGradients<T>::part_forward_and_back(const Pass<T>& pass, const BatchRows<T>& batch, const BatchRows<T>& rows,
                                              const Team& team, Outcome& outcome, double& loss,
                                              ActivitySums& activity) {
  BatchMemory<T>& memory = *memory_;
  const Objective& objective = *state_.objective;
  memory.forward_and_back(pass, objective, rows, scales_, team);
  if (team.rank() == 0 && pass.stop != nullptr && pass.stop->stopped()) outcome.stop = true;
  team.barrier();
  if (outcome.stop) return false;
  for (const Goal& goal : objective.goals) {
    if (!goal.loss) continue;
    const double sum = memory.loss_sum(goal.number, rows.count);
    loss += sum;
    if (team.rank() == 0) outcome.add_loss(goal.number, sum, pass.first_row == 0 ? weights_[goal.number] : 0);
  }
  memory.add_activity(activity, rows.count);
  const double added = activity.of(batch.count);
  const bool finite = std::isfinite(loss) && std::isfinite(added);
  if (team.rank() == 0) {
    memory.fold_scores(outcome.scores, rows);
    const bool last = pass.first_row + rows.count == batch.count;
    if (last || !finite) {
      const double penalty = penalty_scale() * penalties_.value() + added;
      outcome.add(loss, batch.count);
      outcome.add_penalty(penalty, outcome.penalty_weight(weights_.front(), batch.count));
    }
  }
  return finite;
}

template <typename T>
void BatchGradients<T>::gradient_share(const Pass<T>& pass, const GradientSink<T>& to, Index rows, const Team& team,
                                       std::optional<bool> lasting) {
  const Team::Share share = memory_->task_share(team);
  for (Index t = share.begin; t < share.end; ++t) {
    const GradientTask& task = memory_->tasks()[static_cast<std::size_t>(t)];
    if (lasting.has_value() && needs_whole_batch(pass.node(task.node).layer) != *lasting) continue;
    if (lasting == false && pass.stopping(rows, static_cast<double>(task.in_count * task.out_count))) return;
    parameter_gradient(pass, task, rows, to);
  }
}

template <typename T>
void BatchGradients<T>::complete(const GradientSink<T>& to, double slope, const Team& team) {
  if (slope != 1) {
    const auto scale = [&](T* values, Index size) {
      const Team::Share share = team.share(size);
      for (Index i = share.begin; i < share.end; ++i) values[i] *= static_cast<T>(slope);
    };
    const ParameterLayout& layout = state_.network.parameters();
    scale(to.gradients, to.tables != nullptr ? layout.whole_size() : layout.size());
    if (to.tables != nullptr) {
      for (TableRows<T>& table : to.tables->tables()) scale(table.gradient(0), table.count() * table.width());
    }
    team.barrier();
  }
  if (penalties_.none()) return;
  penalties_.add_gradients(state_.parameters.data(), to.gradients, penalty_scale(), team);
  team.barrier();
}

template class BatchGradients<float>;
template class BatchGradients<double>;

}  // namespace laminar
