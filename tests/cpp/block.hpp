// SPDX-License-Identifier: Apache-2.0
// Memory as the kernels want it, with guards that show what they read or write beyond their right.
#pragma once

#include "laminar/kernels/dispatch.hpp"
#include "support.hpp"

namespace laminar::tests {

/// Rows x columns as the kernels want them: each row has room for its columns rounded up to 64
/// bytes. Everything else is guard, and guards and rooms start as NaN, so a value that leaks from
/// there shows. Under the address sanitizer the memory ends with the last row's room.
template <typename T>
class Block {
 public:
  static constexpr Index kLine = 64 / static_cast<Index>(sizeof(T));
#ifdef __SANITIZE_ADDRESS__
  static constexpr Index kTail = 0;
#else
  static constexpr Index kTail = kLine;
#endif

  Block(Index rows, Index columns)
      : rows_(rows),
        columns_(columns),
        room_((columns + kLine - 1) / kLine * kLine),
        memory_(as_size(kLine + rows * (room_ + kLine) - kLine + kTail), guard()) {}
  Block(Index rows, Index columns, const std::vector<T>& values) : Block(rows, columns) {
    for (Index i = 0; i < rows * columns; ++i) (*this)(i / columns, i % columns) = values[as_size(i)];
  }

  T* data() { return memory_.data() + kLine; }
  const T* data() const { return memory_.data() + kLine; }
  Index stride() const { return room_ + kLine; }
  T& operator()(Index i, Index j) { return data()[i * stride() + j]; }
  T operator()(Index i, Index j) const { return data()[i * stride() + j]; }

  /// The values without padding.
  std::vector<T> values() const {
    std::vector<T> all;
    for (Index i = 0; i < rows_; ++i) all.insert(all.end(), data() + i * stride(), data() + i * stride() + columns_);
    return all;
  }
  /// No guard has been written.
  bool intact() const {
    for (Index k = 0; k < static_cast<Index>(memory_.size()); ++k) {
      const Index at = k - kLine;
      const bool guarded = at < 0 || at >= rows_ * stride() || at % stride() >= room_;
      if (guarded && !same_bits(memory_[as_size(k)], guard())) return false;
    }
    return true;
  }

 private:
  static T guard() { return kNan<T>; }

  Index rows_;
  Index columns_;
  Index room_;
  std::vector<T> memory_;
};

/// work(table) for every instruction set that runs here and has functions of its own for numbers.
template <typename T, typename Work>
void for_each_table(const Work& work) {
  for (const std::string& isa : kernels::available_isas()) {
    if (isa == "avx512_bf16") continue;
    CAPTURE(isa);
    work(kernels::kernels_for<T>(isa));
  }
}

}  // namespace laminar::tests
