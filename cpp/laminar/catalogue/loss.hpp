// SPDX-License-Identifier: Apache-2.0
// Losses by name. Formulas stand in kernels/loss_*.hpp, the list in kernels/losses.hpp.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/choice.hpp"
#include "laminar/catalogue/own_function.hpp"

namespace laminar {

/// The list of losses.
const Family& loss_family();

/// What becomes of the losses of rows: their sum is divided by the number of rows, by the sum of their
/// weights, or not at all. "mean" is another word for the first.
enum class Reduction { mean, weighted_mean, sum, none };

/// `Loss("mse")`, `Loss("huber", {{"delta", 0.5}})`.
struct Loss : Choice {
  Loss(const char* name) : Choice(loss_family(), name) {}
  explicit Loss(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(loss_family(), name, values) {}

  /// A loss of one's own, which has the reduction of others and nothing else of theirs.
  explicit Loss(std::shared_ptr<const OwnFunction> function) : Loss("mse") { own = std::move(function); }

  std::shared_ptr<const OwnFunction> own = {};

  const char* name() const { return own != nullptr ? own->name().c_str() : Choice::name(); }
  /// Targets are class numbers, not rows of values.
  bool class_labels() const;
  /// The loss and this last activation are computed as one, on its input: whether or not the user
  /// wrote from_logits, the outputs are probabilities and the loss is exact.
  bool absorbs(const Activation& last) const;
  /// The outputs are already logits.
  bool from_logits() const;
  Reduction reduction() const;
  /// Rows of this class count for nothing: loss, gradient and weight 0.
  std::optional<std::int32_t> ignored_class() const;
  /// The loss of a row is the mean of that of its values, each of which has one of its own.
  bool elementwise() const;
  /// Whether there are targets that the loss is not for.
  bool restricts_targets() const;
  /// "" where the loss is for a target, else what targets must be.
  const char* broken_rule(double target) const;
  /// How others become what they must be, for the end of a message; "" where nothing is known.
  const char* target_advice() const;

  /// The loss is a function of the mean over the whole batch: row losses are what the mean is taken of,
  /// and gradients are those of the mean times finish_slope(mean).
  bool whole_batch() const;
  double finish(double mean) const;
  /// 0 at a mean of 0, where a root has no slope.
  double finish_slope(double mean) const;

 private:
  /// A value that not all losses have.
  std::optional<double> find(std::string_view parameter) const;
};

}  // namespace laminar
