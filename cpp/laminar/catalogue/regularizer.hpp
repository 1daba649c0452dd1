// SPDX-License-Identifier: Apache-2.0
// Penalties on the size or direction of weights, by name. The list stands in regularizer.cpp.
// Computed in double, in an order that depends on the shape alone. NaN in, NaN out.
#pragma once

#include <memory>
#include <span>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/choice.hpp"
#include "laminar/catalogue/own_rule.hpp"

namespace laminar {

/// The list of regularizers.
const Family& regularizer_family();

/// `Regularizer("l2")`, `Regularizer("l1_l2", {{"l1", 0.001}, {"l2", 0.01}})`.
struct Regularizer : Choice {
  Regularizer(const char* name) : Choice(regularizer_family(), name) {}
  explicit Regularizer(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(regularizer_family(), name, values) {}

  /// One of one's own.
  explicit Regularizer(std::shared_ptr<const OwnRule> rule) : Regularizer("l1_l2") { own = std::move(rule); }

  std::shared_ptr<const OwnRule> own = {};

  const char* name() const { return own != nullptr ? own->name().c_str() : Choice::name(); }
  /// The number that is added to the loss. `weights` are row-major of the given shape; throws
  /// std::invalid_argument where the entry does not take it. For float and double.
  template <typename T>
  double penalty(const Shape& shape, std::span<const T> weights) const;

  /// Adds `scale` times the penalty's gradient to `gradient`, which may not overlap `weights`.
  template <typename T>
  void add_gradient(const Shape& shape, std::span<const T> weights, std::span<T> gradient, double scale = 1) const;

  /// Throws std::invalid_argument where the entry does not take tensors of this shape.
  void check(const Shape& shape) const;
  /// Whether the penalty is l1() sum |w| + l2() sum w^2, so that a loop over weights may take it along.
  bool elementwise() const;
  /// The factors; 0 where the entry has none.
  double l1() const;
  double l2() const;
};

}  // namespace laminar
