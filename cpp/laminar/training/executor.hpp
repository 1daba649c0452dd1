// SPDX-License-Identifier: Apache-2.0
// What makes updates of batches. There are two ways: the general one and that of small networks, to the same bits.
// The trainer chooses one for each run, and knows no more of it than stands here.
#pragma once

#include <algorithm>

#include "laminar/execution/batch.hpp"
#include "laminar/training/poll.hpp"

namespace laminar {

/// Takes a State through batches.
template <typename T>
class Executor {
 public:
  virtual ~Executor() = default;

  /// Memory for batches of so many rows, of which `part` go through at a time, 0 for all.
  virtual void reserve(Index rows, Index part) = 0;
  /// Gives that memory back.
  virtual void release() = 0;
  /// Makes the updates of some batches. `outcome` is what has come of the epoch so far, and what comes of these is
  /// added. `poll` may be null. The state may lag behind until it is settled.
  virtual void run(const Batches<T>& batches, Poll<T>* poll, Outcome& outcome) = 0;
};

/// Operations of a step of so many rows, about. The first rows only wait for the weights, which every thread would
/// read.
inline double work_of_step(const Network& network, Index rows) {
  constexpr double kWorkPerParameter = 40;  // updating and packing a weight
  return 3 * network.work() * static_cast<double>(std::max<Index>(rows - kLeastRows, 1)) +
         kWorkPerParameter * static_cast<double>(network.changed(rows));
}

/// Steps between two looks at the clock, which take as long as a step of the smallest networks.
inline Index steps_between_polls(double work) { return std::max<Index>(1, static_cast<Index>(1e6 / work)); }

}  // namespace laminar
