// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/workers.hpp"

#include <memory>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#include <signal.h>
#endif

namespace laminar {
namespace {

std::atomic<int> fork_count{0};

/// Never destroyed: workers outlive the program's static objects.
struct Pool {
  std::mutex mutex;
  Worker* idle = nullptr;
};

Pool& pool() {
  static Pool* const pool = [] {
    auto* made = new Pool;
#if defined(__unix__) || defined(__APPLE__)
    pthread_atfork([] { laminar::pool().mutex.lock(); }, [] { laminar::pool().mutex.unlock(); },
                   [] {
                     Pool& here = laminar::pool();
                     here.idle = nullptr;  // the parent's
                     ++fork_count;
                     here.mutex.unlock();
                   });
#endif
    return made;
  }();
  return *pool;
}

/// Signals are for the threads that the program knows.
class NoSignals {
 public:
#if defined(__unix__) || defined(__APPLE__)
  NoSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~NoSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
#endif
};

}  // namespace

void Worker::live() {
  use_scratch_memory(memory_);
  while (true) {
    awake_.store(true, std::memory_order_relaxed);
    if (!look_for_change(state_, kIdle)) {
      awake_.store(false, std::memory_order_relaxed);
      state_.wait(kIdle, std::memory_order_acquire);
      continue;
    }
    int called = kCalled;
    if (!state_.compare_exchange_strong(called, kWorking, std::memory_order_acquire)) continue;
    job_->work(*this);
    state_.store(kIdle, std::memory_order_release);
    state_.notify_one();  // the caller
  }
}

void Worker::call(Job& job) {
  job_ = &job;
  state_.store(kCalled, std::memory_order_release);
  state_.notify_one();
}

bool Worker::withdraw() {
  int called = kCalled;
  return state_.compare_exchange_strong(called, kIdle, std::memory_order_relaxed);
}

Clock::duration Worker::finish() {
  Clock::duration slept{};
  for (const int state : {kCalled, kWorking}) slept += wait_for_change(state_, state);
  return slept;
}

Worker* Workers::take(int count) {
  Pool& all = pool();
  Worker* list = nullptr;
  {
    const std::lock_guard lock(all.mutex);
    for (; count > 0 && all.idle != nullptr; --count) {
      Worker* const worker = all.idle;
      all.idle = worker->next;
      worker->next = list;
      list = worker;
    }
  }
  try {
    const NoSignals blocked;
    for (; count > 0; --count) {
      auto worker = std::make_unique<Worker>();
      std::thread([raw = worker.get()] { raw->live(); }).detach();
      worker->next = list;
      list = worker.release();
    }
  } catch (const std::system_error&) {  // no more threads
  } catch (const std::bad_alloc&) {
  }
  return list;
}

void Workers::give_back(Worker* list) {
  Pool& all = pool();
  const std::lock_guard lock(all.mutex);
  while (list != nullptr) {
    Worker* const worker = list;
    list = worker->next;
    worker->next = all.idle;
    all.idle = worker;
  }
}

int Workers::forks() { return fork_count.load(std::memory_order_relaxed); }

}  // namespace laminar
