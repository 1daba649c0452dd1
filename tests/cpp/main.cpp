// SPDX-License-Identifier: Apache-2.0
// Entry point of the C++ tests. LAMINAR_ISA names the kernels under test; where this processor
// cannot run them the program says so and exits with 77, which ctest counts as skipped. The
// processor is asked here by the compiler's own means, so that a dispatcher which wrongly refuses
// an instruction set fails its tests instead of skipping them.
#define DOCTEST_CONFIG_IMPLEMENT
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include <doctest/doctest.h>

namespace {

constexpr int kSkipped = 77;

bool processor_has([[maybe_unused]] std::string_view isa) {
#ifdef __x86_64__
  if (isa == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  if (isa == "avx512" || isa == "avx512_bf16") {
    return (isa == "avx512" || __builtin_cpu_supports("avx512bf16")) && __builtin_cpu_supports("avx512f") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vl");
  }
#endif
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  const char* isa = std::getenv("LAMINAR_ISA");
  if (isa != nullptr && !processor_has(isa)) {
    std::printf("skipped: this processor cannot run LAMINAR_ISA=%s\n", isa);
    return kSkipped;
  }
  return doctest::Context(argc, argv).run();
}
