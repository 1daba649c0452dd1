// SPDX-License-Identifier: Apache-2.0
// Ctrl-C while the core computes: Python's signal handlers run on the thread that called, and what they raise
// ends the call.
#pragma once

#include "bindings.hpp"
#include "interpreter.hpp"

#include "laminar/base/stop.hpp"
#include "laminar/threads/other_scratch.hpp"

namespace laminar::bindings {

/// Runs Python's signal handlers, on its main thread; throws what one of them has raised.
inline bool raise_interrupts() {
  const OtherScratch scratch;
  rest_at_exit();
  const Locked lock;
  raise_signals();
  return false;
}

/// Returns work(), which gives way to interrupts; the interpreter lock is kept.
template <typename Work>
auto interruptible(const Work& work) {
  const StopScope scope(raise_interrupts);
  return work();
}

/// The same without the interpreter lock.
template <typename Work>
auto unlocked(const Work& work) {
  const Unlocked unlock;
  return interruptible(work);
}

}  // namespace laminar::bindings
