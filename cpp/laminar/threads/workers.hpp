// SPDX-License-Identifier: Apache-2.0
// Threads that wait for work. They live as long as the process, sleep while nobody calls them, and belong
// to one caller at a time. A thread that waits looks at a word for about as long as waking it takes, then sleeps on it:
// on a machine that others use as well, looking takes the time of the very thread that is waited for.
// Internal.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "laminar/threads/scratch.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace laminar {

using Clock = std::chrono::steady_clock;

/// How long a thread looks before it sleeps.
inline constexpr std::chrono::microseconds kLooking{25};

/// Tells the processor that a loop only waits.
inline void relax() {
#if defined(__SSE2__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

/// Looks until the word is another value, at most for kLooking; whether it is.
inline bool look_for_change(const std::atomic<int>& word, int value) {
  const auto changed = [&] { return word.load(std::memory_order_acquire) != value; };
  if (changed()) return true;
  const Clock::time_point end = Clock::now() + kLooking;
  do {
    for (int i = 0; i < 16; ++i) {
      relax();
      if (changed()) return true;
    }
  } while (Clock::now() < end);
  return false;
}

/// Waits until the word is another value, which is notified. Returns how long it slept.
inline Clock::duration wait_for_change(const std::atomic<int>& word, int value) {
  if (look_for_change(word, value)) return {};
  const Clock::time_point start = Clock::now();
  while (word.load(std::memory_order_acquire) == value) word.wait(value, std::memory_order_acquire);
  return Clock::now() - start;
}

/// A thread of the pool.
class Worker {
 public:
  /// What a worker is asked to do, on the caller's stack.
  class Job {
   public:
    /// On a worker's thread. Must not throw.
    virtual void work(const Worker& self) = 0;

   protected:
    ~Job() = default;
  };

  /// Begins the job, perhaps a while later. The job stays until finish() or withdraw().
  void call(Job& job);
  /// Whether it looks for work, so that it will begin at once.
  bool awake() const { return awake_.load(std::memory_order_relaxed); }
  /// Whether it has begun the job it was called for.
  bool begun() const { return state_.load(std::memory_order_acquire) == kWorking; }
  /// Takes the call back, if the job has not begun; whether it was so.
  bool withdraw();
  /// Waits for the end of the job, and returns how long the caller slept.
  Clock::duration finish();

  /// Its memory beside workspaces, while it waits.
  ScratchMemory& memory() { return memory_; }
  /// The caller's: its number in a team, and the next worker of the same caller or of those that nobody has.
  int rank = 0;
  Worker* next = nullptr;

 private:
  friend class Workers;
  enum State : int { kIdle, kCalled, kWorking };

  void live();

  alignas(64) std::atomic<int> state_{kIdle};
  std::atomic<bool> awake_{false};
  Job* job_ = nullptr;
  ScratchMemory memory_;
};

/// The workers of the process.
class Workers {
 public:
  /// Up to so many workers as a list: those that are idle, and new ones, fewer where the system has no more
  /// threads or no memory for them.
  static Worker* take(int count);
  static void give_back(Worker* list);
  /// Forks of this process so far: a child has none of its parent's workers.
  static int forks();
};

}  // namespace laminar
