// SPDX-License-Identifier: Apache-2.0
// How a caller ends what takes long. While a StopScope lives, whatever its thread calls in laminar asks it
// now and then whether to go on, and leaves by an exception where not. Nothing has changed then but what
// the call had completed: batches of a fit, which returns and says that it was interrupted, and iterations of
// L-BFGS.
//
//     const laminar::StopScope scope([&] { return button_pressed(); });
//     model.predict(x, out);  // throws laminar::Stopped within some 100 ms of the button
#pragma once

#include <atomic>
#include <chrono>
#include <exception>
#include <functional>
#include <stdexcept>
#include <thread>

namespace laminar {

/// Asked whether to end; what it throws ends the call as well.
using Stop = std::function<bool()>;

/// Thrown by what a StopScope has ended.
class Stopped : public std::runtime_error {
 public:
  Stopped() : std::runtime_error("stopped by the caller") {}
};

/// Makes the calls of one thread ask `stop`, every 50 ms or less often, as long as it lives. Scopes nest: the
/// inner one asks the outer ones as well. While it is asked, `stop` may do long work itself, which asks the outer
/// ones alone. Threads that help the calling one learn the answer from it.
class StopScope {
 public:
  /// Of the thread that makes it. An empty `stop` says never.
  explicit StopScope(Stop stop);
  StopScope(const StopScope&) = delete;
  StopScope& operator=(const StopScope&) = delete;
  ~StopScope();

  /// The innermost scope of this thread, null where there is none.
  static StopScope* current();

  /// Whether to end. Any thread may call it; that of the scope asks where it is time to. `work` are the
  /// floating-point operations until the next call: small ones do not even read the clock.
  bool poll(double work);
  /// The same, asking now.
  bool ask();
  /// Whether the answer was yes.
  bool stopped() const { return stopped_.load(std::memory_order_relaxed); }
  /// Throws what `stop` has thrown, where it has.
  void rethrow() const;
  /// The same, or Stopped where the answer was yes.
  void leave() const;

 private:
  using Clock = std::chrono::steady_clock;

  Stop stop_;
  StopScope* outer_;
  std::thread::id owner_;
  double work_ = 0;
  Clock::time_point last_;
  std::exception_ptr error_;
  bool asking_ = false;
  alignas(64) std::atomic<bool> stopped_ = false;  // apart from what the owner writes
};

/// For long work of a single thread: throws where its scope, if it has one, says so. `work` as in poll.
void leave_if_stopped(double work);

/// Calls work(begin, end) for pieces of [0, size) of at most `piece`, which take so many operations for each
/// element, and may leave between them.
template <typename Index, typename Work>
void in_pieces(Index size, Index piece, double operations, const Work& work) {
  for (Index begin = 0; begin < size;) {
    const Index end = size - begin > piece ? begin + piece : size;
    leave_if_stopped(operations * static_cast<double>(end - begin));
    work(begin, end);
    begin = end;
  }
}

}  // namespace laminar
