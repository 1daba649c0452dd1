// SPDX-License-Identifier: Apache-2.0
// Teams of threads. The only code that knows OpenMP is parallel.cpp. No global setting of the
// OpenMP runtime is touched, so other libraries in the process keep theirs.
#pragma once

#include "laminar/types.hpp"

namespace laminar {

/// Threads that a call may use: what set_num_threads asked for, else the processors that this
/// process may run on (affinity, cgroup quota, OMP_NUM_THREADS).
int get_num_threads();

/// Asks for a number of threads for all later calls; 0 means automatic: as many as help, fewer for
/// little work. Throws std::invalid_argument for negative numbers.
void set_num_threads(int threads);

/// Threads for work of so many floating-point operations or as much time spent otherwise: exactly
/// what was asked for, or under automatic choice as many as pay for waking them.
int threads_for(double work);

/// One thread's view of its team.
class Team {
 public:
  /// Member number `rank` of `size`.
  Team(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Waits for the whole team.
  void barrier() const;
  /// This thread's share of [0, count): contiguous, sizes differ by at most one.
  struct Share {
    Index begin;
    Index end;
  };
  Share share(Index count) const { return {count * rank_ / size_, count * (rank_ + 1) / size_}; }

 private:
  int rank_;
  int size_;
};

namespace detail {
/// run_team with the body behind a pointer.
void run_team(int threads, void (*call)(const void*, const Team&), const void* context);
}  // namespace detail

/// Runs body(team) on a team of up to `threads` threads, the caller being rank 0. An exception of a
/// thread is rethrown here, once all have ended; a body that uses barriers must not throw.
/// Runs serially in a forked child, whose parent's threads do not exist any more.
template <typename Body>
void run_team(int threads, const Body& body) {
  detail::run_team(
      threads, [](const void* context, const Team& team) { (*static_cast<const Body*>(context))(team); }, &body);
}

}  // namespace laminar
