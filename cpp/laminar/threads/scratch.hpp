// SPDX-License-Identifier: Apache-2.0
// Memory that a thread needs beside a workspace, a piece for each purpose, kept from call to call. It is
// reserved for all threads of a team before they start: nothing is allocated, and so nothing can fail, where
// the others wait at a barrier. Internal.
#pragma once

#include <array>

#include "laminar/base/buffer.hpp"

namespace laminar {

/// What a piece is for; pieces of different purposes are used at the same time.
enum class Scratch {
  workspace,   // the values of a block of rows in all layers, at prediction
  comparison,  // outputs and targets of a block that is evaluated
  tiles,       // the left operand of a product
  weights,     // the right one, a piece of one that is rounded for inference
  gradient,    // of a piece of a kernel
  pieces,      // of a maxout layer at prediction
  present,     // what is there of a row whose targets are there in part
  program,     // the values of a program that runs
};
inline constexpr std::size_t kScratches = 8;

/// Elements for each purpose.
class ScratchSizes {
 public:
  void need(Scratch purpose, Index elements) {
    Index& most = elements_[static_cast<std::size_t>(purpose)];
    most = std::max(most, elements);
  }
  const std::array<Index, kScratches>& elements() const { return elements_; }

 private:
  std::array<Index, kScratches> elements_{};
};

/// One thread's pieces.
class ScratchMemory {
 public:
  /// Room for elements of so many bytes. Throws std::bad_alloc.
  void reserve(const ScratchSizes& sizes, Index bytes);
  void* piece(Scratch purpose, Index bytes) {
    AlignedBuffer<char>& buffer = pieces_[static_cast<std::size_t>(purpose)];
    if (buffer.size() < bytes) buffer = AlignedBuffer<char>(bytes);
    return buffer.data();
  }

 private:
  std::array<AlignedBuffer<char>, kScratches> pieces_;
};

/// The calling thread's.
ScratchMemory& scratch_memory();
/// Makes `memory`, which stays as long as the calling thread, the calling thread's.
void use_scratch_memory(ScratchMemory& memory);

/// The calling thread's piece for a purpose, of so many elements at least.
template <typename T>
T* scratch(Scratch purpose, Index elements) {
  return static_cast<T*>(scratch_memory().piece(purpose, elements * static_cast<Index>(sizeof(T))));
}

}  // namespace laminar
