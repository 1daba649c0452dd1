// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/general_executor.hpp"

#include <algorithm>

#include "laminar/base/denormals.hpp"
#include "laminar/base/error.hpp"
#include "laminar/threads/crew.hpp"

namespace laminar {

template <typename T>
bool GeneralExecutor<T>::buffers(Index rows, Index part) const {
  return (part > 0 && part < rows) || buffered_.needed() || gradients_.penalizes() ||
         (StopScope::current() != nullptr && long_step(rows));
}

template <typename T>
void GeneralExecutor<T>::reserve(Index rows, Index part) {
  from_buffer_ = buffers(rows, part);
  gradients_.reserve(rows, part);
  if (!by_rows(state_)) {
    tables_.reset();
  } else if (tables_ == nullptr || tables_->batch_rows() < rows) {
    tables_ = std::make_unique<TableGradients<T>>(state_.network, rows);
    snapshot_.reserve(*tables_);
  }
  if (from_buffer_) buffered_.reserve(tables_.get());
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
  if (state_.objective->mixes_rows()) {
    fail("fit: the loss looks at all rows of a batch at once, and memory_limit has room for ", most, " of ", rows,
         "; a smaller batch_size helps");
  }
  for (std::size_t i = 1; i < state_.network.nodes().size(); ++i) {
    const Node& node = state_.network.nodes()[i];
    if (!needs_whole_batch(node.layer)) continue;
    fail("fit: layer '", node.name, "' needs all rows of a batch at once, and memory_limit has room for ", most, " of ",
         rows, "; a smaller batch_size helps");
  }
  return most;
}

template <typename T>
bool GeneralExecutor<T>::step(const BatchRows<T>& batch, Index iteration, const Team& team, RunPoll<T>& asking,
                              Outcome& outcome) {
  const auto ready = [&](const Pass<T>& pass, Index rows, bool fresh) {
    if (tables_ == nullptr) return;
    read_tables(pass, rows, fresh, team);
    team.barrier();
  };
  if (!gradients_.sum(batch, iteration, sink(iteration), stop_, team, outcome, [&] { asking.ask(); }, ready)) {
    return false;
  }
  if (from_buffer_) buffered_.apply(gradients_.memory(), team);
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
GradientSink<T> GeneralExecutor<T>::sink(Index iteration) {
  GradientSink<T> sink{kernels::kernels<T>()};
  sink.statistics = state_.parameters.data();
  sink.tables = tables_.get();
  if (from_buffer_) {
    sink.gradients = buffered_.gradients();
    return sink;
  }
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
void GeneralExecutor<T>::run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome) {
  const Index start = state_.optimizer->batches();
  const double work = work_of_step(state_.network, batches.batch_size());
  const int threads = threads_for(work);
  gradients_.memory().cut_tasks(state_.network, threads);
  const auto save = [&](Index done) {
    if (!from_buffer_) state_.optimizer->iterations = start + done;
  };
  stop_ = StopScope::current();
  const bool in_stages = stop_ != nullptr && from_buffer_;
  RunPoll<T> asking(poll, state_, batches, outcome, save);
  Crew crew(threads, work, gradients_.memory().scratch(), sizeof(T));
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
    gradients_.weigh(batch);
    goes_on = false;
    crew.run([&](const Team& team) {
      const FlushDenormals flush;
      const bool done = step(batch, start + b - batches.begin, team, asking, outcome);
      if (team.rank() == 0) goes_on = done;
    });
    if (goes_on) asking.before_step.reset();
  }
  if (outcome.stop || outcome.abandoned) {
    if (asking.before_step.has_value()) outcome = *asking.before_step;
    outcome.stop = true;
  }
  save(outcome.done);
}

template class GeneralExecutor<float>;
template class GeneralExecutor<double>;

}  // namespace laminar
