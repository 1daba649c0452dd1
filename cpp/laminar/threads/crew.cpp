// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/crew.hpp"

#include <algorithm>
#include <new>
#include <thread>

namespace laminar {
namespace {

using std::chrono::microseconds;

// Sleeping threads are there after 10 to 50 µs, unless somebody else has their processor.
constexpr microseconds kLeastPatience{100};
constexpr microseconds kMostPatience{2000};
constexpr double kWorkPerNanosecond = 50;

/// What ends the other members of a team in which one has failed.
struct Abandoned {};

/// Pieces of work that are taken by whoever is free.
class Pieces final : public Worker::Job {
 public:
  Pieces(Index count, void (*piece)(const void*, Index), const void* context)
      : count_(count), piece_(piece), context_(context) {}

  void work(const Worker&) override { take(); }
  void take() {
    try {
      for (Index i = next_++; i < count_; i = next_++) piece_(context_, i);
    } catch (...) {
      next_ = count_;
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
  }
  void rethrow() const {
    if (error_) std::rethrow_exception(error_);
  }

 private:
  Index count_;
  void (*piece_)(const void*, Index);
  const void* context_;
  std::mutex mutex_;
  std::exception_ptr error_;
  alignas(64) std::atomic<Index> next_{0};
};

}  // namespace

void Team::barrier() const {
  if (size_ > 1) meeting_->barrier(rank_, size_);
}

void Meeting::begin(int size) {
  size_.store(size, std::memory_order_release);
  size_.notify_all();
}

void Meeting::work(const Worker& self) {
  wait_for_change(size_, 0);
  work_as(self.rank, size_.load(std::memory_order_relaxed));
}

void Meeting::work_as(int rank, int size) {
  try {
    call_(context_, Team(rank, size, this));
  } catch (const Abandoned&) {
  } catch (...) {
    {
      const std::lock_guard lock(mutex_);
      if (!error_) error_ = std::current_exception();
    }
    failed_ = true;
    ++round_;  // whoever waits looks again
    round_.notify_all();
  }
}

void Meeting::barrier(int rank, int size) {
  const int round = round_.load(std::memory_order_acquire);
  if (failed_) throw Abandoned{};
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_acq_rel);
    round_.notify_all();
  } else {
    const Clock::duration slept = wait_for_change(round_, round);
    if (rank == 0) waited_ += slept;
  }
  if (failed_) throw Abandoned{};
}

Crew::Crew(int threads, double work, const ScratchSizes& scratch, Index bytes)
    : threads_(threads),
      automatic_(work > 0 && automatic_threads()),
      scratch_(scratch),
      bytes_(bytes),
      forks_(Workers::forks()),
      expected_(static_cast<Clock::rep>(work / kWorkPerNanosecond)) {
  if (threads > 1) scratch_memory().reserve(scratch, bytes);  // nobody waits for a single one
}

Crew::~Crew() {
  if (workers_ != nullptr && forks_ == Workers::forks()) Workers::give_back(workers_);
}

int Crew::strength() {
  if (threads_ == 1 || !automatic_) return threads_;
  started_ = Clock::now();
  if (limit_ < threads_ && started_ >= again_) limit_ = pace().allowed(threads_, started_, &again_);
  return limit_;
}

int Crew::hire(int workers) {
  if (forks_ != Workers::forks()) {  // a forked child: the workers are its parent's
    workers_ = nullptr;
    hired_ = 0;
    forks_ = Workers::forks();
  }
  if (hired_ < workers) {
    Worker* more = Workers::take(workers - hired_);
    while (more != nullptr) {
      Worker* const worker = more;
      more = worker->next;
      worker->next = nullptr;
      try {
        worker->memory().reserve(scratch_, bytes_);
      } catch (const std::bad_alloc&) {
        Workers::give_back(worker);
        continue;
      }
      worker->next = workers_;
      workers_ = worker;
      ++hired_;
    }
    if (hired_ < workers) threads_ = 1 + hired_;  // there are no more
  }
  return std::min(hired_, workers);
}

int Crew::call_in(Meeting& meeting, int size, Clock::duration* waited) {
  bool awake = true;
  int rank = 1;
  for (Worker* worker = workers_; rank < size; worker = worker->next) {
    worker->rank = rank++;
    awake = awake && worker->awake();
  }
  if (awake || !automatic_) {
    meeting.begin(size);
    rank = 1;
    for (Worker* worker = workers_; rank < size; worker = worker->next, ++rank) worker->call(meeting);
    return size;
  }
  rank = 1;
  for (Worker* worker = workers_; rank < size; worker = worker->next, ++rank) worker->call(meeting);
  const Clock::time_point start = Clock::now();
  const Clock::duration patience = std::clamp<Clock::duration>(expected_ / 4, kLeastPatience, kMostPatience);
  int present = 1;
  rank = 1;
  for (Worker* worker = workers_; rank < size; worker = worker->next, ++rank) {
    while (!worker->begun() && Clock::now() < start + patience) std::this_thread::yield();
    worker->rank = worker->withdraw() ? 0 : present++;
  }
  *waited += Clock::now() - start;
  meeting.begin(present);
  return present;
}

void Crew::account(int size, Clock::duration waited) {
  if (!automatic_) return;
  const Clock::time_point now = Clock::now();
  expected_ = now - started_;
  balance_.add(size, expected_, waited);
  if (!balance_.lost()) return;
  pace().rest(balance_.paid(), now, &again_);
  balance_ = {};
  limit_ = std::max(1, size / 2);
}

void Crew::run(Call call, const void* context) {
  int size = strength();
  if (size > 1) size = 1 + hire(size - 1);
  if (size == 1) return call(context, Team(0, 1));
  Meeting meeting(call, context);
  const int called = size;
  Clock::duration waited{};
  size = call_in(meeting, called, &waited);
  meeting.work_as(0, size);
  int rank = 1;
  for (Worker* worker = workers_; rank < called; worker = worker->next, ++rank) {
    if (worker->rank > 0) waited += worker->finish();
  }
  account(size, waited + meeting.waited());
  meeting.rethrow();
}

void Crew::share(Index count, Piece piece, const void* context) {
  int size = static_cast<int>(std::min<Index>(count, threads_));
  if (size > 1) size = 1 + hire(std::min(size, strength()) - 1);
  if (size <= 1) {
    for (Index i = 0; i < count; ++i) piece(context, i);
    return;
  }
  Pieces pieces(count, piece, context);
  int called = 1;
  for (Worker* worker = workers_; called < size; worker = worker->next, ++called) worker->call(pieces);
  pieces.take();
  Clock::duration waited{};
  called = 1;
  for (Worker* worker = workers_; called < size; worker = worker->next, ++called) {
    if (!worker->withdraw()) waited += worker->finish();
  }
  account(size, waited);
  pieces.rethrow();
}

}  // namespace laminar
