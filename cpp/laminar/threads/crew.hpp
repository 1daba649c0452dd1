// SPDX-License-Identifier: Apache-2.0
// Threads that take one piece of work after another together: steps of a training in which they wait for
// each other, or pieces that need not. Where their number is automatic, only as many take part as pay at the
// moment (pace.hpp). Internal.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>

#include "laminar/threads/pace.hpp"
#include "laminar/threads/parallel.hpp"
#include "laminar/threads/scratch.hpp"
#include "laminar/threads/workers.hpp"

namespace laminar {

/// The caller and up to threads - 1 workers, which are the caller's until the end of the scope.
class Crew {
 public:
  /// Reserves the caller's scratch memory for elements of so many bytes, and a worker's when it is taken: one
  /// that has no room for it is done without. `work` as threads_for counts it, of one piece of work; where it
  /// is 0, all threads take part in everything.
  Crew(int threads, double work, const ScratchSizes& scratch = {}, Index bytes = 0);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew();

  /// Runs body(team) on a team, the caller being rank 0. What a member throws ends the others at their next
  /// barrier and is thrown here.
  template <typename Body>
  void run(const Body& body) {
    run([](const void* context, const Team& team) { (*static_cast<const Body*>(context))(team); }, &body);
  }

  /// Calls work(i) once for each i in [0, count), by whichever thread is free. Threads that come late find
  /// nothing left and are not waited for. What work throws ends it and is thrown here.
  template <typename Work>
  void share(Index count, const Work& work) {
    share(count, [](const void* context, Index i) { (*static_cast<const Work*>(context))(i); }, &work);
  }

 private:
  using Call = void (*)(const void*, const Team&);
  using Piece = void (*)(const void*, Index);

  void run(Call call, const void* context);
  void share(Index count, Piece piece, const void* context);
  /// How many threads take part in what comes now.
  int strength();
  /// Workers that are there, at most so many.
  int hire(int workers);
  /// Calls workers for a meeting, and where some are asleep, waits a little for them. Returns the size of the
  /// team, which is told to the meeting.
  int call_in(Meeting& meeting, int size, Clock::duration* waited);
  void account(int size, Clock::duration waited);

  int threads_;
  bool automatic_;
  ScratchSizes scratch_;
  Index bytes_;                // of an element of it
  Worker* workers_ = nullptr;  // a list
  int hired_ = 0;
  int limit_ = 0;  // threads that pay at the moment; 0 before that was asked
  int forks_;
  Clock::time_point again_{};  // when to ask anew
  Clock::time_point started_{};
  Clock::duration expected_;  // of a piece of work
  Balance balance_;
};

/// Runs body(team) on a team of up to `threads` threads, once. Automatic numbers are taken as they are.
template <typename Body>
void run_team(int threads, const Body& body) {
  Crew(threads, 0).run(body);
}

/// What the members of a team share while they work.
class Meeting final : public Worker::Job {
 public:
  Meeting(void (*call)(const void*, const Team&), const void* context) : call_(call), context_(context) {}
  /// Lets those who have come begin.
  void begin(int size);
  void work(const Worker& self) override;
  /// The same for rank 0.
  void work_as(int rank, int size);
  void barrier(int rank, int size);
  /// How long rank 0 has slept at barriers.
  Clock::duration waited() const { return waited_; }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void (*call_)(const void*, const Team&);
  const void* context_;
  Clock::duration waited_{};
  std::atomic<bool> failed_{false};
  std::mutex mutex_;
  std::exception_ptr error_;
  alignas(64) std::atomic<int> size_{0};
  alignas(64) std::atomic<int> arrived_{0};
  alignas(64) std::atomic<int> round_{0};
};

}  // namespace laminar
