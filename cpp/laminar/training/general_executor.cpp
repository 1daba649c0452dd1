// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/general_executor.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/denormals.hpp"
#include "laminar/base/error.hpp"
#include "laminar/threads/crew.hpp"

namespace laminar {

template <typename T>
bool GeneralExecutor<T>::buffers(Index rows, Index part) const {
  return (part > 0 && part < rows) || buffered_.needed() || (StopScope::current() != nullptr && long_step(rows));
}

template <typename T>
void GeneralExecutor<T>::reserve(Index rows, Index part) {
  from_buffer_ = buffers(rows, part);
  const bool limited = part > 0;
  part = limited ? std::min(part, rows) : rows;
  if (memory_ == nullptr || memory_->rows() < part || (limited && memory_->rows() > part)) {
    memory_.reset();
    memory_ = std::make_unique<BatchMemory<T>>(state_.network, *state_.objective, part, state_.precision);
  }
  if (!by_rows(state_)) {
    tables_.reset();
  } else if (tables_ == nullptr || tables_->batch_rows() < rows) {
    tables_ = std::make_unique<TableGradients<T>>(state_.network, rows);
    snapshot_.reserve(*tables_);
  }
  if (from_buffer_) buffered_.reserve(tables_.get());
  const std::size_t goals = state_.objective->goals.size();
  weights_.resize(goals);
  divisors_.resize(goals);
  scales_.resize(goals);
}

// The pass over the gradients that this costs takes as long as the products of some 30 rows.
template <typename T>
bool GeneralExecutor<T>::long_step(Index rows) const {
  constexpr Index kFewRows = 256;
  constexpr double kLongPhase = 4e9;  // operations, some 50 ms
  return rows >= kFewRows && state_.network.work() * static_cast<double>(rows) > kLongPhase;
}

// Beside the rows there are the weights, packed twice, the optimizer's arrays, both once more as they
// were at the epoch's start, and the gradients.
template <typename T>
Index GeneralExecutor<T>::rows_within(Index limit, Index rows) const {
  constexpr Index bytes = sizeof(T);
  const Index arrays = 7 + 2 * state_.optimizer->optimizer.slots();
  const ParameterLayout& layout = state_.network.parameters();
  const Index whole = by_rows(state_) ? layout.whole_size() : layout.size();
  const Index kept = (1 + state_.optimizer->optimizer.slots()) * (layout.size() - whole);
  const Index fixed = (arrays * whole + kept) * bytes;
  const Index row = Plan(state_.network, kBlockRows, Mode::training, state_.precision).size() / kBlockRows * bytes +
                    BatchMemory<T>::row_bytes(*state_.objective);
  if (limit < fixed + row * kBlockRows) {
    fail("fit: memory_limit must leave room for the weights, the optimizer and ", kBlockRows, " rows, ",
         fixed + row * kBlockRows, " bytes, got ", limit);
  }
  const Index most = (limit - fixed) / row;
  if (most >= rows) return 0;
  for (std::size_t i = 1; i < state_.network.nodes().size(); ++i) {
    const Node& node = state_.network.nodes()[i];
    if (!needs_whole_batch(node.layer)) continue;
    fail("fit: layer '", node.name, "' needs all rows of a batch at once, and memory_limit has room for ", most, " of ",
         rows, "; a smaller batch_size helps");
  }
  return most;
}

template <typename T>
void GeneralExecutor<T>::weigh(const BatchRows<T>& batch) {
  const std::vector<Goal>& goals = state_.objective->goals;
  for (std::size_t g = 0; g < goals.size(); ++g) {
    weights_[g] = batch.weight(goals[g]);
    divisors_[g] = batch.divisor(goals[g], weights_[g]);
    scales_[g] = divisors_[g] > 0 ? static_cast<T>(goals[g].weight / divisors_[g]) : T(0);
  }
}

// All threads leave a run in the same step: what decides is the same for each of them. Every thread
// sums the batch's losses itself, in the same order; `stop` is written by rank 0 before the first
// barrier and read by all after it, `abandoned` before the second.
template <typename T>
bool GeneralExecutor<T>::step(const BatchRows<T>& batch, Index iteration, T* gradients, const Team& team,
                              RunPoll<T>& asking, Outcome& outcome) {
  BatchMemory<T>& memory = *memory_;
  const Objective& objective = *state_.objective;
  const bool updates = gradients == nullptr;
  const Index part = memory.rows();
  if (updates && from_buffer_) gradients = buffered_.gradients();
  const double divisor = divisors_.front();
  const double penalty_scale = !state_.penalties_per_row ? 1 : divisor > 0 ? 1 / divisor : 0;
  GradientSink<T> to = sink(iteration, gradients);
  if (updates) {
    to.statistics = state_.parameters.data();
    to.tables = tables_.get();
  }
  double loss = 0;
  double activity = 0;
  buffered_.compute_penalties(team);
  for (Index first = 0; first < batch.count; first += part) {
    if (first > 0 && team.rank() == 0) asking.ask();
    const BatchRows<T> rows{batch.data, batch.order, batch.first + first, std::min(part, batch.count - first)};
    const Pass<T> pass{.network = state_.network,
                       .plan = memory.plan(),
                       .kernels = state_.packed.kernels(),
                       .parameters = state_.parameters.data(),
                       .packed = state_.packed,
                       .memory = memory.memory(),
                       .input = memory.input_in_place(rows),
                       .absorbed = objective.absorbed(),
                       .seed = state_.seed,
                       .step = iteration,
                       .first_row = first,
                       .activity = memory.activity(),
                       .activity_scale = 1 / static_cast<double>(batch.count),
                       .stop = stop_};
    memory.forward_and_back(pass, objective, rows, scales_, team);
    if (team.rank() == 0 && stop_ != nullptr && stop_->stopped()) outcome.stop = true;
    team.barrier();
    if (outcome.stop) return false;
    for (const Goal& goal : objective.goals) {
      if (!goal.loss) continue;
      const double sum = memory.loss_sum(goal.number, rows.count);
      loss += sum;
      if (team.rank() == 0) outcome.add_loss(goal.number, sum, first == 0 ? weights_[goal.number] : 0);
    }
    activity += memory.activity_sum(rows.count);
    const bool last = first + rows.count == batch.count;
    const bool finite = std::isfinite(loss) && std::isfinite(activity);
    if (team.rank() == 0) {
      memory.fold_scores(outcome.scores, rows);
      const double penalty = penalty_scale * buffered_.penalty() + activity / static_cast<double>(batch.count);
      if (last || !finite) {
        outcome.add(loss, batch.count);
        outcome.add_penalty(penalty, outcome.penalty_weight(weights_.front(), batch.count));
      }
    }
    if (!finite) return false;
    if (updates && tables_ != nullptr) {
      read_tables(pass, rows.count, first == 0, team);
      team.barrier();
    }
    const bool in_place = gradients == nullptr;
    gradient_share(pass, to, rows.count, team, in_place ? std::nullopt : std::optional(false));
    if (team.rank() == 0 && !in_place && stop_ != nullptr) outcome.abandoned = stop_->stopped();
    team.barrier();
    if (outcome.abandoned) return false;
    if (!in_place && memory.lasting()) {
      gradient_share(pass, to, rows.count, team, true);
      team.barrier();
    }
    to.add = true;
  }
  if (gradients != nullptr) {
    const double slope =
        objective.whole_batch() && divisor > 0 ? objective.goals.front().loss->finish_slope(loss / divisor) : 1;
    buffered_.complete(gradients, slope, penalty_scale, team);
    if (updates) buffered_.apply(memory, team);
  }
  if (team.rank() == 0) ++outcome.done;
  return true;
}

template <typename T>
void GeneralExecutor<T>::read_tables(const Pass<T>& pass, Index rows, bool fresh, const Team& team) {
  const Team::Share share = team.share(static_cast<Index>(tables_->tables().size()));
  for (Index t = share.begin; t < share.end; ++t) {
    TableRows<T>& table = tables_->tables()[static_cast<std::size_t>(t)];
    if (fresh) table.clear();
    const Index known = table.count();
    table.read(pass, rows);
    snapshot_.keep(table, known);
  }
}

template <typename T>
void GeneralExecutor<T>::gradient_share(const Pass<T>& pass, const GradientSink<T>& to, Index rows, const Team& team,
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
GradientSink<T> GeneralExecutor<T>::sink(Index iteration, T* gradients) const {
  GradientSink<T> sink{kernels::kernels<T>(), gradients};
  if (gradients != nullptr) return sink;
  OptimizerState<T>& optimizer = *state_.optimizer;
  sink.parameters = state_.parameters.data();
  sink.packed = &state_.packed;
  sink.optimizer = optimizer.optimizer.index();
  optimizer.optimizer.coefficients(iteration + 1, sink.coefficients.data());
  for (std::size_t s = 0; s < sink.slots.size(); ++s) {
    sink.slots[s] = optimizer.slots[s].size() > 0 ? optimizer.slots[s].data() : nullptr;
  }
  return sink;
}

// The caller goes from step to step, and calls the others into each.
template <typename T>
Outcome GeneralExecutor<T>::run(const Batches<T>& batches, Poll<T>* poll, Outcome outcome) {
  const Index start = state_.optimizer->batches();
  const double work = work_of_step(state_.network, batches.batch_size());
  const int threads = threads_for(work);
  memory_->cut_tasks(state_.network, threads);
  const bool updates = batches.gradients == nullptr;
  const auto save = [&](Index done) {
    if (updates && !from_buffer_) state_.optimizer->iterations = start + done;
  };
  stop_ = StopScope::current();
  const bool in_stages = stop_ != nullptr && from_buffer_;
  RunPoll<T> asking(poll, state_, batches, outcome, save);
  Crew crew(threads, work, memory_->scratch(), sizeof(T));
  // With several threads a step takes longer than its work tells.
  const Index at_once = threads > 1 ? 1 : steps_between_polls(work);
  bool goes_on = true;
  for (Index b = batches.begin; goes_on && b < batches.end; ++b) {
    if ((b - batches.begin) % at_once == 0) {
      asking.ask();
      if (outcome.stop) break;
    }
    if (in_stages) asking.before_step = outcome;
    const BatchRows<T> batch = batches.batch(b);
    weigh(batch);
    goes_on = false;
    crew.run([&](const Team& team) {
      const FlushDenormals flush;
      const bool done = step(batch, start + b - batches.begin, batches.gradients, team, asking, outcome);
      if (team.rank() == 0) goes_on = done;
    });
    if (goes_on) asking.before_step.reset();
  }
  if (outcome.stop || outcome.abandoned) {
    if (asking.before_step.has_value()) outcome = *asking.before_step;
    outcome.stop = true;
  }
  save(outcome.done);
  return outcome;
}

template class GeneralExecutor<float>;
template class GeneralExecutor<double>;

}  // namespace laminar
