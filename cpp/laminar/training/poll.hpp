// SPDX-License-Identifier: Apache-2.0
// How the caller of a training is asked, between batches and inside long ones, whether it is to go on.
#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <optional>
#include <utility>

#include "laminar/base/stop.hpp"
#include "laminar/threads/other_scratch.hpp"
#include "laminar/threads/workers.hpp"
#include "laminar/training/epoch.hpp"
#include "laminar/training/fit_options.hpp"

namespace laminar {

/// The user's poll, asked at most every 50 ms over all epochs. What it throws is kept until the
/// threads have left the run.
template <typename T>
class Poll {
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
    if (!soon && now - last_ < kInterval) return false;
    last_ = now;
    return true;
  }
  bool ask(const Progress& progress) {
    const OtherScratch scratch;
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
  static constexpr std::chrono::milliseconds kInterval{50};
  bool somebody_asks() const { return options_.poll || outer_ != nullptr; }

  const FitOptions<T>& options_;
  StopScope* outer_;
  Clock::time_point last_ = Clock::now();
  std::exception_ptr error_;
  std::optional<StopScope> scope_;
};

/// What long work asks while this lives.
template <typename T>
class Inside {
 public:
  Inside(Poll<T>* poll, std::function<bool()> asks) : poll_(poll) {
    if (poll_ != nullptr) outer_ = std::exchange(poll_->inside, std::move(asks));
  }
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    if (poll_ != nullptr) poll_->inside = std::move(outer_);
  }

 private:
  Poll<T>* poll_;
  std::function<bool()> outer_;
};

/// Asks the caller during a run of batches. Whoever is asked finds all of the state as the last completed batch
/// has left it: `save(done)` brings it there.
template <typename T>
class RunPoll {
 public:
  RunPoll(Poll<T>* poll, State<T>& state, const Batches<T>& batches, Outcome& outcome, std::function<void(Index)> save)
      : poll_(poll), state_(state), batches_(batches), outcome_(outcome), save_(std::move(save)), inside_(poll, [this] {
          return asked();
        }) {}

  /// Where it is time to: the outcome says then whether the run is to end.
  void ask() {
    if (poll_ != nullptr && poll_->due()) outcome_.stop = asked();
  }

  /// What had come of the completed batches, while one is under way that may be abandoned after it was counted.
  std::optional<Outcome> before_step;

 private:
  bool asked() {
    Outcome last = before_step.has_value() ? *before_step : outcome_;
    const Index done = batches_.earlier + batches_.begin + last.done;
    save_(last.done);
    last.note(state_.position, batches_.epoch, done);
    const auto means = last.rows > 0 ? last.means() : std::span<const Log>{};
    return poll_->ask({batches_.epoch.number, done, batches_.epoch.batches(), means});
  }

  Poll<T>* poll_;
  State<T>& state_;
  const Batches<T>& batches_;
  Outcome& outcome_;
  std::function<void(Index)> save_;
  Inside<T> inside_;
};

}  // namespace laminar
