// SPDX-License-Identifier: Apache-2.0
// How many threads a call may use, and teams of them. The threads are laminar's own (workers.hpp): they
// sleep while there is nothing to do, and no setting of another library is touched.
#pragma once

#include "laminar/base/types.hpp"

namespace laminar {

/// The largest number of threads that can be asked for.
inline constexpr int kMostThreads = 1024;

/// Threads that a call may use: what set_num_threads asked for, else the processors that this
/// process may run on (affinity, cgroup quota, OMP_NUM_THREADS).
int get_num_threads();

/// Asks for a number of threads for all later calls; 0 means automatic: as many as help, fewer for
/// little work, and fewer while other processes use the processors. Where the system has no more threads,
/// those that there are do the work. Throws std::invalid_argument for negative numbers and above kMostThreads.
void set_num_threads(int threads);

/// Whether the number of threads is automatic.
bool automatic_threads();

/// Threads for work of so many floating-point operations or as much time spent otherwise: exactly
/// what was asked for, or under automatic choice as many as pay for waking them.
int threads_for(double work);

class Meeting;

/// One thread's view of its team.
class Team {
 public:
  /// Member number `rank` of `size`; only members of a meeting can wait for each other.
  Team(int rank, int size, Meeting* meeting = nullptr) : rank_(rank), size_(size), meeting_(meeting) {}
  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Waits for the whole team. Where a member has failed, this ends the others by an exception of its own.
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
  Meeting* meeting_;
};

}  // namespace laminar
