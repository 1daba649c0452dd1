// SPDX-License-Identifier: Apache-2.0
// Initializers by name. The list stands in initializer.cpp. Drawn in double and rounded once, so a
// seed gives the same weights on every machine, in float the rounded ones of double.
#pragma once

#include <span>

#include "laminar/base/random.hpp"
#include "laminar/catalogue/choice.hpp"

namespace laminar {

/// The list of initializers.
const Family& initializer_family();

/// `Initializer("he_normal")`, `Initializer("random_uniform", {{"minval", -1}, {"maxval", 1}})`.
struct Initializer : Choice {
  Initializer(const char* name) : Choice(initializer_family(), name) {}
  explicit Initializer(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(initializer_family(), name, values) {}

  /// Fills a tensor of the given shape; fan-in and fan-out are those of Keras. An initializer with a
  /// seed of its own draws from that instead of the stream: equal shapes then hold equal values.
  void fill(const Shape& shape, const RandomStream& stream, std::span<double> out) const;
};

}  // namespace laminar
