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
  /// What the update with number `step` (1 for the first) needs, computed in double. `out` has room
  /// for kernels::kMaxCoefficients; what the entry does not use stays as it was.
  void coefficients(std::int64_t step, float* out) const;
  void coefficients(std::int64_t step, double* out) const;
};

}  // namespace laminar
