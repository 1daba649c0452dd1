// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/pace.hpp"

#include <algorithm>

#include "laminar/threads/processors.hpp"

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

// Nobody waits for the lock: a child forked while another thread had it would wait for ever. Such a child has one
// thread.
int Pace::allowed(int most, Clock::time_point now, Clock::time_point* again) {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) {
    *again = now + kFirstPause;
    return 1;
  }
  if (now < again_) {
    *again = again_;
    return 1;
  }
  if (idle_ == 0 || now >= asked_ + kAskAgain) {
    idle_ = idle_processors(1 << 20);
    asked_ = now;
  }
  *again = asked_ + kAskAgain;
  return std::min(most, idle_);
}

void Pace::rest(bool paid_before, Clock::time_point now, Clock::time_point* again) {
  *again = now + kFirstPause;
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (!lock) return;
  pause_ = paid_before ? kFirstPause : std::clamp<Clock::duration>(2 * pause_, kFirstPause, kLongestPause);
  *again = again_ = now + pause_;
}

// While the caller works, each of the others spares it as much. A quarter of that is left to the machine.
void Balance::add(int threads, Clock::duration took, Clock::duration waited) {
  const Clock::duration gain = (took - waited) * (threads - 1) * 3 / 4 - waited;
  sum_ += gain;
  credit_ = std::min<Clock::duration>(credit_ + gain, kMostCredit);
}

}  // namespace laminar
