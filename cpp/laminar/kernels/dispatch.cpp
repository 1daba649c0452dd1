// SPDX-License-Identifier: Apache-2.0
// The list of kernel tables, best first, each with what it needs of the processor.
#include "laminar/kernels/dispatch.hpp"

#ifdef LAMINAR_X86
#include <cpuid.h>
#endif

#include <cstdlib>
#include <map>
#include <mutex>

#include "laminar/base/error.hpp"
#include "laminar/kernels/tables.hpp"

namespace laminar::kernels {
namespace {

struct Implementation {
  const char* name;
  bool (*runs_here)();
  const Kernels<float>* (*table_float)();
  const Kernels<double>* (*table_double)();
  void (*take_bfloat16)(Kernels<float>&);
};

#ifdef LAMINAR_X86
struct Features {
  bool avx2 = false;
  bool avx512 = false;
  bool avx512_bf16 = false;
};

/// CPUID says what the processor has, XGETBV which registers the operating system saves. Asked here,
/// since __builtin_cpu_supports needs a library of the compiler's that programs of clang-cl lack.
Features ask_processor() {
  constexpr unsigned kFma = 1U << 12, kXgetbv = 1U << 27;                  // leaf 1, ecx
  constexpr unsigned kAvx2 = 1U << 5;                                      // leaf 7, ebx
  constexpr unsigned kAvx512 = 1U << 16 | 1U << 17 | 1U << 30 | 1U << 31;  // f, dq, bw, vl
  constexpr unsigned kBfloat16 = 1U << 5;                                  // leaf 7, second part, eax
  constexpr unsigned kYmm = 0x06, kZmm = 0xe6;                             // saved registers
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kFma) == 0 || (c & kXgetbv) == 0) return {};
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return {};
  unsigned saved = 0;
  asm volatile("xgetbv" : "=a"(saved), "=d"(d) : "c"(0));
#ifdef __APPLE__
  saved |= saved & kYmm ? kZmm : 0;  // from their first use on
#endif
  Features found;
  found.avx2 = (b & kAvx2) != 0 && (saved & kYmm) == kYmm;
  found.avx512 = (b & kAvx512) == kAvx512 && (saved & kZmm) == kZmm;
  const bool more = a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0;
  found.avx512_bf16 = found.avx512 && more && (a & kBfloat16) != 0;
  return found;
}

const Features& processor() {
  static const Features features = ask_processor();
  return features;
}
bool has_avx512_bf16() { return processor().avx512_bf16; }
bool has_avx512() { return processor().avx512; }
bool has_avx2() { return processor().avx2; }
#endif
bool always() { return true; }

constexpr Implementation kImplementations[] = {
#ifdef LAMINAR_X86
    {"avx512_bf16", &has_avx512_bf16, &avx512_table_float, &avx512_table_double, &avx512_bf16_table_take_bfloat16},
    {"avx512", &has_avx512, &avx512_table_float, &avx512_table_double, &avx512_table_take_bfloat16},
    {"avx2", &has_avx2, &avx2_table_float, &avx2_table_double, &avx2_table_take_bfloat16},
#endif
    {"baseline", &always, &baseline_table_float, &baseline_table_double, &baseline_table_take_bfloat16},
};

/// What an implementation has, each table by its name.
struct Tables {
  Kernels<float> floats;
  Kernels<float> bfloat16;
  Kernels<double> doubles;

  explicit Tables(const Implementation& i) : floats(*i.table_float()), doubles(*i.table_double()) {
    floats.isa = doubles.isa = i.name;
    bfloat16 = floats;
    i.take_bfloat16(bfloat16);
  }
  template <typename T>
  const Kernels<T>& table(ProductPrecision precision) const {
    if constexpr (sizeof(T) == sizeof(float)) {
      return precision == ProductPrecision::full ? floats : bfloat16;
    } else {
      if (precision != ProductPrecision::full) fail("precision: products of bfloat16 are for models of float32");
      return doubles;
    }
  }
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

/// The tables of an implementation that runs here, made at their first use.
const Tables& tables_of(const Implementation& implementation) {
  static std::map<const Implementation*, Tables> made;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  return made.try_emplace(&implementation, implementation).first->second;
}

struct Active {
  const Implementation& implementation;
  const Tables& tables;
};

const Active& active() {
  static const Active chosen = [] {
    const char* wanted = std::getenv("LAMINAR_ISA");
    const bool named = wanted != nullptr && *wanted != '\0';
    const Implementation& implementation = find(named ? wanted : available_isas().front(), "LAMINAR_ISA");
    return Active{implementation, tables_of(implementation)};
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

std::string active_isa() { return active().implementation.name; }

template <typename T>
const Kernels<T>& kernels_for(const std::string& isa, ProductPrecision precision) {
  return tables_of(find(isa, "isa")).table<T>(precision);
}

template <typename T>
const Kernels<T>& kernels(ProductPrecision precision) {
  static const Tables& tables = active().tables;
  return tables.table<T>(precision);
}

template const Kernels<float>& kernels_for(const std::string&, ProductPrecision);
template const Kernels<double>& kernels_for(const std::string&, ProductPrecision);
template const Kernels<float>& kernels(ProductPrecision);
template const Kernels<double>& kernels(ProductPrecision);

}  // namespace laminar::kernels
