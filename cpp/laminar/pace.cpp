// SPDX-License-Identifier: Apache-2.0
#include "laminar/pace.hpp"

#include <algorithm>

#include "laminar/processors.hpp"

namespace laminar {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kAskAgain{5};  // asking takes 20 µs
constexpr milliseconds kFirstPause{2};
constexpr milliseconds kLongestPause{256};
constexpr milliseconds kMostCredit{2};  // half a turn of the scheduler

}  // namespace

Pace& pace() {
  static Pace pace;
  return pace;
}

int Pace::allowed(int most, Clock::time_point now, Clock::time_point* again) {
  const std::lock_guard lock(mutex_);
  if (now < again_) {
    *again = again_;
    return 1;
  }
  if (idle_ == 0 || now >= asked_ + kAskAgain) {
    const bool was_alone = idle_ <= 1;
    idle_ = idle_processors(1 << 20);
    asked_ = now;
    if (was_alone && idle_ > 1) resumed_ = now;
  }
  *again = asked_ + kAskAgain;
  return std::min(most, idle_);
}

void Pace::rest(Clock::time_point now, Clock::time_point* again) {
  const std::lock_guard lock(mutex_);
  const bool soon = now < resumed_ + 8 * pause_;
  pause_ = std::clamp<Clock::duration>(soon ? 2 * pause_ : Clock::duration::zero(), kFirstPause, kLongestPause);
  *again = again_ = resumed_ = now + pause_;
}

// Twice what is spared must exceed the waiting, as a thread that gains little takes time from others.
void Balance::add(int threads, Clock::duration took, Clock::duration waited) {
  credit_ += (took - waited) * (threads - 1) / 2 - waited;
  credit_ = std::min<Clock::duration>(credit_, kMostCredit);
}

}  // namespace laminar
