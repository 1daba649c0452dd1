// SPDX-License-Identifier: Apache-2.0
#include "interpreter.hpp"

#include <pybind11/numpy.h>

#include <atomic>
#include <chrono>
#include <thread>

namespace laminar::bindings {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatienceAtExit{250};

std::atomic<int> computing{0};  // threads that compute
std::atomic<bool> ending{false};
std::atomic<std::thread::id> ender;  // the thread that ends the interpreter

/// Lets daemon threads leave what they compute before the process takes its memory apart.
void end() {
  ender.store(std::this_thread::get_id());
  ending.store(true);
  PyThreadState* const state = PyEval_SaveThread();
  const auto until = Clock::now() + kPatienceAtExit;
  while (computing.load() > 0 && Clock::now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  PyEval_RestoreThread(state);
}

}  // namespace

void Unlocked::count(int more) { computing += more; }

void rest() {
  while (true) std::this_thread::sleep_for(std::chrono::hours(24));
}

void rest_at_exit() {
  if (!ending.load() || ender.load() == std::this_thread::get_id() || PyGILState_Check() != 0) return;
  --computing;
  rest();
}

void bind_exit() {
  py::module_::import("atexit").attr("register")(py::cpp_function(&end));
  py::detail::npy_api::get();  // whose first use gives the lock up and takes it back in pybind11's way
}

}  // namespace laminar::bindings
