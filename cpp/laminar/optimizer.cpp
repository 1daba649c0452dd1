// SPDX-License-Identifier: Apache-2.0
#include "laminar/optimizer.hpp"

#include "laminar/entries.hpp"
#include "laminar/kernels/optimizers.hpp"

namespace laminar {
namespace {

struct Functions {
  int (*slots)(const double*);
  void (*coefficients)(const double*, kernels::Index, double*);
};

constexpr auto kInfos = entry_infos<kernels::Optimizers>();
constexpr auto kFunctions = from_list(kernels::Optimizers{}, [](auto tag) {
  using O = typename decltype(tag)::type;
  static_assert(O::max_slots <= kernels::kMaxSlots);
  return Functions{&O::slots, &O::coefficients};
});

}  // namespace

const Family& optimizer_family() {
  static constexpr Family family{"optimizer", kInfos};
  return family;
}

int Optimizer::slots() const { return kFunctions[static_cast<std::size_t>(index())].slots(values().data()); }

void Optimizer::coefficients(std::int64_t step, double* out) const {
  kFunctions[static_cast<std::size_t>(index())].coefficients(values().data(), step, out);
}

}  // namespace laminar
