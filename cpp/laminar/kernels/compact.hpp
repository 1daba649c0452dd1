// SPDX-License-Identifier: Apache-2.0
// Products with weights that are held in fewer bits than a float and become floats again in registers: int8, whose
// sums are multiplied by their columns' scales in the end, or the upper halves of floats. A row that comes alone
// waits for its weights' bytes, of which there are a quarter or a half. As in every product each result has one
// accumulator, in the order of depth, so that it is the same for a row alone and among others.
#pragma once

#include "laminar/kernels/product.hpp"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

namespace laminar::kernels {
namespace {

/// Elements of fewer bits as a vector of floats.
struct Bytes {
  using Element = std::int8_t;
  static constexpr bool kScaled = true;
  static Vector<float> read(const Element* p) {  // by name: GCC would widen them in halves, ten times as slowly
#if defined(__AVX512F__)
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto whole = bit_cast<Vector<std::int32_t>>(_mm512_maskz_cvtepi8_epi32(0xffff, bytes));
#elif defined(__AVX2__)
    const __m128i bytes = _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p));
    const auto whole = bit_cast<Vector<std::int32_t>>(_mm256_cvtepi8_epi32(bytes));
#elif defined(__SSE2__)
    std::int32_t four;
    __builtin_memcpy(&four, p, sizeof(four));
    const __m128i bytes = _mm_cvtsi32_si128(four);
    const __m128i pairs = _mm_unpacklo_epi8(bytes, bytes);
    const auto whole = bit_cast<Vector<std::int32_t>>(_mm_unpacklo_epi16(pairs, pairs)) >> 24;
#else
    typedef Element Few __attribute__((vector_size(kLanes<float>), aligned(1), may_alias));
    const auto whole = __builtin_convertvector(*reinterpret_cast<const Few*>(p), Vector<std::int32_t>);
#endif
    return __builtin_convertvector(whole, Vector<float>);
  }
};

struct Halves {
  using Element = std::uint16_t;
  static constexpr bool kScaled = false;
  static Vector<float> read(const Element* p) {
#if defined(__AVX512F__)
    const __m256i halves = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
    const auto bits = bit_cast<Vector<std::uint32_t>>(_mm512_maskz_cvtepu16_epi32(0xffff, halves));
#elif defined(__AVX2__)
    const __m128i halves = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    const auto bits = bit_cast<Vector<std::uint32_t>>(_mm256_cvtepu16_epi32(halves));
#else
    typedef Element Few __attribute__((vector_size(2 * kLanes<float>), aligned(2), may_alias));
    const auto bits = __builtin_convertvector(*reinterpret_cast<const Few*>(p), Vector<std::uint32_t>);
#endif
    return bit_cast<Vector<float>>(bits << 16);
  }
};

/// Calls work(first column, vectors, elements before it) for each panel of compact weights.
template <typename Work>
inline void over_compact_panels(Index depth, Index columns, const Work& work) {
  constexpr Index lanes = kLanes<float>;
  for (Index j = 0; j < columns;) {
    const Index vectors = compact_panel(columns - j, lanes);
    work(j, static_cast<int>(vectors), j * depth);
    j += vectors * lanes;
  }
}

/// z = s sum + b of int8, rounded twice wherever it stands; sums of halves begin with b.
template <typename W>
inline Vector<float> result(Vector<float> sum, const float* scales, const float* bias) {
  if constexpr (!W::kScaled) return sum;
  return rounded(sum * load(scales)) + (bias != nullptr ? load(bias) : Vector<float>{});
}

/// Some rows by some vectors of a panel.
struct FewRows {
  const float* left;
  Index left_stride;
  Index depth;
  const void* panel;  // its first column
  Index step;         // elements from one row of the panel to the next
  const float* scales;
  const float* bias;
  float* out;
  Index out_stride;
};

// A panel's rows are asked for so many bytes ahead: 5 to 20 % of a row of 1024-2048-2048-1024.
constexpr Index kBytesAhead = 2048;
// So many sums are added up at once: each waits for its own last addition.
constexpr int kSums = LAMINAR_VECTOR_BYTES == 64 ? 16 : 8;
// Of more rows the weights become floats once, in memory.
constexpr Index kRowsByPanels = 16;

template <typename W, int Rows, int Vectors>
__attribute__((noinline)) void few_by_panel(const FewRows& t) {
  using V = Vector<float>;
  constexpr Index lanes = kLanes<float>;
  V sums[Rows][Vectors];
#pragma GCC unroll 8
  for (int v = 0; v < Vectors; ++v) {
    const V start = W::kScaled || t.bias == nullptr ? V{} : load(t.bias + v * lanes);
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) sums[r][v] = start;
  }
  const auto* panel = static_cast<const typename W::Element*>(t.panel);
  const float* left = t.left;
  for (Index k = t.depth; k > 0; --k, ++left, panel += t.step) {
    if constexpr (Vectors >= 4) {
      constexpr Index bytes = Vectors * lanes * static_cast<Index>(sizeof(*panel));
#pragma GCC unroll 4
      for (Index b = 0; b < bytes; b += 64) {
        __builtin_prefetch(reinterpret_cast<const char*>(panel) + kBytesAhead + b, 0, 3);
      }
    }
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      const V w = W::read(panel + v * lanes);
#pragma GCC unroll 4
      for (int r = 0; r < Rows; ++r) {
        sums[r][v] = Numbers<float>::add_product(sums[r][v], broadcast<V>(left[r * t.left_stride]), w);
      }
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < Vectors; ++v) {
      const float* const bias = t.bias != nullptr ? t.bias + v * lanes : nullptr;
      store(t.out + r * t.out_stride + v * lanes, result<W>(sums[r][v], t.scales + v * lanes, bias));
    }
  }
}

/// All vectors of a panel by so many rows.
template <typename W, int Rows>
inline void rows_by_panel(FewRows t, int vectors) {
  constexpr int most = kSums / Rows < 8 ? kSums / Rows : 8;
  const int width = vectors < most ? vectors : most;
  for (int v = 0; v < vectors; v += width) {
    if (most >= 8 && width == 8) {
      few_by_panel < W, Rows, most<8 ? 1 : 8>(t);
    } else if (most >= 4 && width == 4) {
      few_by_panel < W, Rows, most<4 ? 1 : 4>(t);
    } else if (width == 2) {
      few_by_panel<W, Rows, 2>(t);
    } else {
      few_by_panel<W, Rows, 1>(t);
    }
    const Index columns = width * kLanes<float>;
    t.panel = static_cast<const typename W::Element*>(t.panel) + columns;
    t.scales += columns;
    if (t.bias != nullptr) t.bias += columns;
    t.out += columns;
  }
}

inline void finish(const Product<float>& p, Index column, Index width) {
  if (p.epilogue == nullptr) return;
  float* const out = p.out + column;
  p.epilogue({p.activation, p.activation_parameters, out, p.out_stride, out, p.out_stride, p.rows, width});
}

template <typename W>
void few_by_compact(const Product<float>& p) {
  const auto* const weights = static_cast<const typename W::Element*>(p.compact->panels);
  over_compact_panels(p.depth, p.columns, [&](Index j, int vectors, Index before) {
    const Index width = vectors * kLanes<float>;
    FewRows t{p.left,
              p.left_stride,
              p.depth,
              weights + before,
              width,
              W::kScaled ? p.compact->scales + j : p.out,  // which is not read
              p.bias != nullptr ? p.bias + j : nullptr,
              p.out + j,
              p.out_stride};
    const auto advance = [&](Index rows) {
      t.left += rows * p.left_stride;
      t.out += rows * p.out_stride;
    };
    Index left = p.rows;
    for (; left >= 4; left -= 4, advance(4)) rows_by_panel<W, 4>(t, vectors);
    if (left >= 2) rows_by_panel<W, 2>(t, vectors);
    advance(left & 2);
    if ((left & 1) != 0) rows_by_panel<W, 1>(t, vectors);
    finish(p, j, width);
  });
}

/// Columns of a panel as floats, without their scales and without gaps.
template <typename W, int Vectors>
inline void expand(const typename W::Element* row, Index step, Index depth, float* to) {
  for (; depth > 0; --depth, row += step) {
#pragma GCC unroll 2
    for (int v = 0; v < Vectors; ++v, to += kLanes<float>) store(to, W::read(row + v * kLanes<float>));
  }
}

template <typename W>
void many_by_compact(const Product<float>& p) {
  using A = Numbers<float>;
  constexpr Index lanes = kLanes<float>;
  const auto* const weights = static_cast<const typename W::Element*>(p.compact->panels);
  for (Index k = 0; k == 0 || k < p.depth; k += kDepthBlock) {
    const Index depth = minimum_of(kDepthBlock, p.depth - k);
    const bool last = k + depth == p.depth;
    if (p.tiles != nullptr) tiles_of_rows<A>(p.left + k, p.left_stride, p.rows, depth, p.tiles);
    over_compact_panels(p.depth, p.columns, [&](Index first, int vectors, Index before) {
      const Index step = vectors * lanes;
      for (int v = 0; v < vectors; v += kTileVectors) {
        const auto* const from = weights + before + k * step + v * lanes;
        const int count = vectors > 1 ? 2 : 1;
        if (count == 2) {
          expand<W, 2>(from, step, depth, p.expanded);
        } else {
          expand<W, 1>(from, step, depth, p.expanded);
        }
        const Index width = count * lanes;
        const Index j = first + v * lanes;
        const float* const bias = p.bias != nullptr ? p.bias + j : nullptr;
        TileArguments<float> t{
            p.left + k, p.left_stride, 1,      p.expanded, width, depth, W::kScaled ? nullptr : bias, k > 0,
            p.out + j,  p.out_stride,  nullptr};
        if (p.tiles != nullptr) {
          t.read_tiles(p.tiles);
          panel_tiles<A, true>(t, p.rows, count, 0);
        } else {
          panel_tiles<A, false>(t, p.rows, count, 0);
        }
        if (!last) continue;
        for (Index i = 0; W::kScaled && i < p.rows; ++i) {
          float* const out = p.out + i * p.out_stride + j;
          for (Index l = 0; l < width; l += lanes) {
            store(out + l, result<W>(load(out + l), p.compact->scales + j + l, bias != nullptr ? bias + l : nullptr));
          }
        }
        finish(p, j, width);
      }
    });
  }
}

void compact_product(const Product<float>& p) {
  const bool few = p.rows <= kRowsByPanels;
  if (p.compact->quantization == Quantization::int8) {
    few ? few_by_compact<Bytes>(p) : many_by_compact<Bytes>(p);
  } else {
    few ? few_by_compact<Halves>(p) : many_by_compact<Halves>(p);
  }
}

}  // namespace
}  // namespace laminar::kernels
