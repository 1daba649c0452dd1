// SPDX-License-Identifier: Apache-2.0
#include "laminar/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <exception>
#include <mutex>
#include <thread>

#include "laminar/error.hpp"

#ifdef _OPENMP
#include <omp.h>
#endif
#ifdef __linux__
#include <sched.h>
#endif
#if defined(__unix__) || defined(__APPLE__)
#include <pthread.h>
#endif

namespace laminar {
namespace {

// A thread with less to do costs more than it saves: 3 to 5 µs of one core. Two threads paid from 8e5 in all
// on Zen 5, from 1.6e6 on Cascade Lake (bench/threads.py).
constexpr double kWorkPerThread = 5e5;

std::atomic<int> requested{0};
std::atomic<bool> forked{false};

int affinity() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// Whole processors of this process's cgroup quota (version 2, then 1), or `otherwise`.
int cgroup_quota(int otherwise) {
  double quota = 0;
  double period = 0;
  const auto read = [](const char* path, const char* format, double* a, double* b) {
    std::FILE* file = std::fopen(path, "r");
    if (file == nullptr) return 0;
    const int read_values = std::fscanf(file, format, a, b);
    std::fclose(file);
    return read_values;
  };
  if (read("/sys/fs/cgroup/cpu.max", "%lf %lf", &quota, &period) != 2) {
    double unused = 0;
    if (read("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "%lf", &quota, &unused) != 1 ||
        read("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "%lf", &period, &unused) != 1) {
      return otherwise;
    }
  }
  if (quota <= 0 || period <= 0) return otherwise;
  return std::max(1, static_cast<int>(std::floor(quota / period)));
}

int default_threads() {
  static const int limit = [] {
    const int quota = cgroup_quota(affinity());
#ifdef _OPENMP
    return std::max(1, std::min(quota, omp_get_max_threads()));
#else
    return std::max(1, quota);
#endif
  }();
  return std::max(1, std::min(limit, affinity()));
}

/// The OpenMP runtime hangs in a child whose parent used it: such a child works serially. Without
/// OpenMP nobody calls this.
[[maybe_unused]] void watch_forks() {
#if defined(__unix__) || defined(__APPLE__)
  static std::once_flag once;
  std::call_once(once, [] { pthread_atfork(nullptr, nullptr, [] { forked.store(true); }); });
#endif
}

}  // namespace

int get_num_threads() {
  const int threads = requested.load();
  return threads > 0 ? threads : default_threads();
}

void set_num_threads(int threads) {
  if (threads < 0) fail("set_num_threads: expected a number >= 0 (0 is automatic), got ", threads);
  requested.store(threads);
}

int threads_for(double work) {
  if (const int threads = requested.load(); threads > 0) return threads;
  return static_cast<int>(std::clamp<double>(work / kWorkPerThread, 1, default_threads()));
}

void Team::barrier() const {
  if (size_ == 1) return;
#ifdef _OPENMP
#pragma omp barrier
#endif
}

namespace detail {

void run_team([[maybe_unused]] int threads, void (*call)(const void*, const Team&), const void* context) {
#ifdef _OPENMP
  if (threads > 1 && !forked.load()) {
    watch_forks();
    std::exception_ptr error;
    std::mutex error_mutex;
#pragma omp parallel num_threads(threads)
    {
      const Team team(omp_get_thread_num(), omp_get_num_threads());
      try {
        call(context, team);
      } catch (...) {
        const std::lock_guard<std::mutex> lock(error_mutex);
        error = std::current_exception();
      }
    }
    if (error) std::rethrow_exception(error);
    return;
  }
#endif
  call(context, Team(0, 1));
}

}  // namespace detail
}  // namespace laminar
