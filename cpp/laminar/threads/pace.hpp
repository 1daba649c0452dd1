// SPDX-License-Identifier: Apache-2.0
// How many threads pay at this moment, where their number is automatic. Other processes may have the
// processors that this one counted on: then a thread that shares its processor keeps all others waiting, and
// fewer threads are faster. The system is asked how many processors are idle, and what threads spare is
// compared with what they wait for each other. None of this changes a result, as results do not depend on
// the number of threads. Internal.
#pragma once

#include <mutex>

#include "laminar/threads/workers.hpp"

namespace laminar {

/// What the whole process has found out about its processors.
class Pace {
 public:
  /// Threads out of `most` that may work now; sets `again` to the time from which on it is worth asking anew.
  int allowed(int most, Clock::time_point now, Clock::time_point* again);
  /// More than one thread has not paid. Sets `again` as above: soon where they had paid until then, else
  /// twice as late as the last time, up to a quarter of a second.
  void rest(bool paid_before, Clock::time_point now, Clock::time_point* again);

 private:
  std::mutex mutex_;
  Clock::time_point again_{};
  Clock::time_point asked_{};
  Clock::duration pause_{};
  int idle_ = 0;  // processors, when the system was asked last
};

Pace& pace();

/// What a team has spared by sharing work, less what it has cost in waiting.
class Balance {
 public:
  /// A piece of work that took so long on several threads, of which the caller waited for the others.
  void add(int threads, Clock::duration took, Clock::duration waited);
  /// Whether the threads have lately cost more than they have spared.
  bool lost() const { return credit_ < Clock::duration::zero(); }
  /// Whether they have spared more than they have cost since the beginning.
  bool paid() const { return sum_ > Clock::duration::zero(); }

 private:
  Clock::duration credit_{};
  Clock::duration sum_{};
};

}  // namespace laminar
