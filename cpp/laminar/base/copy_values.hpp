// SPDX-License-Identifier: Apache-2.0
// Few values, copied and fetched: a call of memmove takes as long as three such copies.
#pragma once

#include <cstring>

#include "laminar/base/buffer.hpp"
#include "laminar/base/types.hpp"

namespace laminar {

/// To other memory, without a call where there are few.
template <typename T>
[[gnu::always_inline]] inline void copy_values(const T* from, Index count, T* to) {
  constexpr Index kFew = 32;
  constexpr Index kPiece = 4;
  if (count > kFew) {
    std::memcpy(to, from, static_cast<std::size_t>(count) * sizeof(T));
    return;
  }
  Index i = 0;
  for (; i + kPiece <= count; i += kPiece) std::memcpy(to + i, from + i, kPiece * sizeof(T));
  for (; i < count; ++i) to[i] = from[i];
}

/// Rows to others, each `count` values of them.
template <typename T>
void copy_rows(const T* from, Index from_stride, Index rows, Index count, T* to, Index to_stride) {
  if (count == 1) {
    for (Index row = 0; row < rows; ++row) to[row * to_stride] = from[row * from_stride];
    return;
  }
  for (Index row = 0; row < rows; ++row) copy_values(from + row * from_stride, count, to + row * to_stride);
}

/// Asks for values that will be read soon.
template <typename T>
void fetch_values(const T* from, Index count) {
  constexpr Index kLine = static_cast<Index>(kAlignment / sizeof(T));
  for (Index i = 0; i < count; i += kLine) __builtin_prefetch(from + i);
}

}  // namespace laminar
