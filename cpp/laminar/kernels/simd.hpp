// SPDX-License-Identifier: Apache-2.0
// Vectors by the compiler's extensions: one text for every width. The including file sets
// LAMINAR_VECTOR_BYTES. Everything here is in an anonymous namespace: a kernel object may export
// nothing but its table, or the linker could keep one instruction set's copy for all.
#pragma once

#include <cstdint>

#ifndef LAMINAR_VECTOR_BYTES
#define LAMINAR_VECTOR_BYTES 16  // ordinary code reads the lists only
#endif

#if defined(__AVX512F__) || defined(__AVX2__)
#include <immintrin.h>
#endif

namespace laminar::kernels {
namespace {

using Index = std::int64_t;

template <typename T>
struct VectorOf {
  typedef T type __attribute__((vector_size(LAMINAR_VECTOR_BYTES)));
};
template <typename T>
using Vector = typename VectorOf<T>::type;

template <typename V>
struct LanesOf;
template <>
struct LanesOf<Vector<float>> {
  using Scalar = float;
  using Integer = Vector<std::int32_t>;
};
template <>
struct LanesOf<Vector<double>> {
  using Scalar = double;
  using Integer = Vector<std::int64_t>;
};

/// The element type of a vector, and the integer vector of the same shape.
template <typename V>
using Scalar = typename LanesOf<V>::Scalar;
template <typename V>
using Integer = typename LanesOf<V>::Integer;

template <typename T>
constexpr Index kLanes = LAMINAR_VECTOR_BYTES / static_cast<Index>(sizeof(T));

template <typename V>
inline V broadcast(Scalar<V> x) {
  return x - V{};  // not +: 0 + x would turn -0 into 0, and the compiler keeps that addition
}

template <typename T>
inline Vector<T> load(const T* p) {
  typedef T Unaligned __attribute__((vector_size(LAMINAR_VECTOR_BYTES), aligned(alignof(T)), may_alias));
  return *reinterpret_cast<const Unaligned*>(p);
}

template <typename T>
inline void store(T* p, Vector<T> v) {
  typedef T Unaligned __attribute__((vector_size(LAMINAR_VECTOR_BYTES), aligned(alignof(T)), may_alias));
  *reinterpret_cast<Unaligned*>(p) = v;
}

template <typename To, typename From>
inline To bit_cast(From v) {
  static_assert(sizeof(To) == sizeof(From));
  To out;
  __builtin_memcpy(&out, &v, sizeof(To));
  return out;
}

/// The first `n` lanes from memory, zero in the others; touches no byte past them.
/// Masked instructions are the one thing that vector extensions cannot express.
template <typename T>
inline Vector<T> load_first(const T* p, Index n) {
#if defined(__AVX512F__)
  const auto mask = static_cast<unsigned>((std::uint64_t{1} << n) - 1);
  if constexpr (sizeof(T) == 4) {
    return bit_cast<Vector<T>>(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), p));
  } else {
    return bit_cast<Vector<T>>(_mm512_maskz_loadu_pd(static_cast<__mmask8>(mask), p));
  }
#else
  Vector<T> v{};
  for (Index i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}

/// Writes the first `n` lanes; touches no byte past them.
template <typename T>
inline void store_first(T* p, Vector<T> v, Index n) {
#if defined(__AVX512F__)
  const auto mask = static_cast<unsigned>((std::uint64_t{1} << n) - 1);
  if constexpr (sizeof(T) == 4) {
    _mm512_mask_storeu_ps(p, static_cast<__mmask16>(mask), bit_cast<__m512>(v));
  } else {
    _mm512_mask_storeu_pd(p, static_cast<__mmask8>(mask), bit_cast<__m512d>(v));
  }
#else
  for (Index i = 0; i < n; ++i) p[i] = v[i];
#endif
}

/// Lane i if `mask` lane i is set, from `a`, else from `b`.
template <typename V>
inline V select(Integer<V> mask, V a, V b) {
  return mask ? a : b;
}

template <typename V>
inline V absolute(V x) {
  using I = Integer<V>;
  constexpr auto sign = sizeof(Scalar<V>) == 4 ? std::int64_t{0x7fffffff} : std::int64_t{0x7fffffffffffffff};
  const I mask = I{} + static_cast<decltype(I{}[0] + 0)>(sign);
  return bit_cast<V>(bit_cast<I>(x) & mask);
}

/// The larger of the two; NaN in `x` stays, as a comparison with it is false.
template <typename V>
inline V maximum(V x, V bound) {
  return select<V>(x < bound, bound, x);
}

/// The smaller of the two; NaN in `x` stays.
template <typename V>
inline V minimum(V x, V bound) {
  return select<V>(x > bound, bound, x);
}

template <typename V>
inline V square_root(V x) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm512_maskz_sqrt_ps(0xffff, bit_cast<__m512>(x)));
  } else {
    return bit_cast<V>(_mm512_maskz_sqrt_pd(0xff, bit_cast<__m512d>(x)));
  }
#elif defined(__AVX2__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm256_sqrt_ps(bit_cast<__m256>(x)));
  } else {
    return bit_cast<V>(_mm256_sqrt_pd(bit_cast<__m256d>(x)));
  }
#else
  for (Index i = 0; i < kLanes<Scalar<V>>; ++i) {
    if constexpr (sizeof(Scalar<V>) == 4) {
      x[i] = __builtin_sqrtf(x[i]);
    } else {
      x[i] = __builtin_sqrt(x[i]);
    }
  }
  return x;
#endif
}

/// Sum of all lanes by halves: a fixed order, the same for every caller.
template <typename V>
inline Scalar<V> sum(V v) {
  Scalar<V> lanes[kLanes<Scalar<V>>];
  __builtin_memcpy(lanes, &v, sizeof(v));
  for (Index width = kLanes<Scalar<V>> / 2; width > 0; width /= 2) {
    for (Index i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

}  // namespace
}  // namespace laminar::kernels
