// SPDX-License-Identifier: Apache-2.0
#include "shared_model.hpp"

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

namespace laminar::bindings {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{50};  // between two looks at signals
// Callbacks may wait for another thread that waits for them.
constexpr std::chrono::seconds kLongCallback{1};

/// Throws what becomes RuntimeError.
[[noreturn]] void refuse(const char* operation, const char* why) {
  throw std::logic_error(std::string(operation).append(": the model ").append(why));
}
constexpr const char* kHere = "is being trained";
constexpr const char* kElsewhere = "is being trained by another thread";
constexpr const char* kForked =
    "was being trained by another thread when this process was forked, and may be in the middle of a step; load it "
    "from a file";

}  // namespace

std::uint64_t this_thread() {
  static std::atomic<std::uint64_t> last{0};
  thread_local const std::uint64_t number = ++last;
  return number;
}

long this_process() {
#if defined(__unix__) || defined(__APPLE__)
  return getpid();
#else
  return 0;  // there are no forks
#endif
}

template <typename T>
void SharedModel<T>::wait(Session& session, const Request& request) const {
  {
    const Unlocked unlocked;
    std::unique_lock<std::mutex> lock(session.mutex);
    session.changed.wait_for(lock, kPatience,
                             [&] { return request.done || session.over || (session.still && !request.with_notes); });
  }
  if (!request.done) raise_signals();
}

template <typename T>
auto SharedModel<T>::moment(const char* operation, bool with_notes) const -> std::pair<Pointer, py::object> {
  while (trained_elsewhere()) {
    const std::shared_ptr<Session> session = training_;
    if (session->process != this_process()) {
      refuse(operation, kForked);
    }
    const auto request = std::make_shared<Request>();
    request->with_notes = with_notes;
    session->requests.push_back(request);
    session->asked = true;
    const auto begin = Clock::now();
    while (!request->done && !session->over) {
      if (session->still && (!with_notes || Clock::now() - begin > kLongCallback)) {
        request->done = true;  // nobody needs to answer
        return {copy_of(*held_),
                with_notes && !session->notes.is_none() ? call(session->notes, py::tuple()) : py::none()};
      }
      wait(*session, *request);
    }
    if (request->error) std::rethrow_exception(request->error);
    if (request->done) return {request->held, request->notes};
  }
  return {held_, py::none()};
}

template <typename T>
Model<T>& SharedModel<T>::changing(const char* operation) {
  if (trained_elsewhere()) refuse(operation, kElsewhere);
  if (training_ == nullptr && held_.use_count() > 1) held_ = copy_of(*held_);
  return held_->model;
}

template <typename T>
Model<T>& SharedModel<T>::weighing(const char* operation) {
  Model<T>& model = changing(operation);
  ++changes_;
  return model;
}

template <typename T>
Model<T>& SharedModel<T>::rebuilding(const char* operation) {
  Model<T>& model = weighing(operation);
  passages_->forget();
  return model;
}

template <typename T>
Model<T>& SharedModel<T>::following(const char* operation) {
  Model<T>& model = changing(operation);
  ++followed_;
  return model;
}

template <typename T>
void SharedModel<T>::exchange(SharedModel& other) {
  if (training_ != nullptr || other.training_ != nullptr) refuse("exchange", kHere);
  std::swap(held_, other.held_);
  for (SharedModel* const each : {this, &other}) {
    ++each->changes_;
    each->passages_->forget();
  }
}

template <typename T>
SharedModel<T>::Training::Training(SharedModel& shared, const char* operation, py::object notes) : shared_(shared) {
  if (shared.trained_elsewhere()) refuse(operation, kElsewhere);
  if (shared.training_ != nullptr) refuse(operation, kHere);
  shared.weighing(operation);
  held_ = shared.held_;
  session_ = std::make_shared<Session>();
  session_->notes = std::move(notes);
  shared.training_ = session_;
}

template <typename T>
SharedModel<T>::Training::~Training() {
  shared_.training_.reset();
  session_->over = true;
  session_->requests.clear();
  session_->tell();
}

template <typename T>
void SharedModel<T>::Training::answer() {
  if (!session_->asked.load()) return;
  const Locked locked;
  session_->asked = false;
  const std::vector<std::shared_ptr<Request>> requests = std::exchange(session_->requests, {});
  Pointer copy;
  py::object notes = py::none();
  std::exception_ptr error;
  std::exception_ptr notes_error;
  bool wanted = false;
  bool with_notes = false;
  for (const auto& request : requests) {
    wanted = wanted || !request->done;
    with_notes = with_notes || (!request->done && request->with_notes);
  }
  if (!wanted) return;
  try {
    const Unlocked unlocked;
    copy = copy_of(*held_);
  } catch (...) {
    error = std::current_exception();
  }
  try {
    if (with_notes && !session_->notes.is_none()) notes = call(session_->notes, py::tuple());
  } catch (...) {
    notes_error = std::current_exception();
  }
  for (const auto& request : requests) {
    if (request->done) continue;
    request->held = copy;
    request->error = error;
    if (request->with_notes) {
      request->notes = notes;
      if (notes_error) request->error = notes_error;
    }
    request->done = true;
  }
  session_->tell();
}

template class SharedModel<float>;
template class SharedModel<double>;

}  // namespace laminar::bindings
