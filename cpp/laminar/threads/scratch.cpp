// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/scratch.hpp"

namespace laminar {

void ScratchMemory::reserve(const ScratchSizes& sizes, Index bytes) {
  for (std::size_t i = 0; i < kScratches; ++i) piece(static_cast<Scratch>(i), sizes.elements()[i] * bytes);
}

namespace {

thread_local ScratchMemory* given = nullptr;

}  // namespace

ScratchMemory& scratch_memory() {
  if (given != nullptr) return *given;
  thread_local ScratchMemory own;
  return own;
}

void use_scratch_memory(ScratchMemory& memory) { given = &memory; }

}  // namespace laminar
