// SPDX-License-Identifier: Apache-2.0
// Optimizers by name. Update rules stand in kernels/optimizers.hpp, beside the list.
#pragma once

#include "laminar/choice.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {

const Family& optimizer_family();

/// `Optimizer("adam")`, `Optimizer("sgd", {{"learning_rate", 0.1}, {"momentum", 0.9}})`.
struct Optimizer : Choice {
  Optimizer(const char* name) : Choice(optimizer_family(), name) {}
  explicit Optimizer(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(optimizer_family(), name, values) {}

  /// State arrays per weight.
  int slots() const;
  /// What the update with number `step` (1 for the first) needs, computed in double.
  template <typename T>
  std::array<T, kernels::kMaxCoefficients> coefficients(std::int64_t step) const {
    std::array<double, kernels::kMaxCoefficients> exact{};
    coefficients(step, exact.data());
    std::array<T, kernels::kMaxCoefficients> out;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(exact[i]);
    return out;
  }

 private:
  void coefficients(std::int64_t step, double* out) const;
};

}  // namespace laminar
