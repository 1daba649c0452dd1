// SPDX-License-Identifier: Apache-2.0
// Optimizers by name, with the options that all of them share. Elementwise update rules stand in
// kernels/optimizers.hpp, those that look at a whole tensor in tensor_rules.hpp, beside their lists.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "laminar/catalogue/choice.hpp"
#include "laminar/catalogue/schedule.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {

/// The list of optimizers.
const Family& optimizer_family();

/// One entry, "all": the options that every optimizer takes.
const Family& optimizer_options_family();

/// What is done to gradients and weights around the update rule: weight decay, clipping, gradient
/// accumulation, a running average of the weights. Names, defaults and formulas are those of Keras 3.
struct OptimizerOptions : Choice {
  OptimizerOptions() : Choice(optimizer_options_family(), "all") {}

  /// Regular expressions that are searched for in tensors' names; weight decay leaves these alone.
  std::vector<std::string> exclude_from_weight_decay = {};

  /// True where nothing is set.
  bool none() const;
  /// Batches to one update.
  Index accumulation() const;
};

/// `Optimizer("adam")`, `Optimizer("sgd", {{"learning_rate", 0.1}, {"clipnorm", 1}})`.
struct Optimizer : Choice {
  Optimizer(const char* name) : Optimizer(std::string_view(name)) {}
  explicit Optimizer(std::string_view name, std::initializer_list<NamedValue> values = {});

  OptimizerOptions options;
  std::optional<Schedule> schedule;  // in place of the number learning_rate

  /// A hyper-parameter of the entry, else an option. Throws std::invalid_argument for unknown names
  /// and bad values, and for the learning rate while a schedule gives it.
  void set(std::string_view parameter, double value);
  /// Throws std::invalid_argument where options do not go together.
  void check() const;

  /// The learning rate after so many batches.
  double learning_rate(Index batches) const;

  /// State arrays per weight, and the value that they start with.
  int slots() const;
  double initial(int slot) const;

  /// True where the rule takes a whole tensor: kernels do not have it, the Updater does.
  bool tensor_wise() const;
  /// True where the kernels' update is all there is to do: an elementwise rule without options.
  bool fused() const;

  /// True where rows of a table can be updated that a batch has read, and no others: not where all weights
  /// change at each batch, or gradients of several are added up.
  bool by_rows() const;

  /// True where every update takes the same coefficients.
  bool steady() const;

  /// What the update with number `step` (1 for the first) needs, computed in double. `out` has room
  /// for kernels::kMaxCoefficients; what the entry does not use stays as it was.
  void coefficients(Index step, float* out) const { coefficients(step, learning_rate(step - 1), true, out); }
  void coefficients(Index step, double* out) const { coefficients(step, learning_rate(step - 1), true, out); }
  /// The same for a given learning rate, with or without the weight decay that is part of the rule.
  void coefficients(Index step, double rate, bool decay, float* out) const;
  void coefficients(Index step, double rate, bool decay, double* out) const;
};

}  // namespace laminar
