// SPDX-License-Identifier: Apache-2.0
// Losses by name. Formulas stand in kernels/losses.hpp, beside the list.
#pragma once

#include "laminar/activation.hpp"
#include "laminar/choice.hpp"

namespace laminar {

const Family& loss_family();

/// `Loss("mse")`, `Loss("huber", {{"delta", 0.5}})`.
struct Loss : Choice {
  Loss(const char* name) : Choice(loss_family(), name) {}
  explicit Loss(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(loss_family(), name, values) {}

  /// Targets are class numbers, not rows of values.
  bool class_labels() const;
  /// The loss and this last activation are computed as one, on its input: whether or not the user
  /// wrote from_logits, the outputs are probabilities and the loss is exact.
  bool absorbs(const Activation& last) const;
  /// The outputs are already logits.
  bool from_logits() const;
};

}  // namespace laminar
