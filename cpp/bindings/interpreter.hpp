// SPDX-License-Identifier: Apache-2.0
// The interpreter's lock, given up and taken back. Both survive its end: up to Python 3.13 a daemon
// thread that asks for the lock of an interpreter that ends is ended by pthread_exit, which unwinds the
// stack and would call std::terminate on its way through the core. Here such a thread rests for ever
// where it stands, as later versions of Python have it.
#pragma once

#include <pybind11/pybind11.h>

#ifdef __GLIBCXX__
#include <cxxabi.h>
#endif

namespace laminar::bindings {

namespace py = pybind11;

/// Lets daemon threads come to rest when the interpreter ends.
void bind_exit();

/// Never returns.
[[noreturn]] void rest();

/// Rests for ever where the interpreter ends and this is not the thread that ends it; without its lock.
void rest_at_exit();

/// call(), which may wait for the interpreter's lock. Objects that it makes are not released where the
/// thread comes to rest in it, so it should make none.
template <typename Call>
auto or_rest(const Call& call) {
#ifdef __GLIBCXX__
  try {
    return call();
  } catch (abi::__forced_unwind&) {
    rest();
  }
#else
  return call();
#endif
}

/// Takes the lock, from any thread.
class Locked {
 public:
  Locked() : state_(or_rest([] { return PyGILState_Ensure(); })) {}
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { PyGILState_Release(state_); }

 private:
  PyGILState_STATE state_;
};

/// Gives the lock up, for what takes time, and takes it back.
class Unlocked {
 public:
  Unlocked() : state_(PyEval_SaveThread()) { count(1); }
  Unlocked(const Unlocked&) = delete;
  Unlocked& operator=(const Unlocked&) = delete;
  ~Unlocked() {
    count(-1);
    or_rest([&] { PyEval_RestoreThread(state_); });
  }

 private:
  static void count(int more);
  PyThreadState* state_;
};

/// function(*arguments), with the lock held.
inline py::object call(const py::object& function, const py::tuple& arguments) {
  PyObject* result = or_rest([&] { return PyObject_CallObject(function.ptr(), arguments.ptr()); });
  if (result == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(result);
}

/// Ctrl-C and what else handlers of signals raise, with the lock held.
inline void raise_signals() {
  if (or_rest([] { return PyErr_CheckSignals(); }) != 0) throw py::error_already_set();
}

}  // namespace laminar::bindings
