// SPDX-License-Identifier: Apache-2.0
// Operations on arrays: element by element, and rows brought to one number. No element depends on where it
// lies: the same numbers give the same bits in any row and column.
#pragma once

#include "laminar/kernels/elementwise_list.hpp"
#include "laminar/kernels/math_circular.hpp"
#include "laminar/kernels/math_normal.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar::kernels {
namespace {

template <typename V>
inline V truth(Integer<V> mask) {
  return select<V>(mask, broadcast<V>(1), V{});
}

/// The largest integer that is not above x.
template <typename V>
inline V floor_of(V x) {
  const Scalar<V> whole = Scalar<V>(std::int64_t{1} << Format<Scalar<V>>::mantissa_bits);
  const Integer<V> fractional = absolute(x) < whole;  // else all are integers
  const V inside = select<V>(fractional, x, V{});
  const V near = __builtin_convertvector(__builtin_convertvector(inside, Integer<V>), V);
  const V below = select<V>(near > inside, near - Scalar<V>(1), near);
  return select<V>(fractional, with_sign_of(absolute(below), x), x);
}

/// log(1 + x) for all x >= -1.
template <typename V>
inline V whole_log1p(V x) {
  return select<V>(x > Scalar<V>(-0.5), log1p(maximum(x, broadcast<V>(Scalar<V>(-0.5)))), log(x + Scalar<V>(1)));
}

/// a^b as the C library has it.
template <typename V>
inline V power(V a, V b) {
  for (Index i = 0; i < kLanes<Scalar<V>>; ++i) {
    if constexpr (sizeof(Scalar<V>) == 4) {
      a[i] = __builtin_powf(a[i], b[i]);
    } else {
      a[i] = __builtin_pow(a[i], b[i]);
    }
  }
  return a;
}

#define LAMINAR_ENTRY(name_, operands_, value_)                                        \
  struct Elementwise_##name_ {                                                         \
    static constexpr int operands = operands_;                                         \
    template <typename V>                                                              \
    static V value([[maybe_unused]] V a, [[maybe_unused]] V b, [[maybe_unused]] V c) { \
      return value_;                                                                   \
    }                                                                                  \
  };
LAMINAR_ELEMENTWISE(LAMINAR_ENTRY)
#undef LAMINAR_ENTRY

/// Vectors that lie so many elements apart, those of the value in steps[3].
template <typename Entry, typename T>
void elementwise_vectors(T* out, const T* const from[3], const Index steps[4], Index count) {
  using V = Vector<T>;
  const T* a = from[0];
  const T* b = from[1];
  const T* c = from[2];
  for (Index j = 0; j < count; ++j) {
    store(out, Entry::value(load(a), Entry::operands > 1 ? load(b) : V{}, Entry::operands > 2 ? load(c) : V{}));
    out += steps[3];
    a += steps[0];
    if (Entry::operands > 1) b += steps[1];
    if (Entry::operands > 2) c += steps[2];
  }
}

/// An operation on vectors. All that is done around it is there once for all of them.
template <typename T>
struct ElementwiseEntry {
  int operands;
  void (*vectors)(T* out, const T* const from[3], const Index steps[4], Index count);
};

/// Rows of so few whole vectors go one column of vectors after the other, so many rows at a time where an operand has
/// one number for each.
inline constexpr Index kNarrowVectors = 4;
inline constexpr Index kRowsTogether = 16;

template <typename T>
void elementwise_columns(const ElementwiseRows<T>& r, const ElementwiseEntry<T>& entry) {
  using V = Vector<T>;
  constexpr Index lanes = kLanes<T>;
  Index together = r.rows;
  for (int o = 0; o < entry.operands; ++o) {
    if (r.operands[o].single && together > kRowsTogether) together = kRowsTogether;
  }
  V repeated[3][kRowsTogether];
  for (Index i = 0; i < r.rows; i += together) {
    const Index rows = r.rows - i < together ? r.rows - i : together;
    const T* from[3]{};
    Index steps[4]{0, 0, 0, r.out_stride};
    for (int o = 0; o < entry.operands; ++o) {
      const ElementwiseOperand<T>& operand = r.operands[o];
      from[o] = operand.values + i * operand.stride;
      steps[o] = operand.stride;
      if (!operand.single) continue;
      for (Index k = 0; k < rows; ++k) repeated[o][k] = broadcast<V>(from[o][k * operand.stride]);
      from[o] = reinterpret_cast<const T*>(repeated[o]);
      steps[o] = lanes;
    }
    for (Index j = 0; j < r.columns; j += lanes) {
      entry.vectors(r.out + i * r.out_stride + j, from, steps, rows);
      for (int o = 0; o < entry.operands; ++o) from[o] += r.operands[o].single ? 0 : lanes;
    }
  }
}

template <typename T>
void elementwise_rows(const ElementwiseRows<T>& r, const ElementwiseEntry<T>& entry) {
  using V = Vector<T>;
  const Index whole = r.columns / kLanes<T> * kLanes<T>;
  const Index rest = r.columns - whole;
  for (Index i = 0; i < r.rows; ++i) {
    V held[3];
    const T* from[3]{};
    Index steps[4]{0, 0, 0, kLanes<T>};
    for (int o = 0; o < entry.operands; ++o) {
      const ElementwiseOperand<T>& operand = r.operands[o];
      from[o] = operand.values + i * operand.stride;
      if (operand.single) {
        held[o] = broadcast<V>(*from[o]);
        from[o] = reinterpret_cast<const T*>(&held[o]);
      } else {
        steps[o] = kLanes<T>;
      }
    }
    T* out = r.out + i * r.out_stride;
    entry.vectors(out, from, steps, whole / kLanes<T>);
    if (rest == 0) continue;
    for (int o = 0; o < entry.operands; ++o) {
      if (steps[o] == 0) continue;
      held[o] = load_first(from[o] + whole, rest);
      from[o] = reinterpret_cast<const T*>(&held[o]);
    }
    V last;
    entry.vectors(reinterpret_cast<T*>(&last), from, steps, 1);
    store_first(out + whole, last, rest);
  }
}

template <typename T>
void elementwise(const ElementwiseRows<T>& r) {
#define LAMINAR_ENTRY(name_, operands_, value_) {operands_, &elementwise_vectors<Elementwise_##name_, T>},
  static constexpr ElementwiseEntry<T> entries[] = {LAMINAR_ELEMENTWISE(LAMINAR_ENTRY)};
#undef LAMINAR_ENTRY
  const ElementwiseEntry<T>& entry = entries[r.operation];
  const Index vectors = r.columns / kLanes<T>;
  if (r.columns % kLanes<T> == 0 && vectors <= kNarrowVectors && r.rows >= vectors) {
    elementwise_columns(r, entry);
  } else {
    elementwise_rows(r, entry);
  }
}

/// The first half of each group of 2 H lanes of both, one after the other, and the second halves.
template <int H, typename V, int... J>
inline V first_halves(V a, V b, Sequence<J...>) {
  return __builtin_shufflevector(a, b, (J / H * 2 * H + J % H)...);
}
template <int H, typename V, int... J>
inline V second_halves(V a, V b, Sequence<J...>) {
  return __builtin_shufflevector(a, b, (J / H * 2 * H + H + J % H)...);
}

/// A vector for each row: the lanes of each combined, each half with the other, so that row i is left in lane i of the
/// first vector.
template <typename V, typename Combine, int H = static_cast<int>(kLanes<Scalar<V>>) / 2>
inline void by_halves(V* rows, const Combine& combine) {
#pragma GCC unroll 8
  for (int k = 0; k < H; ++k) {
    const V a = rows[2 * k];
    const V b = rows[2 * k + 1];
    rows[k] = combine(first_halves<H>(a, b, LaneSequence<V>{}), second_halves<H>(a, b, LaneSequence<V>{}));
  }
  if constexpr (H > 1) by_halves<V, Combine, H / 2>(rows, combine);
}

/// Each row to one number, by lanes and then these by halves; as many rows at once as vectors have lanes.
template <typename T, typename Combine>
void reduce_by(const ReducedRows<T>& r, T start, const Combine& combine) {
  using V = Vector<T>;
  constexpr Index lanes = kLanes<T>;
  const Index whole = r.columns / lanes * lanes;
  const Index rest = r.columns - whole;
  const Integer<V> valid = first_lanes<V>(rest);
  const V none = broadcast<V>(start);
  const auto lanes_of = [&](Index i) {
    const T* row = r.in + i * r.in_stride;
    V v = none;
    for (Index j = 0; j < whole; j += lanes) v = combine(v, load(row + j));
    return rest > 0 ? combine(v, select<V>(valid, load_first(row + whole, rest), none)) : v;
  };
  V rows[lanes];
  for (Index i = 0; i < r.rows; i += lanes) {
    const Index count = r.rows - i < lanes ? r.rows - i : lanes;
    if (count == lanes && r.columns == lanes) {
#pragma GCC unroll 16
      for (Index k = 0; k < lanes; ++k) rows[k] = combine(none, load(r.in + (i + k) * r.in_stride));
    } else {
      for (Index k = 0; k < lanes; ++k) rows[k] = k < count ? lanes_of(i + k) : none;
    }
    by_halves(rows, combine);
    store_first(r.out + i, rows[0], count);
  }
}

template <typename T>
void reduce(const ReducedRows<T>& r) {
  using V = Vector<T>;
  switch (r.reduction) {
    case Reduction::sum:
      return reduce_by(r, T(0), [](V a, V b) { return a + b; });
    case Reduction::prod:
      return reduce_by(r, T(1), [](V a, V b) { return a * b; });
    case Reduction::max:
      return reduce_by(r, -T(__builtin_inff()), [](V a, V b) { return select<V>(b != b, b, maximum(a, b)); });
    case Reduction::min:
      return reduce_by(r, T(__builtin_inff()), [](V a, V b) { return select<V>(b != b, b, minimum(a, b)); });
  }
}

}  // namespace
}  // namespace laminar::kernels
