// SPDX-License-Identifier: Apache-2.0
// The list of kernel tables, best first, each with what it needs of the processor.
#include "laminar/kernels/dispatch.hpp"

#ifdef LAMINAR_X86
#include <cpuid.h>
#endif

#include <cstdlib>

#include "laminar/error.hpp"
#include "laminar/kernels/tables.hpp"

namespace laminar::kernels {
namespace {

struct Implementation {
  const char* name;
  bool (*runs_here)();
  const Kernels<float>* (*table_float)();
  const Kernels<double>* (*table_double)();
};

#ifdef LAMINAR_X86
struct Features {
  bool avx2 = false;
  bool avx512 = false;
};

/// CPUID says what the processor has, XGETBV which registers the operating system saves. Asked here,
/// since __builtin_cpu_supports needs a library of the compiler's that programs of clang-cl lack.
Features ask_processor() {
  constexpr unsigned kFma = 1U << 12, kXgetbv = 1U << 27;                  // leaf 1, ecx
  constexpr unsigned kAvx2 = 1U << 5;                                      // leaf 7, ebx
  constexpr unsigned kAvx512 = 1U << 16 | 1U << 17 | 1U << 30 | 1U << 31;  // f, dq, bw, vl
  constexpr unsigned kYmm = 0x06, kZmm = 0xe6;                             // saved registers
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kFma) == 0 || (c & kXgetbv) == 0) return {};
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return {};
  unsigned saved = 0;
  asm volatile("xgetbv" : "=a"(saved), "=d"(d) : "c"(0));
#ifdef __APPLE__
  saved |= saved & kYmm ? kZmm : 0;  // from their first use on
#endif
  return {(b & kAvx2) != 0 && (saved & kYmm) == kYmm, (b & kAvx512) == kAvx512 && (saved & kZmm) == kZmm};
}

const Features& processor() {
  static const Features features = ask_processor();
  return features;
}
bool has_avx512() { return processor().avx512; }
bool has_avx2() { return processor().avx2; }
#endif
bool always() { return true; }

constexpr Implementation kImplementations[] = {
#ifdef LAMINAR_X86
    {"avx512", &has_avx512, &avx512_table_float, &avx512_table_double},
    {"avx2", &has_avx2, &avx2_table_float, &avx2_table_double},
#endif
    {"baseline", &always, &baseline_table_float, &baseline_table_double},
};

const Implementation& find(const std::string& name, const char* argument) {
  std::vector<std::string> names;
  for (const Implementation& i : kImplementations) {
    if (name == i.name) {
      if (i.runs_here()) return i;
      fail(argument, ": '", name, "' does not run on this processor; available: ", join(available_isas()));
    }
    names.emplace_back(i.name);
  }
  fail(argument, ": ", unknown_name("instruction set", name, names));
}

const Implementation& active() {
  static const Implementation& chosen = [&]() -> const Implementation& {
    const char* wanted = std::getenv("LAMINAR_ISA");
    return find(wanted != nullptr && *wanted != '\0' ? wanted : available_isas().front(), "LAMINAR_ISA");
  }();
  return chosen;
}

}  // namespace

std::vector<std::string> available_isas() {
  std::vector<std::string> names;
  for (const Implementation& i : kImplementations) {
    if (i.runs_here()) names.emplace_back(i.name);
  }
  return names;
}

std::string active_isa() { return active().name; }

template <>
const Kernels<float>& kernels_for<float>(const std::string& isa) {
  return *find(isa, "isa").table_float();
}
template <>
const Kernels<double>& kernels_for<double>(const std::string& isa) {
  return *find(isa, "isa").table_double();
}

template <>
const Kernels<float>& kernels<float>() {
  static const Kernels<float>& table = *active().table_float();
  return table;
}
template <>
const Kernels<double>& kernels<double>() {
  static const Kernels<double>& table = *active().table_double();
  return table;
}

}  // namespace laminar::kernels
