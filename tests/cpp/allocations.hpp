// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace laminar::tests {

/// Calls of any operator new, by any thread, since the program started.
std::int64_t allocations();

/// The most bytes that operator new had handed out at one time since this was made, beyond those that
/// it had handed out before.
class AllocationPeak {
 public:
  AllocationPeak();
  std::int64_t bytes() const;

 private:
  std::int64_t before_;
};

/// While this lives, operator new fails on all threads but the one that made it.
class OthersWithoutMemory {
 public:
  OthersWithoutMemory();
  OthersWithoutMemory(const OthersWithoutMemory&) = delete;
  OthersWithoutMemory& operator=(const OthersWithoutMemory&) = delete;
  ~OthersWithoutMemory();
};

}  // namespace laminar::tests
