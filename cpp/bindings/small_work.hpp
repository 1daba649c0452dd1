// SPDX-License-Identifier: Apache-2.0
// Calls of a microsecond: giving up the interpreter lock and taking it again would cost a tenth of them.
#pragma once

#include "interrupts.hpp"

#include "laminar/graph/network.hpp"

namespace laminar::bindings {

inline constexpr double kWorkUnderLock = 2e5;

/// Whether so many rows go through a network so fast that the lock is kept.
inline bool is_small(const Network& network, Index rows) {
  return network.work() * static_cast<double>(rows) < kWorkUnderLock;
}

/// Returns work(), which gives way to others unless it is small.
template <typename Work>
auto unlocked_if(const Network& network, Index rows, const Work& work) {
  return is_small(network, rows) ? work() : unlocked(work);
}

}  // namespace laminar::bindings
