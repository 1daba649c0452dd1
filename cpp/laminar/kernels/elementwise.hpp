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

template <typename Entry, typename T>
void elementwise_rows(const ElementwiseRows<T>& r) {
  using V = Vector<T>;
  constexpr int count = Entry::operands;
  const Index whole = r.columns / kLanes<T> * kLanes<T>;
  const Index rest = r.columns - whole;
  for (Index i = 0; i < r.rows; ++i) {
    V fixed[3]{};
    const T* from[3]{};
    Index step[3]{};
    for (int o = 0; o < count; ++o) {
      const ElementwiseOperand<T>& operand = r.operands[o];
      from[o] = operand.values + i * operand.stride;
      step[o] = operand.single ? 0 : kLanes<T>;
      if (!operand.single) continue;
      fixed[o] = broadcast<V>(*from[o]);
      from[o] = reinterpret_cast<const T*>(&fixed[o]);
    }
    T* out = r.out + i * r.out_stride;
    const auto next = [&](int o) {
      const V v = load(from[o]);
      from[o] += step[o];
      return v;
    };
    for (Index j = 0; j < whole; j += kLanes<T>) {
      const V a = next(0);
      const V b = count > 1 ? next(1) : V{};
      const V c = count > 2 ? next(2) : V{};
      store(out + j, Entry::value(a, b, c));
    }
    if (rest == 0) continue;
    const auto last = [&](int o) { return step[o] == 0 ? fixed[o] : load_first(from[o], rest); };
    const V a = last(0);
    const V b = count > 1 ? last(1) : V{};
    const V c = count > 2 ? last(2) : V{};
    store_first(out + whole, Entry::value(a, b, c), rest);
  }
}

template <typename T>
void elementwise(const ElementwiseRows<T>& r) {
#define LAMINAR_ENTRY(name_, operands_, value_) &elementwise_rows<Elementwise_##name_, T>,
  static constexpr void (*work[])(const ElementwiseRows<T>&) = {LAMINAR_ELEMENTWISE(LAMINAR_ENTRY)};
#undef LAMINAR_ENTRY
  work[r.operation](r);
}

/// Each row to one number, by lanes and then these by halves.
template <typename T, typename Combine>
void reduce_by(const ReducedRows<T>& r, T start, const Combine& combine) {
  using V = Vector<T>;
  for (Index i = 0; i < r.rows; ++i) {
    const T* row = r.in + i * r.in_stride;
    V lanes = broadcast<V>(start);
    Index j = 0;
    for (; j + kLanes<T> <= r.columns; j += kLanes<T>) lanes = combine(lanes, load(row + j));
    if (j < r.columns) {
      V last = load_first(row + j, r.columns - j);
      for (Index l = r.columns - j; l < kLanes<T>; ++l) last[l] = start;
      lanes = combine(lanes, last);
    }
    for (Index half = kLanes<T> / 2; half > 0; half /= 2) {
      V upper = lanes;
      for (Index l = 0; l < half; ++l) upper[l] = lanes[l + half];
      lanes = combine(lanes, upper);
    }
    r.out[i] = lanes[0];
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
