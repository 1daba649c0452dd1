// SPDX-License-Identifier: Apache-2.0
// A model that several threads of Python use at once. Whoever computes holds what it reads; whoever
// changes the model while somebody reads takes a copy for itself. So readers neither wait nor are waited
// for, and see one state or the other. While a thread trains, the others are refused changes, and read
// copies that the training thread makes for them between two steps.
//
// All members are used under the interpreter's lock, which is what guards them.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "bindings.hpp"
#include "interpreter.hpp"
#include "passages.hpp"

#include "laminar/base/error.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/model.hpp"

namespace laminar::bindings {

/// A number for this thread that no other has had, and one for this process, as forks tell them apart.
std::uint64_t this_thread();
long this_process();

/// A model that several may hold.
template <typename T>
struct Held {
  explicit Held(Model<T> model_) : model(std::move(model_)) {}
  explicit Held(const State<T>& state) : model(std::make_unique<State<T>>(state)) {}

  Model<T> model;
};

template <typename T>
class SharedModel {
 public:
  using Pointer = std::shared_ptr<Held<T>>;
  class Training;

  explicit SharedModel(Model<T> model) : held_(std::make_shared<Held<T>>(std::move(model))) {}
  explicit SharedModel(Pointer held) : held_(std::move(held)) {}

  /// For what never changes, and what this thread looks at at once.
  const Model<T>& now() const { return held_->model; }

  bool trained_here() const { return training_ != nullptr && training_->owner == this_thread(); }
  bool trained_elsewhere() const { return training_ != nullptr && training_->owner != this_thread(); }

  /// The model for a reader, as it was at one moment for as long as it is held. Waits for a step's end
  /// where another thread trains; errors name the operation.
  Pointer reading(const char* operation) const { return moment(operation, false).first; }
  /// With notes, what the training thread's fit has to say of the same moment, whole in the sense that
  /// no callback is under way; none where this thread may say so itself.
  std::pair<Pointer, py::object> moment(const char* operation, bool with_notes) const;

  /// The model to be changed at once, seen by nobody else. Throws std::logic_error where another thread
  /// trains it; where this one does, the core knows what may be changed.
  Model<T>& changing(const char* operation);
  /// The same for new weights, for other layers, and for statistics that follow a batch.
  Model<T>& weighing(const char* operation);
  Model<T>& rebuilding(const char* operation);
  Model<T>& following(const char* operation);
  void exchange(SharedModel& other);

  /// What differs once the weights that a call reads are others; calls in training do not read statistics that
  /// follow batches.
  struct WeightsRead {
    Index changes = 0;
    Index iterations = 0;
    bool operator==(const WeightsRead&) const = default;
  };
  WeightsRead weights_read(bool in_training) const {
    return {changes_ + (in_training ? 0 : followed_), now().iterations()};
  }
  Passages<T>& passages() const { return *passages_; }

 private:
  struct Request {
    bool with_notes = false;
    std::atomic<bool> done{false};
    Pointer held;
    py::object notes = py::none();
    std::exception_ptr error;
  };
  /// What a training thread and those that ask it share.
  struct Session {
    std::uint64_t owner = this_thread();
    long process = this_process();
    py::object notes;                // a function
    std::atomic<bool> still{false};  // the training thread is in Python, and leaves the model alone until it returns
    std::atomic<bool> over{false};
    std::atomic<bool> asked{false};
    std::vector<std::shared_ptr<Request>> requests;
    std::mutex mutex;  // between those who wait for this to change and those who tell them
    std::condition_variable changed;

    void tell() {
      {
        const std::lock_guard<std::mutex> lock(mutex);
      }
      changed.notify_all();
    }
  };

  static Pointer copy_of(const Held<T>& held) { return std::make_shared<Held<T>>(held.model.state()); }
  /// Waits until the request is answered, the training is over, or its thread stands still.
  void wait(Session& session, const Request& request) const;

  Pointer held_;
  std::shared_ptr<Session> training_;
  std::shared_ptr<Passages<T>> passages_ = std::make_shared<Passages<T>>();
  Index changes_ = 0;   // of weights
  Index followed_ = 0;  // batches, by statistics
};

/// A training by this thread, until the end of the scope.
template <typename T>
class SharedModel<T>::Training {
 public:
  /// Throws std::logic_error where the model is being trained already. `notes` is a function or None.
  Training(SharedModel& shared, const char* operation, py::object notes = py::none());
  Training(const Training&) = delete;
  Training& operator=(const Training&) = delete;
  ~Training();

  Model<T>& model() { return held_->model; }
  /// True where somebody asks for answer(), to be called between two steps.
  const std::atomic<bool>& asked() const { return session_->asked; }
  /// Gives copies of the model to those who wait for one; without the interpreter's lock.
  void answer();

  /// While this thread is in Python, with the lock.
  class Still {
   public:
    explicit Still(Training& training) : session_(*training.session_), before_(session_.still) {
      session_.still = true;
      if (!session_.requests.empty()) session_.tell();
    }
    Still(const Still&) = delete;
    Still& operator=(const Still&) = delete;
    ~Still() { session_.still = before_; }

   private:
    Session& session_;
    bool before_;  // in Python it may have called what asks between two blocks
  };

 private:
  SharedModel& shared_;
  Pointer held_;
  std::shared_ptr<Session> session_;
};

}  // namespace laminar::bindings
