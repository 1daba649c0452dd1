// SPDX-License-Identifier: Apache-2.0
// Optimizers by name, with the options that all of them share. Elementwise update rules stand in
// kernels/optimizers.hpp, beside their list; those that look at a whole tensor in tensor_rules.hpp.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "laminar/choice.hpp"
#include "laminar/kernels/table.hpp"
#include "laminar/schedule.hpp"

namespace laminar {

const Family& optimizer_family();

/// One entry: the options that every optimizer takes.
const Family& optimizer_options_family();

/// What is done to gradients and weights around the update rule: weight decay, clipping, gradient
/// accumulation, a running average of the weights. Names, defaults and ranges come from the list.
struct OptimizerOptions : Choice {
  OptimizerOptions() : Choice(optimizer_options_family(), "all") {}

  /// Regular expressions, searched for in the names of tensors that weight decay leaves alone.
  std::vector<std::string> exclude_from_weight_decay = {};

  /// True where nothing is set.
  bool none() const;
};

/// `Optimizer("adam")`, `Optimizer("sgd", {{"learning_rate", 0.1}, {"clipnorm", 1}})`.
struct Optimizer : Choice {
  Optimizer(const char* name) : Optimizer(std::string_view(name)) {}
  explicit Optimizer(std::string_view name, std::initializer_list<NamedValue> values = {});

  /// A hyper-parameter of the entry, or an option. Throws std::invalid_argument for unknown names,
  /// bad values, a second kind of clipping, and for the learning rate while a schedule gives it.
  void set(std::string_view parameter, double value);

  OptimizerOptions options;
  /// Gives the learning rate in place of the number.
  std::optional<Schedule> schedule;

  /// The learning rate of the update with number `step`, 1 for the first.
  double learning_rate(std::int64_t step) const;

  /// State arrays per weight, and the value that they start with.
  int slots() const;
  double initial(int slot) const;

  /// True where the rule takes a whole tensor: kernels do not have it, the Updater does.
  bool tensor_wise() const;
  /// True where the kernels' update is all there is to do: an elementwise rule without options.
  bool fused() const;

  /// What the update with number `step` (1 for the first) needs, computed in double. `out` has room
  /// for kernels::kMaxCoefficients; what the entry does not use stays as it was. With `decay` false
  /// the entry's own weight decay is left out.
  void coefficients(std::int64_t step, float* out, bool decay = true) const;
  void coefficients(std::int64_t step, double* out, bool decay = true) const;
};

}  // namespace laminar
