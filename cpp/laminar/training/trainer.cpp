// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/trainer.hpp"

#include <algorithm>
#include <utility>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/data/checks.hpp"
#include "laminar/execution/inference.hpp"
#include "laminar/training/epoch.hpp"

namespace laminar {
namespace {

/// All rows as one batch, divided by its rows or by its weights.
template <typename T>
Batches<T> whole(const Dataset<T>& data, bool by_weight) {
  Epoch epoch{0, data.x.rows, data.x.rows};
  epoch.own_weights = by_weight;
  return {data, nullptr, epoch, 0, 0, 1};
}

/// The number that the learning rate is where no schedule gives it.
double rate_of(const Optimizer& optimizer) { return optimizer.values()[0]; }
void set_rate(Optimizer& optimizer, double rate) {
  if (!optimizer.schedule && rate != rate_of(optimizer)) optimizer.set("learning_rate", rate);
}

}  // namespace

template <typename T>
Trainer<T>::Trainer(State<T>& state, const Optimizer& optimizer)
    : state_(state), snapshot_(state), journal_(state), general_(state, optimizer, snapshot_), small_(state) {}

template <typename T>
void Trainer<T>::changed() {
  small_.forget();
  journal_.close();
}

template <typename T>
Index Trainer<T>::take_snapshot() {
  settle();
  return snapshot_.take();
}

template <typename T>
void Trainer<T>::restore_snapshot() {
  small_.forget();
  snapshot_.restore();
}

template <typename T>
template <typename Again>
void Trainer<T>::redo(const Again& again) {
  Optimizer& optimizer = state_.optimizer->optimizer;
  const Index updates = journal_.size();
  const double rate = rate_of(optimizer);
  const StopScope scope({});
  restore_snapshot();
  Outcome none(*state_.objective);
  for (Index i = 0; i < updates; ++i) {
    set_rate(optimizer, journal_.rate(i));
    again(i, [&](const Batches<T>& batches) { run(batches, nullptr, none); });
  }
  set_rate(optimizer, rate);
}

template <typename T>
void Trainer<T>::run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome) {
  outcome.done = 0;
  const Index rows = batches.batch_size();
  outcome.reserve(rows * (batches.end - batches.begin));
  Executor<T>* executor = &general_;
  Executor<T>* other = &small_;
  if (!general_.buffers(rows, batches.epoch.part) && suits_small(state_, rows)) std::swap(executor, other);
  other->release();
  executor->reserve(rows, batches.epoch.part);
  executor->run(batches, poll, outcome);
}

// A loss that is not finite is met before its update, but an update with a finite loss may itself
// have overflowed. Training is a function of the epoch's start, so the last finite weights are found
// by doing the epoch again up to the update that broke them. Where the caller does not wait, those stay that
// were found so far.
template <typename T>
void Trainer<T>::keep_last_finite(const Batches<T>& batches, Index done) {
  if (finite()) return;
  restore_snapshot();
  const StopScope scope({});  // of its own: within 50 ms it does not hear of a stop that was asked for before
  const double work = 3 * state_.network.work() * static_cast<double>(batches.batch_size());
  for (Index b = batches.begin; b < batches.begin + done; ++b) {
    take_snapshot();
    Outcome none(*state_.objective);
    if (StopScope::current()->poll(work)) return;
    run(batches.only(b), nullptr, none);
    if (none.stop) return;
    if (finite()) continue;
    restore_snapshot();
    return;
  }
}

template <typename T>
void Trainer<T>::note_update(const Batches<T>& batches, const Dataset<T>* rows) {
  journal_.add(rate_of(state_.optimizer->optimizer), work_of_step(state_.network, batches.batch_size()), rows);
}

template <typename T>
template <typename Again>
void Trainer<T>::safe_run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome, const Dataset<T>* rows,
                          const Again& again) {
  const double work = work_of_step(state_.network, batches.batch_size());
  if (!batches.single() || !journal_.takes(work, rows)) {
    const Index bytes = take_snapshot();
    journal_.close();
    if (batches.single() && !by_rows(state_)) journal_.begin(bytes);
  }
  position_before_ = state_.position;
  try {
    run(batches, poll, outcome);
  } catch (...) {
    redo(again);
    state_.position = position_before_;
    throw;
  }
}

template <typename T>
void Trainer<T>::finite_run(const Batches<T>& batches, Poll<T>& poll, Outcome& outcome) {
  // Updates in the journal are those of the batches before.
  const auto again = [&](Index update, const auto& visit) {
    visit(batches.only(batches.begin - journal_.size() + update));
  };
  safe_run(batches, &poll, outcome, nullptr, again);
  outcome.note(state_.position, batches.epoch, batches.earlier + batches.begin + outcome.done);
  const bool spoiled = !finite();
  if (spoiled || !outcome.finite) state_.position.reset();
  if (spoiled) batches.single() ? redo(again) : keep_last_finite(batches, outcome.done);
  poll.rethrow();
  if (outcome.finite && (!spoiled || outcome.stop)) {
    if (!spoiled && outcome.done > 0 && batches.single()) note_update(batches, nullptr);
    return;
  }
  const Index at = batches.earlier + batches.begin + outcome.done - (outcome.finite ? 1 : 0);
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
bool Trainer<T>::run_block(RowBlocks<T>& rows, Batches<T>& batches, const FitOptions<T>& options, Poll<T>& poll,
                           Outcome& outcome, bool& leave) {
  journal_.close();
  while (!leave && batches.begin < batches.size()) {
    batches.end = options.on_batch ? batches.begin + 1 : batches.size();
    finite_run(batches, poll, outcome);
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
bool Trainer<T>::run_epoch(RowBlocks<T>& rows, const Epoch& epoch, const FitOptions<T>& options, Poll<T>& poll,
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
      batches.epoch.part = general_.rows_within(options.memory_limit, block->x.rows);
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
  Poll<T> poll(options);
  try {
    run_epochs(rows, validation, options, poll, history);
  } catch (const Stopped&) {
    poll.rethrow_thrown();
    history.interrupted = true;
  }
  return history;
}

template <typename T>
void Trainer<T>::run_epochs(RowBlocks<T>& rows, RowBlocks<T>* validation, const FitOptions<T>& options, Poll<T>& poll,
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
  const Inside<T> inside(&poll, [&] { return poll.ask({epoch.number, done, epoch.batches(), {}}); });
  if (options.memory_limit > 0 && !rows.single_batches()) {
    epoch.part = general_.rows_within(options.memory_limit, epoch.batch_size);
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
      settle();
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
  general_.finalize();
}

template <typename T>
std::vector<double> Trainer<T>::train_on_batch(const Dataset<T>& data) {
  const Batches<T> batches = whole(data, state_.penalties_per_row);
  const auto again = [&](Index update, const auto& visit) {
    const Dataset<T> earlier = journal_.rows(update);
    visit(whole(earlier, state_.penalties_per_row));
  };
  if (single_.has_value()) {
    single_->restart();
  } else {
    single_.emplace(*state_.objective);
  }
  Outcome& outcome = *single_;
  safe_run(batches, nullptr, outcome, &data, again);
  if (outcome.stop) StopScope::current()->leave();
  state_.position.reset();
  if (!outcome.finite || !finite()) {
    if (outcome.finite) redo(again);
    std::ostringstream message;
    message << "train_on_batch: the " << (outcome.finite ? "updated weights are not" : "loss is not")
            << " finite (loss " << outcome.last_loss << "); the weights are unchanged";
    throw NonFiniteError(message.str());
  }
  note_update(batches, &data);
  std::vector<double> values;
  const BatchRows<T> rows = batches.batch(0);
  const auto divisor = [&](const Goal& goal, double weight) { return rows.divisor(goal, weight); };
  for (const Log& log : outcome.means(divisor)) values.push_back(log.value);
  return values;
}

template class Trainer<float>;
template class Trainer<double>;

}  // namespace laminar
