// SPDX-License-Identifier: Apache-2.0
// Learning rates as pure functions of the step, by name. Formulas and defaults are those of Keras 3
// where it has them, else of PyTorch, computed in double.
#pragma once

#include "laminar/choice.hpp"
#include "laminar/types.hpp"

namespace laminar {

const Family& schedule_family();

/// `Schedule("exponential_decay", {{"initial_learning_rate", 0.1}, {"decay_steps", 1000}, {"decay_rate", 0.96}})`.
struct Schedule : Choice {
  Schedule(const char* name) : Schedule(std::string_view(name)) {}
  explicit Schedule(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(schedule_family(), name, values) {}

  /// The rate at `step`, 0 for the first update.
  double operator()(Index step) const;
  /// Throws std::invalid_argument where values do not fit together.
  void check() const;
};

}  // namespace laminar
