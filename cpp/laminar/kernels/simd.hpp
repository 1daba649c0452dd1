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
  using Lane = std::int32_t;
  using Integer = Vector<Lane>;
};
template <>
struct LanesOf<Vector<double>> {
  using Scalar = double;
  using Lane = std::int64_t;
  using Integer = Vector<Lane>;
};

/// The element type of a vector, and the integer vector of the same shape.
template <typename V>
using Scalar = typename LanesOf<V>::Scalar;
template <typename V>
using Integer = typename LanesOf<V>::Integer;
template <typename V>
using IntegerScalar = typename LanesOf<V>::Lane;

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

#if defined(__AVX2__) && !defined(__AVX512F__)
/// All bits set in the first `n` lanes.
template <typename T>
inline __m256i lanes_below(Index n) {
  if constexpr (sizeof(T) == 4) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  } else {
    return _mm256_cmpgt_epi64(_mm256_set1_epi64x(n), _mm256_setr_epi64x(0, 1, 2, 3));
  }
}
#endif

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
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    return bit_cast<Vector<T>>(_mm256_maskload_ps(p, lanes_below<T>(n)));
  } else {
    return bit_cast<Vector<T>>(_mm256_maskload_pd(p, lanes_below<T>(n)));
  }
#else
  Vector<T> v{};
  for (Index i = 0; i < n; ++i) v[i] = p[i];
  return v;
#endif
}

/// The same where n may be a whole vector or more.
template <typename T>
inline Vector<T> load_up_to(const T* p, Index n) {
  return n < kLanes<T> ? load_first(p, n) : load(p);
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
#elif defined(__AVX2__)
  if constexpr (sizeof(T) == 4) {
    _mm256_maskstore_ps(p, lanes_below<T>(n), bit_cast<__m256>(v));
  } else {
    _mm256_maskstore_pd(p, lanes_below<T>(n), bit_cast<__m256d>(v));
  }
#else
  for (Index i = 0; i < n; ++i) p[i] = v[i];
#endif
}

/// Lanes below n.
template <typename V>
inline Integer<V> first_lanes(Index n) {
  Integer<V> lane;
  for (Index i = 0; i < kLanes<Scalar<V>>; ++i) lane[i] = static_cast<decltype(lane[0] + 0)>(i);
  constexpr Index lanes = kLanes<Scalar<V>>;
  return lane < static_cast<decltype(lane[0] + 0)>(n < lanes ? n : lanes);
}

/// Lane i if `mask` lane i is set, from `a`, else from `b`.
template <typename V>
inline V select(Integer<V> mask, V a, V b) {
  return mask ? a : b;
}

/// The bit of the sign, in every lane.
template <typename V>
inline Integer<V> sign_bit() {
  return (Integer<V>{} + 1) << (static_cast<int>(sizeof(Scalar<V>)) * 8 - 1);
}

template <typename V>
inline V absolute(V x) {
  return bit_cast<V>(bit_cast<Integer<V>>(x) & ~sign_bit<V>());
}

/// -|x|
template <typename V>
inline V minus_absolute(V x) {
  return bit_cast<V>(bit_cast<Integer<V>>(x) | sign_bit<V>());
}

template <typename V>
inline V with_sign_of(V magnitude, V x) {
  return bit_cast<V>(bit_cast<Integer<V>>(magnitude) | (bit_cast<Integer<V>>(x) & sign_bit<V>()));
}

/// 1, 0 or -1; NaN stays.
template <typename V>
inline V sign_of(V x) {
  const V one = broadcast<V>(1);
  return select<V>(x > 0, one, select<V>(x < 0, -one, x));
}

/// The larger of the two; NaN in `x` stays, as a comparison with it is false.
template <typename V>
inline V maximum(V x, V bound) {
#if defined(__AVX512F__)  // the instruction's second operand wins where one is NaN
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm512_maskz_max_ps(0xffff, bit_cast<__m512>(bound), bit_cast<__m512>(x)));
  }
#endif
  return select<V>(x < bound, bound, x);
}

/// The smaller of the two; NaN in `x` stays.
template <typename V>
inline V minimum(V x, V bound) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm512_maskz_min_ps(0xffff, bit_cast<__m512>(bound), bit_cast<__m512>(x)));
  }
#endif
  return select<V>(x > bound, bound, x);
}

/// x, rounded before it is used: where two products meet in a sum, the compiler may fuse either one,
/// and would choose differently in different copies of the same text.
template <typename V>
inline V rounded(V x) {
#if defined(__AVX512F__)
  asm("" : "+v"(x));
#elif defined(__SSE2__)
  asm("" : "+x"(x));
#elif defined(__aarch64__)
  asm("" : "+w"(x));
#endif
  return x;
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

/// a - b q without a rounding in between, for q near a / b: one fused operation, by name since the
/// compiler need not fuse (under sanitizers it does not), or the product's error from its halves
/// (Dekker 1971).
template <typename V>
inline V remainder(V a, V b, V q) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm512_fnmadd_ps(bit_cast<__m512>(b), bit_cast<__m512>(q), bit_cast<__m512>(a)));
  } else {
    return bit_cast<V>(_mm512_fnmadd_pd(bit_cast<__m512d>(b), bit_cast<__m512d>(q), bit_cast<__m512d>(a)));
  }
#elif defined(__FMA__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    return bit_cast<V>(_mm256_fnmadd_ps(bit_cast<__m256>(b), bit_cast<__m256>(q), bit_cast<__m256>(a)));
  } else {
    return bit_cast<V>(_mm256_fnmadd_pd(bit_cast<__m256d>(b), bit_cast<__m256d>(q), bit_cast<__m256d>(a)));
  }
#elif defined(__aarch64__)
  return a - b * q;
#else
  constexpr Scalar<V> split = sizeof(Scalar<V>) == 4 ? Scalar<V>(4097) : Scalar<V>(134217729);
  const auto high = [](V x) {
    const V scaled = rounded(x * split);
    return scaled - (scaled - x);
  };
  const V b_high = high(b);
  const V b_low = b - b_high;
  const V q_high = high(q);
  const V q_low = q - q_high;
  const V product = b * q;
  const V error = ((b_high * q_high - product) + b_high * q_low + b_low * q_high) + b_low * q_low;
  return (a - product) - error;
#endif
}

/// a / b within 1 ULP for b whose inverse is normal. Where root and division share a slow divider, by an
/// estimate of the inverse, a Newton step, and the remainder.
template <typename V>
inline V quotient(V a, V b) {
#if defined(__AVX512F__)
  if constexpr (sizeof(Scalar<V>) == 4) {
    const V estimate = bit_cast<V>(_mm512_maskz_rcp14_ps(0xffff, bit_cast<__m512>(b)));
    const V inverse = estimate + estimate * (Scalar<V>(1) - b * estimate);
    const V first = a * inverse;
    return first + inverse * remainder(a, b, first);
  }
#endif
  return a / b;
}

/// a / (sqrt(x) + b) for 0 <= x <= infinity: what Adam and its kin divide by. Root and quotient
/// by the divider alone would take the sum of their times.
template <typename V>
inline V quotient_by_root(V a, V x, Scalar<V> b) {
  const Scalar<V> infinity = __builtin_inff();
  return select<V>(x == infinity, V{}, quotient(a, square_root(x) + b));
}

template <int... I>
struct Sequence {};
template <int N, int... I>
struct MakeSequence : MakeSequence<N - 1, N - 1, I...> {};
template <int... I>
struct MakeSequence<0, I...> {
  using type = Sequence<I...>;
};

template <typename V>
using LaneSequence = typename MakeSequence<static_cast<int>(kLanes<Scalar<V>>)>::type;

/// Lane i of the result is lane i ^ H.
template <int H, typename V, int... J>
inline V exchange(V v, Sequence<J...>) {
  return __builtin_shufflevector(v, v, (J ^ H)...);
}

/// The sum of all lanes, in every lane: by halves, a fixed order, the same for every caller.
template <typename V, int H = static_cast<int>(kLanes<Scalar<V>>) / 2>
inline V sum_lanes(V v) {
  v += exchange<H>(v, LaneSequence<V>{});
  if constexpr (H > 1) {
    return sum_lanes<V, H / 2>(v);
  } else {
    return v;
  }
}

/// The largest lane, in every lane.
template <typename V, int H = static_cast<int>(kLanes<Scalar<V>>) / 2>
inline V largest_lane(V v) {
  v = maximum(v, exchange<H>(v, LaneSequence<V>{}));
  if constexpr (H > 1) {
    return largest_lane<V, H / 2>(v);
  } else {
    return v;
  }
}

template <typename V>
inline Scalar<V> sum(V v) {
  return sum_lanes(v)[0];
}

/// Swaps, in two rows that are H apart, the H x H blocks beside the diagonal.
template <int H, typename V, int... J>
inline void swap_blocks(V& a, V& b, Sequence<J...>) {
  constexpr int lanes = sizeof...(J);
  const V upper = __builtin_shufflevector(a, b, ((J & H) == 0 ? J : lanes + J - H)...);
  const V lower = __builtin_shufflevector(a, b, ((J & H) == 0 ? J + H : lanes + J)...);
  a = upper;
  b = lower;
}

template <int H, typename T>
inline void transpose_by(Vector<T> (&rows)[kLanes<T>]) {
#pragma GCC unroll 16
  for (int i = 0; i < kLanes<T>; ++i) {
    if ((i & H) == 0) swap_blocks<H>(rows[i], rows[i + H], LaneSequence<Vector<T>>{});
  }
  if constexpr (H > 1) transpose_by<H / 2, T>(rows);
}

/// Transposes a square of vectors by swapping ever smaller blocks.
template <typename T>
inline void transpose(Vector<T> (&rows)[kLanes<T>]) {
  transpose_by<static_cast<int>(kLanes<T>) / 2, T>(rows);
}

}  // namespace
}  // namespace laminar::kernels
