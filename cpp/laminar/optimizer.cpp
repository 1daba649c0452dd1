// SPDX-License-Identifier: Apache-2.0
#include "laminar/optimizer.hpp"

#include "laminar/entries.hpp"
#include "laminar/kernels/optimizers.hpp"

namespace laminar {
namespace {

struct Functions {
  int (*slots)(const double*);
  void (*single)(const double*, kernels::Index, float*);
  void (*exact)(const double*, kernels::Index, double*);
};

template <typename O, typename T>
void coefficients_as(const double* parameters, kernels::Index step, T* out) {
  static_assert(O::numbers <= kernels::kMaxCoefficients);
  double exact[O::numbers];
  O::coefficients(parameters, step, exact);
  for (int i = 0; i < O::numbers; ++i) out[i] = static_cast<T>(exact[i]);
}

constexpr auto kInfos = entry_infos<kernels::Optimizers>();
constexpr auto kFunctions = from_list(kernels::Optimizers{}, [](auto tag) {
  using O = typename decltype(tag)::type;
  static_assert(O::max_slots <= kernels::kMaxSlots);
  return Functions{&O::slots, &coefficients_as<O, float>, &coefficients_as<O, double>};
});

}  // namespace

const Family& optimizer_family() {
  static constexpr Family family{"optimizer", kInfos};
  return family;
}

int Optimizer::slots() const { return kFunctions[static_cast<std::size_t>(index())].slots(values().data()); }

void Optimizer::coefficients(std::int64_t step, float* out) const {
  kFunctions[static_cast<std::size_t>(index())].single(values().data(), step, out);
}

void Optimizer::coefficients(std::int64_t step, double* out) const {
  kFunctions[static_cast<std::size_t>(index())].exact(values().data(), step, out);
}

}  // namespace laminar
