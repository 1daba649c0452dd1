// SPDX-License-Identifier: Apache-2.0
// What this machine can do at most: multiply-adds per second from registers, for each instruction
// set, and bytes per second from memory. A share of the peak stated anywhere is relative to these.
#include <benchmark/benchmark.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "chains.hpp"

namespace {

void peak(benchmark::State& state, void (*chains)(), int bytes) {
  for (auto _ : state) chains();
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(chain_flops(bytes)));
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
