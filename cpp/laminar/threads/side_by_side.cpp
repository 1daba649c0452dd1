// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/side_by_side.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "laminar/base/stop.hpp"
#include "laminar/threads/parallel.hpp"
#include "laminar/threads/workers.hpp"

namespace laminar {
namespace {

constexpr std::chrono::milliseconds kInterval{50};

thread_local const std::atomic<int>* share_here = nullptr;

/// What the workers share, on the stack of the thread that waits for them.
class Works final : public Worker::Job {
 public:
  Works(Index count, int threads, int sharers, const std::function<void(Index)>& work)
      : count_(count), threads_(threads), sharers_(sharers), share_(std::max(1, threads / sharers)), work_(work) {}

  void work(const Worker&) override {
    share_here = &share_;
    try {
      const StopScope scope([this] { return stopped_.load(std::memory_order_relaxed); });
      for (Index i = next_++; i < count_ && !stopped_; i = next_++) work_(i);
    } catch (...) {
      stopped_ = true;
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    share_here = nullptr;
    const std::lock_guard lock(mutex_);
    --sharers_;
    share_ = std::max(1, threads_ / std::max(1, sharers_));
    ended_.notify_all();
  }

  /// Whether all have ended; waits for that a little.
  bool ended() {
    std::unique_lock lock(mutex_);
    return ended_.wait_for(lock, kInterval, [this] { return sharers_ == 0; });
  }
  void stop() { stopped_ = true; }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  Index count_;
  int threads_;
  int sharers_;
  std::atomic<int> share_;
  const std::function<void(Index)>& work_;
  std::atomic<Index> next_{0};
  std::atomic<bool> stopped_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  std::exception_ptr error_;
};

void one_after_the_other(Index count, const std::function<void(Index)>& work, const StopScope* scope) {
  for (Index i = 0; i < count; ++i) {
    work(i);
    if (scope != nullptr) scope->leave();
  }
}

}  // namespace

const std::atomic<int>* thread_share() { return share_here; }

void side_by_side(Index count, const std::function<void(Index)>& work) {
  StopScope* const scope = StopScope::current();
  const int threads = get_num_threads();
  const int wanted = static_cast<int>(std::min<Index>(count, threads));
  Worker* const workers = wanted > 1 ? Workers::take(wanted) : nullptr;
  int sharers = 0;
  for (const Worker* worker = workers; worker != nullptr; worker = worker->next) ++sharers;
  if (sharers == 0) return one_after_the_other(count, work, scope);
  Works works(count, threads, sharers, work);
  for (Worker* worker = workers; worker != nullptr; worker = worker->next) worker->call(works);
  while (!works.ended()) {
    if (scope != nullptr && scope->ask()) works.stop();
  }
  for (Worker* worker = workers; worker != nullptr; worker = worker->next) worker->finish();
  Workers::give_back(workers);
  if (scope != nullptr) scope->leave();
  works.rethrow();
}

}  // namespace laminar
