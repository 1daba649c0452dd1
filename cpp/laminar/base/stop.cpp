// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/stop.hpp"

#include <utility>

namespace laminar {
namespace {

constexpr std::chrono::milliseconds kInterval{50};
// Reading the clock takes as long as a step of the smallest networks; so much takes a millisecond at most.
constexpr double kWorkBetweenLooks = 1e6;

thread_local StopScope* innermost = nullptr;

}  // namespace

StopScope::StopScope(Stop stop)
    : stop_(std::move(stop)), outer_(innermost), owner_(std::this_thread::get_id()), last_(Clock::now()) {
  innermost = this;
}

StopScope::~StopScope() { innermost = outer_; }

StopScope* StopScope::current() { return innermost; }

bool StopScope::poll(double work) {
  if (stopped()) return true;
  if (std::this_thread::get_id() != owner_) return false;
  work_ += work;
  if (work_ < kWorkBetweenLooks) return false;
  work_ = 0;
  if (Clock::now() - last_ < kInterval) return false;
  return ask();
}

bool StopScope::ask() {
  if (stopped()) return true;
  last_ = Clock::now();
  if (asking_) return outer_ != nullptr && outer_->ask();
  bool stops = false;
  asking_ = true;
  try {
    stops = (stop_ && stop_()) || (outer_ != nullptr && outer_->ask());
    if (outer_ != nullptr && outer_->error_) error_ = outer_->error_;
  } catch (...) {
    error_ = std::current_exception();
    stops = true;
  }
  asking_ = false;
  stopped_.store(stops, std::memory_order_relaxed);
  return stops;
}

void StopScope::rethrow() const {
  if (error_) std::rethrow_exception(error_);
}

void StopScope::leave() const {
  rethrow();
  if (stopped()) throw Stopped();
}

void leave_if_stopped(double work) {
  if (innermost != nullptr && innermost->poll(work)) innermost->leave();
}

}  // namespace laminar
