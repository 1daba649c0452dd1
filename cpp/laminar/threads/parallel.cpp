// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/parallel.hpp"

#include <algorithm>
#include <atomic>

#include "laminar/base/error.hpp"
#include "laminar/threads/processors.hpp"
#include "laminar/threads/side_by_side.hpp"

namespace laminar {
namespace {

// A thread with less to do costs more than it saves: 3 to 5 µs of one core. Two threads paid from 8e5 in all
// on Zen 5, from 1.6e6 on Cascade Lake (bench/threads.py).
constexpr double kWorkPerThread = 5e5;

std::atomic<int> requested{0};

int default_threads() { return std::min(usable_processors(), kMostThreads); }

/// So many, or this thread's share where others work beside it.
int shared(int threads) {
  const std::atomic<int>* const share = thread_share();
  return share == nullptr ? threads : std::min(threads, share->load(std::memory_order_relaxed));
}

}  // namespace

int get_num_threads() {
  const int threads = requested.load();
  return shared(threads > 0 ? threads : default_threads());
}

void set_num_threads(int threads) {
  if (threads < 0 || threads > kMostThreads) {
    fail("set_num_threads: expected a number >= 0 (0 is automatic) and <= ", kMostThreads, ", got ", threads);
  }
  requested.store(threads);
}

bool automatic_threads() { return requested.load() == 0; }

int threads_for(double work) {
  if (const int threads = requested.load(); threads > 0) return shared(threads);
  if (work < 2 * kWorkPerThread) return 1;  // without a look at the processors, which takes as long as a row
  return static_cast<int>(std::clamp<double>(work / kWorkPerThread, 1, get_num_threads()));
}

}  // namespace laminar
