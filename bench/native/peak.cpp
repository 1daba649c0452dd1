// SPDX-License-Identifier: Apache-2.0
// What this machine can do at most: multiply-adds per second from registers, for each instruction
// set, and bytes per second from memory. A share of the peak stated anywhere is relative to these.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace {

// Independent sums: enough to hide the latency of a multiply-add on two ports, few enough for the
// 16 registers of SSE and AVX.
constexpr int kChains = 12;
constexpr int kSteps = 4096;

// sum = sum * factor + factor in kChains chains that start from different values, so that none can
// be left out. A macro, since the vector width and the target attribute must be known where GCC
// lowers vector operations, which is before it inlines.
#define LAMINAR_DEFINE_CHAINS(name, bytes, attribute)                             \
  attribute void name() {                                                         \
    typedef float Vector __attribute__((vector_size(bytes)));                     \
    const Vector factor = Vector{} + 0.5f;                                        \
    Vector sums[kChains];                                                         \
    for (int i = 0; i < kChains; ++i) sums[i] = Vector{} + static_cast<float>(i); \
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

void peak(benchmark::State& state, void (*chains)(), int bytes) {
  for (auto _ : state) chains();
  const std::int64_t lanes = std::int64_t{bytes} / std::int64_t{sizeof(float)};
  state.SetItemsProcessed(state.iterations() * 2 * kChains * kSteps * lanes);
  state.SetLabel("items are floating-point operations");
}

// a = b + s c on arrays that no cache holds; counts the bytes read and written by the program.
void triad(benchmark::State& state) {
  constexpr std::size_t kCount = std::size_t{1} << 24;
  std::vector<float> a(kCount, 0.0f);
  const std::vector<float> b(kCount, 1.0f);
  const std::vector<float> c(kCount, 2.0f);
  for (auto _ : state) {
    for (std::size_t i = 0; i < kCount; ++i) a[i] = b[i] + 3.0f * c[i];
    benchmark::ClobberMemory();
  }
  benchmark::DoNotOptimize(a.data());
  state.SetBytesProcessed(state.iterations() * std::int64_t{3 * kCount * sizeof(float)});
}

[[maybe_unused]] const bool registered = [] {
  const auto add = [](const char* name, void (*chains)(), int bytes) {
    benchmark::RegisterBenchmark(name, peak, chains, bytes)
        ->ThreadRange(1, 2)
        ->UseRealTime()
        ->Repetitions(5)
        ->ReportAggregatesOnly();
  };
#ifdef __x86_64__
  add("peak/baseline", chains_baseline, 16);
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    add("peak/avx2", chains_avx2, 32);
  }
  if (__builtin_cpu_supports("avx512f")) add("peak/avx512", chains_avx512, 64);
#endif
  benchmark::RegisterBenchmark("bandwidth/triad", triad)
      ->ThreadRange(1, 2)
      ->UseRealTime()
      ->Repetitions(5)
      ->ReportAggregatesOnly();
  return true;
}();

}  // namespace
