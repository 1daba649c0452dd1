// SPDX-License-Identifier: Apache-2.0
// The error of every vector function at every float, in units in the last place of the result:
// `bench_ulp [stride [function]]`, where stride 1 (the default) takes all 2^32 of them and a minute
// for each function and instruction set.
#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <mutex>

#include "functions.hpp"

#include "laminar/threads/crew.hpp"

namespace {

constexpr std::int64_t kFloats = std::int64_t{1} << 32;
constexpr int kBlock = 4096;

struct Worst {
  double ulps = 0;
  float at = 0;
};

/// Distance of a result from the exact value, which is known to double precision.
double ulps(float got, double exact) {
  if (std::isnan(exact)) return std::isnan(got) ? 0 : std::numeric_limits<double>::infinity();
  const float nearest = static_cast<float>(exact);
  if (std::isinf(nearest) || std::isinf(got)) return got == nearest ? 0 : std::numeric_limits<double>::infinity();
  const int exponent = std::max(std::ilogb(exact == 0 ? 1e-45 : exact), std::numeric_limits<float>::min_exponent - 1);
  return std::abs(static_cast<double>(got) - exact) / std::ldexp(1.0, exponent - 23);
}

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

/// The exact functions in the order of the tables; log1p is used for x >= 0 alone.
constexpr std::array<double (*)(double), kFunctions> kExact = {
    [](double x) { return std::exp(x); },
    [](double x) { return std::expm1(x); },
    [](double x) { return std::log(x); },
    [](double x) { return x < 0 ? std::numeric_limits<double>::quiet_NaN() : std::log1p(x); },
    [](double x) { return std::tanh(x); },
    [](double x) { return sigmoid(x); },
};

Worst worst_of(const VectorFunction& function, double (*exact)(double), bool not_negative, std::int64_t stride) {
  Worst worst;
  const std::int64_t blocks = kFloats / (kBlock * stride);
  std::mutex mutex;
  laminar::Crew(laminar::get_num_threads(), 0).share(blocks, [&](std::int64_t block) {
    std::array<float, kBlock> in;
    std::array<float, kBlock> out;
    for (int i = 0; i < kBlock; ++i) {
      in[static_cast<std::size_t>(i)] = std::bit_cast<float>(static_cast<std::uint32_t>((block * kBlock + i) * stride));
    }
    function.apply(in.data(), out.data(), kBlock);
    Worst mine;
    for (std::size_t i = 0; i < kBlock; ++i) {
      if (not_negative && in[i] < 0) continue;
      const double error = ulps(out[i], exact(static_cast<double>(in[i])));
      if (error > mine.ulps) mine = {error, in[i]};
    }
    const std::lock_guard lock(mutex);
    if (mine.ulps > worst.ulps) worst = mine;
  });
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t stride = argc > 1 ? std::max(1L, std::atol(argv[1])) : 1;
  struct Isa {
    const char* name;
    const VectorFunction* functions;
    bool here;
  };
  const std::array<Isa, 3> isas = {{
      {"baseline", functions_of_baseline(), true},
#ifdef __x86_64__
      {"avx2", functions_of_avx2(), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
      {"avx512", functions_of_avx512(), __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")},
#else
      {"avx2", nullptr, false},
      {"avx512", nullptr, false},
#endif
  }};
  std::printf("| function | instruction set | largest error, ULP | at |\n|---|---|---|---|\n");
  for (std::size_t f = 0; f < kFunctions; ++f) {
    for (const Isa& isa : isas) {
      if (!isa.here) continue;
      const char* name = isa.functions[f].name;
      if (argc > 2 && std::strcmp(argv[2], name) != 0) continue;
      const Worst worst = worst_of(isa.functions[f], kExact[f], f == 3, stride);
      std::printf("| %s | %s | %.3f | %.9g |\n", name, isa.name, worst.ulps, static_cast<double>(worst.at));
      std::fflush(stdout);
    }
  }
  return 0;
}
