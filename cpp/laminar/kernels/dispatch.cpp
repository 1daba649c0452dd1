// SPDX-License-Identifier: Apache-2.0
// The list of kernel tables, best first, each with what it needs of the processor. The compiler's
// own CPUID support also asks XGETBV whether the operating system saves the wide registers.
#include "laminar/kernels/dispatch.hpp"

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
bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
}
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
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
