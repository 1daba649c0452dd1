// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/processors.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <thread>

#ifdef __linux__
#include <sched.h>
#include <unistd.h>
#endif

namespace laminar {
namespace {

int affinity() {
#ifdef __linux__
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

/// How many of two numbers a file begins with, as scanf's format finds them.
template <typename A, typename B>
int scan(const char* path, const char* format, A* a, B* b) {
  std::FILE* file = std::fopen(path, "r");
  if (file == nullptr) return 0;
  const int values = std::fscanf(file, format, a, b);
  std::fclose(file);
  return values;
}

/// Whole processors of this process's cgroup quota (version 2, then 1), or `otherwise`.
int cgroup_quota(int otherwise) {
  double quota = 0;
  double period = 0;
  double unused = 0;
  if (scan("/sys/fs/cgroup/cpu.max", "%lf %lf", &quota, &period) != 2) {
    if (scan("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "%lf", &quota, &unused) != 1 ||
        scan("/sys/fs/cgroup/cpu/cpu.cfs_period_us", "%lf", &period, &unused) != 1) {
      return otherwise;
    }
  }
  if (quota <= 0 || period <= 0) return otherwise;
  return std::max(1, static_cast<int>(std::floor(quota / period)));
}

/// The first number of OMP_NUM_THREADS, which users of other libraries set; or `otherwise`.
int asked_of_all(int otherwise) {
  const char* text = std::getenv("OMP_NUM_THREADS");
  if (text == nullptr) return otherwise;
  const long number = std::strtol(text, nullptr, 10);
  return number > 0 ? static_cast<int>(std::min<long>(number, otherwise)) : otherwise;
}

}  // namespace

int usable_processors() {
  static const int limit = asked_of_all(cgroup_quota(affinity()));
  return std::max(1, std::min(limit, affinity()));
}

// What the scheduler counts as running includes the thread that asks. It counts the whole machine, so
// the processors are all of the machine's, whatever this process may use of them.
int idle_processors(int most) {
#ifdef __linux__
  int running = 0;
  int all = 0;
  if (scan("/proc/loadavg", "%*f %*f %*f %d/%d", &running, &all) != 2) return most;
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  return static_cast<int>(std::clamp<long>(processors - (running - 1), 1, most));
#else
  return most;
#endif
}

}  // namespace laminar
