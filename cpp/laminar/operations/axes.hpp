// SPDX-License-Identifier: Apache-2.0
// Extents and strides of a value while a program runs, when the number of rows is known. Internal.
#pragma once

#include <array>

#include "laminar/operations/program.hpp"

namespace laminar {

inline std::size_t as_size(Index i) { return static_cast<std::size_t>(i); }

inline bool starts_with_rows(const Shape& shape) { return !shape.empty() && shape[0] == kBatch; }

inline Index elements(const Shape& shape, Index rows) {
  Index product = 1;
  for (const Index extent : shape) product *= extent == kBatch ? rows : extent;
  return product;
}

/// Outermost axis first.
struct Axes {
  int count = 0;
  std::array<Index, kMaxAxes> extents{};
  std::array<Index, kMaxAxes> strides{};

  Axes() = default;
  /// Without gaps, but for `lead` elements from row to row.
  Axes(const Shape& shape, Index rows, Index lead) : count(static_cast<int>(shape.size())) {
    Index stride = 1;
    for (std::size_t i = shape.size(); i-- > 0;) {
      extents[i] = shape[i] == kBatch ? rows : shape[i];
      strides[i] = stride;
      stride *= extents[i];
    }
    if (starts_with_rows(shape)) strides[0] = lead;
  }

  std::size_t last() const { return as_size(count) - 1; }
  Index size() const {
    Index product = 1;
    for (int i = 0; i < count; ++i) product *= extents[as_size(i)];
    return product;
  }
};

/// A value in memory.
template <typename T>
struct Array {
  T* values = nullptr;
  Axes axes = {};
};

/// Elements before some axes, of them, and after them.
struct Split {
  Index outer = 1;
  Index extent = 1;
  Index inner = 1;

  /// At the axes from `begin` to before `end`.
  Split(const Axes& axes, Index begin, Index end) {
    for (int i = 0; i < axes.count; ++i) {
      (i < begin ? outer : i < end ? extent : inner) *= axes.extents[as_size(i)];
    }
  }
};

/// Calls each(source offset, target offset, extent, source stride, target stride) for every innermost run; both
/// have the target's extents.
template <typename Each>
void for_runs(const Axes& source, const Axes& target, const Each& each) {
  if (target.count == 0) return each(Index{0}, Index{0}, Index{1}, Index{1}, Index{1});
  if (target.size() == 0) return;
  const std::size_t last = target.last();
  std::array<Index, kMaxAxes> at{};
  Index from = 0;
  Index to = 0;
  while (true) {
    each(from, to, target.extents[last], source.strides[last], target.strides[last]);
    std::size_t axis = last;
    while (true) {
      if (axis == 0) return;
      --axis;
      from += source.strides[axis];
      to += target.strides[axis];
      if (++at[axis] < target.extents[axis]) break;
      from -= source.strides[axis] * target.extents[axis];
      to -= target.strides[axis] * target.extents[axis];
      at[axis] = 0;
    }
  }
}

}  // namespace laminar
