// SPDX-License-Identifier: Apache-2.0
// Multiply-adds from registers: what a core can do at most with an instruction set.
#pragma once

namespace {

// Independent sums: enough to hide the latency of a multiply-add on two ports, few enough for the
// 16 registers of SSE and AVX.
constexpr int kChains = 12;
constexpr int kSteps = 4096;

// sum = sum * factor + factor in kChains chains that start from values the compiler cannot know: from 1
// the sum stays 1, and would be left out. A macro, since the vector width and the target attribute must
// be known where GCC lowers vector operations, which is before it inlines.
#define LAMINAR_DEFINE_CHAINS(name, bytes, attribute)                             \
  attribute void name() {                                                         \
    typedef float Vector __attribute__((vector_size(bytes)));                     \
    const Vector factor = Vector{} + 0.5f;                                        \
    Vector sums[kChains];                                                         \
    for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + static_cast<float>(i); \
    for (int i = 0; i < kChains; ++i) asm volatile("" : "+v"(sums[i]));           \
    for (int step = 0; step < kSteps; ++step) {                                   \
      for (int i = 0; i < kChains; ++i) sums[i] = sums[i] * factor + factor;      \
    }                                                                             \
    for (int i = 0; i < kChains; ++i) asm volatile("" : : "v"(sums[i]));          \
  }

#ifdef __x86_64__
LAMINAR_DEFINE_CHAINS(chains_baseline, 16, )
LAMINAR_DEFINE_CHAINS(chains_avx2, 32, [[gnu::target("avx2,fma")]])
LAMINAR_DEFINE_CHAINS(chains_avx512, 64, [[gnu::target("avx512f,fma")]])
#endif

/// Floating-point operations of one call, for vectors of so many bytes.
constexpr double chain_flops(int bytes) { return 2.0 * kChains * kSteps * (bytes / 4); }

}  // namespace
