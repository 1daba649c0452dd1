// SPDX-License-Identifier: Apache-2.0
// Projections of weights after an update, by name. The list stands in constraint.cpp. Computed in
// double and rounded once, norms in the order of their axis. NaN in, NaN out, for the whole vector
// whose norm it spoils.
#pragma once

#include <memory>
#include <span>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/choice.hpp"
#include "laminar/catalogue/own_rule.hpp"

namespace laminar {

/// The list of constraints.
const Family& constraint_family();

/// `Constraint("max_norm", {{"max_value", 3}})`.
struct Constraint : Choice {
  Constraint(const char* name) : Choice(constraint_family(), name) {}
  explicit Constraint(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(constraint_family(), name, values) {}

  /// One of one's own.
  explicit Constraint(std::shared_ptr<const OwnRule> rule) : Constraint("non_neg") { own = std::move(rule); }

  std::shared_ptr<const OwnRule> own = {};

  const char* name() const { return own != nullptr ? own->name().c_str() : Choice::name(); }
  /// Throws std::invalid_argument where a tensor of this shape does not have the constraint's axis.
  void check(const Shape& shape) const;
  /// Changes row-major weights of the given shape in place. For float and double. Throws
  /// std::invalid_argument where the shape does not have the constraint's axis.
  template <typename T>
  void apply(const Shape& shape, std::span<T> weights) const;
};

}  // namespace laminar
