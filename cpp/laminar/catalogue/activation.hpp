// SPDX-License-Identifier: Apache-2.0
// Activations by name. Formulas stand in kernels/activations.hpp, beside the list.
#pragma once

#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/choice.hpp"

namespace laminar {

/// The list of activations.
const Family& activation_family();

/// `Activation("relu")`, `Activation("leaky_relu", {{"negative_slope", 0.1}})`.
struct Activation : Choice {
  Activation(const char* name) : Choice(activation_family(), name) {}
  explicit Activation(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(activation_family(), name, values) {}

  /// Its number in the kernels' tables: that of the entry, or of a faster form for these arguments.
  int kernel() const;
  /// The one that a kernel computes with these parameters.
  static Activation of_kernel(int kernel, const std::vector<double>& parameters);
  /// Works on whole rows (softmax), so it cannot be applied to one element.
  bool row_wise() const;
  /// The slope needs z as well as a.
  bool keeps_input() const;
  /// Can be trained through by gradient.
  bool has_gradient() const;
  bool is_linear() const;
};

/// a = f(z), row by row; both may be the same memory.
template <typename T>
void activate(const Activation& f, MatrixView<const T> z, MatrixView<T> a);
/// d_z = d_a f'(z), row by row; d_z may be the memory of either.
template <typename T>
void activation_gradient(const Activation& f, MatrixView<const T> z, MatrixView<const T> d_a, MatrixView<T> d_z);

}  // namespace laminar
