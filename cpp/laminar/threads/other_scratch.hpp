// SPDX-License-Identifier: Apache-2.0
// For those who are asked whether long work is to go on: what they compute must leave alone what that work keeps
// in its thread's scratch memory. Internal.
#pragma once

#include "laminar/threads/scratch.hpp"

namespace laminar {

/// While this lives, the calling thread's scratch memory is another one.
class OtherScratch {
 public:
  OtherScratch() : before_(scratch_memory()) { use_scratch_memory(memory_); }
  OtherScratch(const OtherScratch&) = delete;
  OtherScratch& operator=(const OtherScratch&) = delete;
  ~OtherScratch() { use_scratch_memory(before_); }

 private:
  ScratchMemory& before_;
  ScratchMemory memory_;
};

}  // namespace laminar
