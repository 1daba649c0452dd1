// SPDX-License-Identifier: Apache-2.0
// Learning rates as pure functions of the step, by name. Formulas, arguments and defaults are those
// of Keras 3, of PyTorch for one_cycle; all is computed in double. The list stands in schedule.cpp.
#pragma once

#include "laminar/base/types.hpp"
#include "laminar/catalogue/choice.hpp"

namespace laminar {

/// The list of schedules.
const Family& schedule_family();

/// `Schedule("cosine_decay", {{"initial_learning_rate", 0.1}, {"decay_steps", 1000}})`
struct Schedule : Choice {
  explicit Schedule(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(schedule_family(), name, values) {}

  /// How many of the first arguments have no default.
  int required() const;
  /// Throws std::invalid_argument where an argument is missing or two do not go together.
  void check() const;

  /// The rate at `step`, 0 for the first update. Needs what check() asks for.
  double operator()(Index step) const;
};

}  // namespace laminar
