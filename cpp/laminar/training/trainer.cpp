// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "laminar/base/denormals.hpp"
#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/data/checks.hpp"
#include "laminar/execution/inference.hpp"
#include "laminar/threads/crew.hpp"
#include "laminar/training/epoch.hpp"

namespace laminar {
namespace {

constexpr std::chrono::milliseconds kPollInterval{50};
constexpr double kWorkPerParameter = 40;  // updating and packing a weight

/// Whether tables are updated by the rows that batches read.
template <typename T>
bool by_rows_of(const State<T>& state) {
  const ParameterLayout& layout = state.network.parameters();
  return layout.whole_size() < layout.size() && state.optimizer->optimizer.by_rows();
}

/// All rows as one batch, divided by its rows or by its weights.
template <typename T>
Batches<T> whole(const Dataset<T>& data, bool by_weight) {
  Epoch epoch{0, data.x.rows, data.x.rows};
  epoch.own_weights = by_weight;
  return {data, nullptr, epoch, 0, 0, 1};
}

}  // namespace

/// The user's poll, asked at most every 50 ms over all epochs. What it throws is kept until the
/// threads have left the run.
template <typename T>
class Trainer<T>::Poll {
 public:
  explicit Poll(const FitOptions<T>& options) : options_(options), outer_(StopScope::current()) {
    if (somebody_asks()) scope_.emplace([this] { return inside && inside(); });
  }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  /// What long work asks; where nothing is said, nobody.
  std::function<bool()> inside = {};

  bool due() {
    if (!somebody_asks()) return false;
    const bool soon = options_.poll_soon != nullptr && options_.poll_soon->load(std::memory_order_relaxed);
    const auto now = Clock::now();
    if (!soon && now - last_ < kPollInterval) return false;
    last_ = now;
    return true;
  }
  bool ask(const Progress& progress) {
    try {
      return (options_.poll && options_.poll(progress)) || (outer_ != nullptr && outer_->ask());
    } catch (...) {
      error_ = std::current_exception();
      return true;
    }
  }
  /// The same while the next rows are waited for.
  bool waits(const Epoch& epoch, Index done, Outcome& outcome) {
    return due() &&
           ask({epoch.number, done, epoch.batches(), outcome.rows > 0 ? outcome.means() : std::span<const Log>{}});
  }
  /// What was thrown when somebody was asked; Stopped where long work was told to end.
  void rethrow() const {
    rethrow_thrown();
    if (scope_.has_value()) scope_->leave();
  }
  void rethrow_thrown() const {
    if (error_) std::rethrow_exception(error_);
    if (outer_ != nullptr) outer_->rethrow();
  }

 private:
  bool somebody_asks() const { return options_.poll || outer_ != nullptr; }

  const FitOptions<T>& options_;
  StopScope* outer_;
  Clock::time_point last_ = Clock::now();
  std::exception_ptr error_;
  std::optional<StopScope> scope_;
};

/// What long work asks while this lives.
template <typename T>
class Trainer<T>::Inside {
 public:
  Inside(Poll* poll, std::function<bool()> asks) : poll_(poll) {
    if (poll_ != nullptr) outer_ = std::exchange(poll_->inside, std::move(asks));
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (poll_ != nullptr) poll_->inside = std::move(outer_);
  }

 private:
  Poll* poll_;
  std::function<bool()> outer_;
};

template <typename T>
Trainer<T>::Trainer(State<T>& state, const Optimizer& optimizer)
    : state_(state), buffered_(state, optimizer), snapshot_(state) {}

// The pass over the gradients that this costs takes as long as the products of some 30 rows.
template <typename T>
bool Trainer<T>::long_step(Index rows) const {
  constexpr Index kFewRows = 256;
  constexpr double kLongPhase = 4e9;  // operations, some 50 ms
  return rows >= kFewRows && state_.network.work() * static_cast<double>(rows) > kLongPhase;
}

template <typename T>
void Trainer<T>::reserve(Index rows, Index part) {
  const bool limited = part > 0;
  part = limited ? std::min(part, rows) : rows;
  from_buffer_ = part < rows || buffered_.needed() || (StopScope::current() != nullptr && long_step(rows));
  if (!from_buffer_ && state_.precision == ProductPrecision::full &&
      SmallNetwork<T>::suits(state_.network, *state_.objective, rows)) {
    memory_.reset();
    if (small_ == nullptr || small_->rows() < rows) {
      small_ = std::make_unique<SmallNetwork<T>>(state_.network, *state_.objective, rows);
    }
    return;
  }
  small_.reset();
  if (memory_ == nullptr || memory_->rows() < part || (limited && memory_->rows() > part)) {
    memory_.reset();
    memory_ = std::make_unique<BatchMemory<T>>(state_.network, *state_.objective, part, state_.precision);
  }
  const bool by_rows = by_rows_of(state_);
  if (!by_rows) {
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

// Beside the rows there are the weights, packed twice, the optimizer's arrays, both once more as they
// were at the epoch's start, and the gradients.
template <typename T>
Index Trainer<T>::rows_within(Index limit, Index rows) const {
  constexpr Index bytes = sizeof(T);
  const Index arrays = 7 + 2 * state_.optimizer->optimizer.slots();
  const ParameterLayout& layout = state_.network.parameters();
  const Index whole = by_rows_of(state_) ? layout.whole_size() : layout.size();
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
bool Trainer<T>::small_step(const BatchRows<T>& batch, Index iteration, bool updates, Outcome& outcome) {
  const Goal& goal = state_.objective->goals.front();
  const double weight = batch.weight(goal);
  const double divisor = batch.divisor(goal, weight);
  const double loss = small_->step(batch, divisor, updates ? &state_.optimizer->optimizer : nullptr, iteration);
  outcome.add(loss, batch.count);
  outcome.add_loss(0, loss, weight);
  small_->score(outcome.scores.front());
  if (!outcome.finite) return false;
  ++outcome.done;
  return true;
}

template <typename T>
Index Trainer<T>::small_run(const BatchRows<T>& rows, Index iteration, Outcome& outcome) {
  if (!small_->run(rows, state_.optimizer->optimizer, iteration)) return 0;
  for (Index i = 0; i < rows.count; ++i) {
    const auto loss = static_cast<double>(small_->losses()[i]);
    outcome.add(loss, 1);
    outcome.add_loss(0, loss, small_->row_weights()[static_cast<std::size_t>(i)]);
  }
  small_->score(outcome.scores.front());
  outcome.done += rows.count;
  return rows.count;
}

template <typename T>
void Trainer<T>::weigh(const BatchRows<T>& batch) {
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
template <typename Ask>
bool Trainer<T>::step(const BatchRows<T>& batch, Index iteration, T* gradients, const Team& team, const Ask& ask,
                      StopScope* stop, Outcome& outcome) {
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
    if (first > 0 && team.rank() == 0) ask();
    const BatchRows<T> rows{batch.data, batch.order, batch.first + first, std::min(part, batch.count - first)};
    const Pass<T> pass{state_.network,
                       memory.plan(),
                       state_.packed.kernels(),
                       state_.parameters.data(),
                       state_.packed,
                       memory.memory(),
                       memory.input_in_place(rows),
                       objective.absorbed(),
                       state_.seed,
                       iteration,
                       first,
                       memory.activity(),
                       1 / static_cast<double>(batch.count),
                       stop};
    memory.forward_and_back(pass, objective, rows, scales_, team);
    if (team.rank() == 0 && stop != nullptr && stop->stopped()) outcome.stop = true;
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
    if (team.rank() == 0 && !in_place && stop != nullptr) outcome.abandoned = stop->stopped();
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
void Trainer<T>::read_tables(const Pass<T>& pass, Index rows, bool fresh, const Team& team) {
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
void Trainer<T>::gradient_share(const Pass<T>& pass, const GradientSink<T>& to, Index rows, const Team& team,
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
GradientSink<T> Trainer<T>::sink(Index iteration, T* gradients) const {
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

template <typename T>
Outcome Trainer<T>::run(const Batches<T>& batches, Poll* poll, const Outcome* before) {
  Outcome outcome = before != nullptr ? *before : Outcome(*state_.objective);
  outcome.done = 0;
  const Index start = state_.optimizer->batches();
  const Index rows = batches.batch_size();
  outcome.reserve(rows * (batches.end - batches.begin));
  // The first rows only wait for the weights, which every thread would read.
  const double work = 3 * state_.network.work() * static_cast<double>(std::max<Index>(rows - kLeastRows, 1)) +
                      kWorkPerParameter * static_cast<double>(state_.network.changed(rows));
  reserve(rows, batches.epoch.part);

  // Reading the clock takes as long as a step of the smallest networks; with several threads a step
  // takes longer than its work tells.
  const int threads = small_ != nullptr ? 1 : threads_for(work);
  if (memory_ != nullptr) memory_->cut_tasks(state_.network, threads);
  const Index poll_every = threads > 1 ? 1 : std::max<Index>(1, static_cast<Index>(1e6 / work));
  const bool updates = batches.gradients == nullptr;
  const bool single_rows = small_ != nullptr && updates && rows == 1;
  const auto give_back = [&](Index done) {
    if (!updates) return;
    if (!from_buffer_) state_.optimizer->iterations = start + done;
    if (small_ == nullptr) return;
    small_->save(state_);
    state_.packed.refresh(state_.network, state_.parameters.data());
  };
  StopScope* const stop = StopScope::current();
  const bool in_stages = stop != nullptr && memory_ != nullptr && from_buffer_;
  std::optional<Outcome> before_step;  // of steps in stages, which may have been counted when they are abandoned
  // Whoever is asked finds all of the state as the last completed batch has left it.
  const auto asked = [&] {
    Outcome last = before_step.has_value() ? *before_step : outcome;
    const Index done = batches.earlier + batches.begin + last.done;
    give_back(last.done);
    state_.position = last.position(batches.epoch, done);
    const auto means = last.rows > 0 ? last.means() : std::span<const Log>{};
    return poll->ask({batches.epoch.number, done, batches.epoch.batches(), means});
  };
  const auto ask = [&] {
    if (poll != nullptr && poll->due()) outcome.stop = asked();
  };
  const Inside inside(poll, asked);
  // The caller goes from step to step, and calls the others into each.
  const auto one_step = [&](Crew& crew, Index b) {
    bool goes_on = false;
    if (in_stages) before_step = outcome;
    const BatchRows<T> batch = batches.batch(b);
    weigh(batch);
    crew.run([&](const Team& team) {
      const FlushDenormals flush;
      const bool done = step(batch, start + b - batches.begin, batches.gradients, team, ask, stop, outcome);
      if (team.rank() == 0) goes_on = done;
    });
    if (goes_on) before_step.reset();
    return goes_on;
  };
  const auto small_steps = [&](Index b, Index end) {
    const FlushDenormals flush;
    while (b < end) {
      const Index iteration = start + b - batches.begin;
      if (single_rows) {
        const BatchRows<T> rows{batches.data,
                                batches.order,
                                b,
                                std::min(end - b, SmallNetwork<T>::kRun),
                                batches.epoch.means,
                                batches.epoch.own_weights};
        if (const Index taken = small_run(rows, iteration, outcome); taken > 0) {
          b += taken;
          continue;
        }
      }
      if (!small_step(batches.batch(b), iteration, updates, outcome)) return false;
      ++b;
    }
    return true;
  };
  if (small_ != nullptr) small_->load(state_);
  Crew crew(threads, work, memory_ != nullptr ? memory_->scratch() : ScratchSizes{}, sizeof(T));
  for (Index b = batches.begin; b < batches.end;) {
    ask();
    if (outcome.stop) break;
    const Index end = std::min(batches.end, b + poll_every);
    if (small_ != nullptr) {
      if (!small_steps(b, end)) break;
      b = end;
    } else {
      for (; b < end && one_step(crew, b); ++b) {
      }
      if (b < end) break;
    }
  }
  if (outcome.stop || outcome.abandoned) {
    if (before_step.has_value()) outcome = *before_step;
    outcome.stop = true;
  }
  give_back(outcome.done);
  if (small_ != nullptr && !updates) small_->gradients(batches.gradients);
  return outcome;
}

// A loss that is not finite is met before its update, but an update with a finite loss may itself
// have overflowed. Training is a function of the epoch's start, so the last finite weights are found
// by doing the epoch again up to the update that broke them. Where the caller does not wait, those stay that
// were found so far.
template <typename T>
void Trainer<T>::keep_last_finite(const Batches<T>& batches, Index done) {
  if (snapshot_.finite()) return;
  snapshot_.restore();
  const StopScope scope({});  // of its own: within 50 ms it does not hear of a stop that was asked for before
  const double work = 3 * state_.network.work() * static_cast<double>(batches.batch_size());
  for (Index b = batches.begin; b < batches.begin + done; ++b) {
    snapshot_.take(by_rows_of(state_));
    Batches<T> one = batches;
    one.begin = b;
    one.end = b + 1;
    if (StopScope::current()->poll(work) || run(one, nullptr).stop) return;
    if (snapshot_.finite()) continue;
    snapshot_.restore();
    return;
  }
}

template <typename T>
Outcome Trainer<T>::safe_run(const Batches<T>& batches, Poll* poll, const Outcome* before) {
  snapshot_.take(by_rows_of(state_));
  const std::optional<EpochPosition> position = state_.position;
  try {
    return run(batches, poll, before);
  } catch (...) {
    snapshot_.restore();
    state_.position = position;
    throw;
  }
}

template <typename T>
Outcome Trainer<T>::finite_run(const Batches<T>& batches, Poll& poll, const Outcome* before) {
  Outcome outcome = safe_run(batches, &poll, before);
  state_.position = outcome.position(batches.epoch, batches.earlier + batches.begin + outcome.done);
  if (outcome.stop && !snapshot_.finite()) {
    state_.position.reset();
    keep_last_finite(batches, outcome.done);
  }
  poll.rethrow();
  if (outcome.finite && snapshot_.finite()) return outcome;
  state_.position.reset();
  const Index at = batches.earlier + batches.begin + outcome.done - (outcome.finite ? 1 : 0);
  keep_last_finite(batches, outcome.done);
  poll.rethrow();
  std::ostringstream message;
  message << "fit: the " << (outcome.finite ? "weights are" : "loss is") << " not finite in epoch "
          << batches.epoch.number + 1 << ", batch " << at + 1;
  if (batches.epoch.batches() > 0) message << " of " << batches.epoch.batches();
  message << " (loss " << outcome.last_loss
          << "); the last finite weights are kept. A smaller learning rate or scaled inputs may help";
  throw NonFiniteError(message.str());
}

template <typename T>
void Trainer<T>::check_position(const Epoch& epoch) const {
  const EpochPosition& position = *state_.position;
  if (position.rows == epoch.rows && position.batch_size == epoch.batch_size && position.shuffle == epoch.shuffle &&
      position.block_rows == epoch.block_rows && position.parts == epoch.parts &&
      (epoch.batches() == 0 || position.batches <= epoch.batches())) {
    return;
  }
  const auto told = [](const auto& e) {
    std::ostringstream text;
    if (e.rows > 0) {
      text << e.rows << " rows, ";
    } else {
      text << "rows of unknown number, ";
    }
    text << (e.shuffle ? "shuffled" : "in their order") << ", in batches of ";
    if (e.batch_size == 0) {
      text << "sizes of their own";
      if (e.parts > 0) text << ", " << e.parts << " an epoch";
      return text.str();
    }
    text << e.batch_size;
    if (e.block_rows > 0) text << ", read in blocks of " << e.block_rows << " from " << e.parts << " parts";
    return text.str();
  };
  fail("fit: resume: the training stopped inside an epoch of ", told(position), ", and cannot go on with ",
       told(epoch));
}

// A run is the whole block, or one batch where the user is called between them.
template <typename T>
bool Trainer<T>::run_block(RowBlocks<T>& rows, Batches<T>& batches, const FitOptions<T>& options, Poll& poll,
                           Outcome& outcome, bool& leave) {
  while (!leave && batches.begin < batches.size()) {
    batches.end = options.on_batch ? batches.begin + 1 : batches.size();
    outcome = finite_run(batches, poll, &outcome);
    if (outcome.stop) return false;
    batches.begin = batches.end;
    if (!options.on_batch) continue;
    const Index done = batches.earlier + batches.end;
    bool stopped = false;
    const auto stop = [&] { return stopped = poll.waits(batches.epoch, done, outcome); };
    const bool last = batches.end == batches.size() && !rows.more(stop);
    poll.rethrow();
    if (stopped) return false;
    leave = options.on_batch({batches.epoch.number, done, batches.epoch.batches(), outcome.means(), last});
  }
  return true;
}

template <typename T>
bool Trainer<T>::run_epoch(RowBlocks<T>& rows, const Epoch& epoch, const FitOptions<T>& options, Poll& poll,
                           Outcome& outcome) {
  Index done = 0;
  if (state_.position.has_value()) {
    check_position(epoch);
    done = state_.position->batches;
    outcome.go_on(*state_.position);
  }
  rows.start(epoch.shuffle ? std::optional(Shuffle{state_.seed, static_cast<std::uint32_t>(state_.epochs)})
                           : std::nullopt);
  bool stopped = false;
  bool leave = false;
  Index earlier = 0;
  while (!leave) {
    const Dataset<T>* block = rows.next([&] { return stopped = poll.waits(epoch, earlier, outcome); });
    poll.rethrow();
    if (stopped) return false;
    if (block == nullptr) break;
    Batches<T> batches{*block, rows.order(), epoch, earlier};
    batches.begin = std::min(std::max(done - earlier, Index{0}), batches.size());
    if (rows.single_batches() && options.memory_limit > 0) {
      batches.epoch.part = rows_within(options.memory_limit, block->x.rows);
    }
    if (!run_block(rows, batches, options, poll, outcome, leave)) return false;
    earlier += batches.size();
  }
  if (earlier == 0) fail("fit: the source has no rows");
  if (!leave) check_total_weight("fit", *state_.objective, outcome.weight());
  return true;
}

template <typename T>
History Trainer<T>::fit(RowBlocks<T>& rows, RowBlocks<T>* validation, const FitOptions<T>& options) {
  History history;
  Poll poll(options);
  try {
    run_epochs(rows, validation, options, poll, history);
  } catch (const Stopped&) {
    poll.rethrow_thrown();
    history.interrupted = true;
  }
  return history;
}

template <typename T>
void Trainer<T>::run_epochs(RowBlocks<T>& rows, RowBlocks<T>* validation, const FitOptions<T>& options, Poll& poll,
                            History& history) {
  history.names = state_.objective->names;
  if (validation != nullptr) {
    for (const std::string& name : state_.objective->names) history.names.push_back("val_" + name);
  }
  Epoch epoch{0, rows.rows(), options.batch_size, options.shuffle};
  if (epoch.rows > 0) epoch.batch_size = std::min(epoch.batch_size, epoch.rows);
  epoch.block_rows = rows.block_rows();
  if (rows.single_batches()) {
    epoch.batch_size = 0;
    epoch.parts = rows.batches();
  } else {
    epoch.parts = epoch.block_rows > 0 ? rows.parts() : 0;
  }
  if (rows.whole()) epoch.shuffle = options.shuffle && epoch.batch_size < epoch.rows;  // one batch has no order
  Index done = 0;  // batches of the epoch, where none is under way
  const Inside inside(&poll, [&] { return poll.ask({epoch.number, done, epoch.batches(), {}}); });
  if (options.memory_limit > 0 && !rows.single_batches()) {
    epoch.part = rows_within(options.memory_limit, epoch.batch_size);
  }
  if (!options.resume) {
    state_.position.reset();
    state_.next_epoch = options.initial_epoch;
  }
  const auto loaded = [&](RowBlocks<T>* blocks) {
    Outcome none(*state_.objective);
    return blocks == nullptr || blocks->load([&] { return poll.waits(epoch, 0, none); });
  };
  history.interrupted = !loaded(&rows) || !loaded(validation);
  poll.rethrow();
  if (history.interrupted) return;
  const std::vector<Goal>& goals = state_.objective->goals;
  std::vector<MeanWeight> means;
  if (const std::optional<Dataset<T>> all = rows.all()) {
    const BatchRows<T> every{*all, nullptr, 0, all->x.rows};
    double largest = 0;
    for (const Goal& goal : goals) {
      const MeanWeight mean{every.weight(goal), every.counted(goal)};
      if (goal.loss) largest = std::max(largest, mean.sum);
      means.push_back(mean);
    }
    check_total_weight("fit", *state_.objective, largest);
  } else if (goals.size() == 1 && !state_.objective->ignore_nan) {
    means.push_back(rows.mean_weight(goals.front().ignored));
  }
  epoch.means = means;
  epoch.own_weights = state_.penalties_per_row;
  for (epoch.number = state_.next_epoch; epoch.number < options.epochs; ++epoch.number) {
    Outcome outcome(*state_.objective);
    done = 0;
    if (!run_epoch(rows, epoch, options, poll, outcome)) {
      history.interrupted = true;
      return;
    }
    done = epoch.batches();
    std::vector<double> values;
    for (const Log& log : outcome.means()) values.push_back(log.value);
    if (validation != nullptr && options.validates(epoch.number)) {
      bool stopped = false;
      const std::vector<double> held_out = evaluate(
          state_, *validation, [&] { return stopped = poll.waits(epoch, epoch.batches(), outcome); },
          "fit: validation_data");
      poll.rethrow();
      if (stopped) {
        history.interrupted = true;
        return;
      }
      values.insert(values.end(), held_out.begin(), held_out.end());
    }
    state_.position.reset();
    state_.next_epoch = epoch.number + 1;
    ++state_.epochs;
    history.epochs.push_back(values);
    std::vector<Log> logs;
    for (std::size_t i = 0; i < values.size(); ++i) logs.push_back({history.names[i].c_str(), values[i]});
    if (options.on_epoch && options.on_epoch(epoch.number, logs)) break;
  }
  buffered_.finalize();
}

template <typename T>
std::vector<double> Trainer<T>::train_on_batch(const Dataset<T>& data) {
  const Batches<T> batches = whole(data, state_.penalties_per_row);
  Outcome outcome = safe_run(batches, nullptr, nullptr);
  if (outcome.stop) StopScope::current()->leave();
  state_.position.reset();
  if (!outcome.finite || !snapshot_.finite()) {
    if (outcome.finite) snapshot_.restore();
    std::ostringstream message;
    message << "train_on_batch: the " << (outcome.finite ? "updated weights are not" : "loss is not")
            << " finite (loss " << outcome.last_loss << "); the weights are unchanged";
    throw NonFiniteError(message.str());
  }
  std::vector<double> values;
  const BatchRows<T> rows = batches.batch(0);
  const auto divisor = [&](const Goal& goal, double weight) { return rows.divisor(goal, weight); };
  for (const Log& log : outcome.means(divisor)) values.push_back(log.value);
  return values;
}

template <typename T>
double Trainer<T>::loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight) {
  std::fill(gradients.begin(), gradients.end(), T(0));
  Batches<T> batches = whole(data, by_weight || state_.penalties_per_row);
  batches.gradients = gradients.data();
  Outcome outcome = run(batches, nullptr);
  if (outcome.stop) StopScope::current()->leave();
  const BatchRows<T> rows = batches.batch(0);
  return outcome.means([&](const Goal& goal, double weight) { return rows.divisor(goal, weight); })[0].value;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace laminar
