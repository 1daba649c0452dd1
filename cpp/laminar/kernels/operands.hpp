// SPDX-License-Identifier: Apache-2.0
// What products multiply, in the form in which panels and tiles hold it: numbers as they are, or pairs of
// bfloat16, which are floats cut to their upper half. A pair is two neighbours in depth, the first in the
// lower half of an element that has the size of a float: pairs lie and move as floats do.
#pragma once

#include "laminar/kernels/simd.hpp"

namespace laminar::kernels {
namespace {

template <typename T>
struct Numbers {
  using Scalar = T;
  static constexpr Index kDepths = 1;      // steps of depth in an element
  static constexpr bool kInTiles = false;  // left operands get this form in tiles, and are read there only

  /// A vector of elements from a row and, where a pair needs one, the next of `rows` rows.
  static Vector<T> across(const T* from, Index, Index, Index n) { return load_up_to(from, n); }
  /// A vector of elements from n neighbours in a row.
  static Vector<T> along(const T* from, Index n) { return load_up_to(from, n); }
  /// An element in all lanes.
  static Vector<T> spread(const T* element) { return broadcast<Vector<T>>(*element); }
  static Vector<T> add_product(Vector<T> sum, Vector<T> a, Vector<T> b) { return sum + a * b; }
  /// The sum of an element's numbers added.
  static Vector<T> add(Vector<T> sum, Vector<T> a) { return sum + a; }
};

struct Pairs {
  using Scalar = float;
  using V = Vector<float>;
  using Bits = Vector<std::uint32_t>;
  static constexpr Index kDepths = 2;
  static constexpr bool kInTiles = true;

  static V across(const float* from, Index stride, Index rows, Index n) {
    return join(load_up_to(from, n), rows > 1 ? load_up_to(from + stride, n) : V{});
  }
  static V along(const float* from, Index n) {
    constexpr Index lanes = kLanes<float>;
    return neighbours(load_up_to(from, n), n > lanes ? load_up_to(from + lanes, n - lanes) : V{}, LaneSequence<V>{});
  }
  static V spread(const float* element) {
    std::uint32_t bits;
    __builtin_memcpy(&bits, element, sizeof(bits));
    return bit_cast<V>(Bits{} + bits);
  }
  /// The product of the second numbers first, as the processor's instruction adds them. The products are
  /// exact, so every instruction set has the same sums.
  static V add_product(V sum, V a, V b) {
#ifdef __AVX512BF16__
    return bit_cast<V>(_mm512_dpbf16_ps(bit_cast<__m512>(sum), bit_cast<__m512bh>(a), bit_cast<__m512bh>(b)));
#else
    sum += second(a) * second(b);
    return sum + first(a) * first(b);
#endif
  }
  static V add(V sum, V a) { return (sum + second(a)) + first(a); }

 private:
  static V first(V pairs) { return bit_cast<V>(bit_cast<Bits>(pairs) << 16); }
  static V second(V pairs) { return bit_cast<V>(bit_cast<Bits>(pairs) & 0xffff0000u); }

#ifdef __AVX512BF16__
  typedef std::uint16_t Halves __attribute__((vector_size(64)));
  static Halves rounded_halves(V low, V high) {
    return bit_cast<Halves>(_mm512_cvtne2ps_pbh(bit_cast<__m512>(high), bit_cast<__m512>(low)));
  }
  static V join(V first, V second) {
    return interleaved(rounded_halves(first, second), MakeSequence<2 * kLanes<float>>::type{});
  }
  template <int... J>
  static V interleaved(Halves halves, Sequence<J...>) {
    return bit_cast<V>(__builtin_shufflevector(halves, halves, (J % 2 * kLanes<float> + J / 2)...));
  }
  template <int... J>
  static V neighbours(V low, V high, Sequence<J...>) {
    return bit_cast<V>(rounded_halves(low, high));
  }
#else
  /// Each lane as the nearest bfloat16, ties to even, in its upper half; the rest is to be cut off.
  /// Denormals count as zero, as the processor's instruction has it.
  static Bits rounded_bits(V x) {
    constexpr float smallest = 0x1p-126f;
    const Bits bits = bit_cast<Bits>(x);
    const Bits nearest = bits + 0x7fffu + (bits >> 16 & 1u);
    const Bits kept = x != x ? bits | 0x400000u : nearest;
    return absolute(x) < smallest ? bits & 0x80000000u : kept;
  }
  static V join(V first, V second) {
    return bit_cast<V>((rounded_bits(second) & 0xffff0000u) | rounded_bits(first) >> 16);
  }
  template <int... J>
  static V neighbours(V low, V high, Sequence<J...>) {
    return join(__builtin_shufflevector(low, high, (2 * J)...), __builtin_shufflevector(low, high, (2 * J + 1)...));
  }
#endif
};

}  // namespace
}  // namespace laminar::kernels
