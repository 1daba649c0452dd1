// SPDX-License-Identifier: Apache-2.0
// Operations that move elements, or go along one axis. `integers` are the instruction's. Internal.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "laminar/base/copy_values.hpp"
#include "laminar/operations/axes.hpp"

namespace laminar {

using Integers = std::vector<Index>;

template <typename T>
void copy_elements(const T* in, const Axes& from, T* out, const Axes& to) {
  for_runs(from, to, [&](Index i, Index o, Index count, Index in_step, Index out_step) {
    if (in_step == 1 && out_step == 1) return copy_values(in + i, count, out + o);
    for (Index k = 0; k < count; ++k) out[o + k * out_step] = in[i + k * in_step];
  });
}

template <typename T>
void transpose(const Integers& integers, const Array<const T>& in, const Array<T>& out) {
  Axes from = out.axes;
  for (int k = 0; k < from.count; ++k) from.strides[as_size(k)] = in.axes.strides[as_size(integers[as_size(k)])];
  copy_elements(in.values, from, out.values, out.axes);
}

template <typename T>
void broadcast(const Array<const T>& in, const Array<T>& out) {
  Axes from = out.axes;
  const int skipped = from.count - in.axes.count;
  for (int k = 0; k < from.count; ++k) {
    const bool stands = k < skipped || in.axes.extents[as_size(k - skipped)] == 1;
    from.strides[as_size(k)] = stands ? 0 : in.axes.strides[as_size(k - skipped)];
  }
  copy_elements(in.values, from, out.values, out.axes);
}

template <typename T>
void slice(const Integers& integers, const Array<const T>& in, const Array<T>& out) {
  Axes from = in.axes;
  const T* first = in.values;
  for (int k = 0; k < from.count; ++k) {
    first += integers[3 * as_size(k)] * from.strides[as_size(k)];
    from.strides[as_size(k)] *= integers[3 * as_size(k) + 2];
  }
  copy_elements(first, from, out.values, out.axes);
}

template <typename T>
void pad(const Integers& integers, const Array<const T>& in, const Array<T>& out) {
  std::fill_n(out.values, out.axes.size(), T(0));
  Axes to = in.axes;
  T* first = out.values;
  for (int k = 0; k < to.count; ++k) {
    first += integers[3 * as_size(k)] * out.axes.strides[as_size(k)];
    to.strides[as_size(k)] = out.axes.strides[as_size(k)] * integers[3 * as_size(k) + 2];
  }
  copy_elements(in.values, in.axes, first, to);
}

/// Brings one of the operands of a concatenation to its place, `first` elements behind the start of each piece.
template <typename T>
void concatenate(Index axis, const Array<const T>& in, Index first, const Array<T>& out) {
  const Split whole(out.axes, axis, axis + 1);
  const Split part(in.axes, axis, axis + 1);
  const Index count = part.extent * part.inner;
  for (Index i = 0; i < whole.outer; ++i) {
    copy_values(in.values + i * count, count, out.values + i * whole.extent * whole.inner + first);
  }
}

/// The position that a number means; -1 where it means none.
template <typename T>
Index position(T number, Index extent) {
  const bool known = number >= 0 && number < static_cast<T>(extent) && number == std::floor(number);
  return known ? static_cast<Index>(number) : -1;
}

template <typename T>
void take(Index axis, const Array<const T>& in, const Array<const T>& indices, T* out) {
  const Split split(in.axes, axis, axis + 1);
  const Index count = indices.axes.size();
  const T* from = in.values;
  for (Index i = 0; i < split.outer; ++i, from += split.extent * split.inner) {
    for (Index k = 0; k < count; ++k, out += split.inner) {
      const Index at = position(indices.values[k], split.extent);
      if (at < 0) {
        std::fill_n(out, split.inner, std::numeric_limits<T>::quiet_NaN());
      } else {
        copy_values(from + at * split.inner, split.inner, out);
      }
    }
  }
}

template <typename T>
void scatter(Index axis, const T* in, const Array<const T>& indices, const Array<T>& out) {
  const Split split(out.axes, axis, axis + 1);
  const Index count = indices.axes.size();
  T* to = out.values;
  std::fill_n(to, out.axes.size(), T(0));
  for (Index i = 0; i < split.outer; ++i, to += split.extent * split.inner) {
    for (Index k = 0; k < count; ++k, in += split.inner) {
      const Index at = position(indices.values[k], split.extent);
      for (Index j = 0; at >= 0 && j < split.inner; ++j) to[at * split.inner + j] += in[j];
    }
  }
}

/// The first of the largest; the first NaN where there is one.
template <typename T>
void argmax(Index axis, const Array<const T>& in, T* out) {
  const Split split(in.axes, axis, axis + 1);
  for (Index i = 0; i < split.outer; ++i) {
    for (Index j = 0; j < split.inner; ++j) {
      const T* from = in.values + i * split.extent * split.inner + j;
      Index best = 0;
      for (Index k = 1; k < split.extent; ++k) {
        const T x = from[k * split.inner];
        const T most = from[best * split.inner];
        if (x > most || (std::isnan(x) && !std::isnan(most))) best = k;
      }
      out[i * split.inner + j] = static_cast<T>(best);
    }
  }
}

template <typename T>
void cumsum(const Integers& integers, const Array<const T>& in, T* out) {
  const Split split(in.axes, integers[0], integers[0] + 1);
  const bool from_end = integers[1] != 0;
  for (Index i = 0; i < split.outer; ++i) {
    for (Index n = 0; n < split.extent; ++n) {
      const Index k = from_end ? split.extent - 1 - n : n;
      const Index at = (i * split.extent + k) * split.inner;
      const Index before = from_end ? at + split.inner : at - split.inner;
      for (Index j = 0; j < split.inner; ++j) {
        out[at + j] = n == 0 ? in.values[at + j] : out[before + j] + in.values[at + j];
      }
    }
  }
}

}  // namespace laminar
