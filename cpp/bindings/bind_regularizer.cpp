// SPDX-License-Identifier: Apache-2.0
// Regularizers as functions of an array.
#include "arrays.hpp"
#include "interpreter.hpp"

#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

template <typename T>
double penalty(const Regularizer& regularizer, const py::array& weights) {
  const std::span<const T> values = elements<T>(weights, "weights");
  const Shape shape = shape_of(weights);
  const Unlocked unlocked;
  return regularizer.penalty(shape, values);
}

template <typename T>
void add_gradient(const Regularizer& regularizer, const py::array& weights, py::array& gradient) {
  const std::span<const T> values = elements<T>(weights, "weights");
  const std::span<T> sums = writable_elements<T>(gradient, "gradient");
  const Shape shape = shape_of(weights);
  if (shape_of(gradient) != shape) {
    fail("gradient: expected shape ", to_string(shape), ", got ", to_string(shape_of(gradient)));
  }
  const Unlocked unlocked;
  regularizer.add_gradient(shape, values, sums);
}

}  // namespace

void bind_regularizer(py::module_& module) {
  module.def(
      "penalty",
      [](const std::string& regularizer, const py::array& weights) {
        const Regularizer entry = regularizer_from_json(regularizer);
        return with_type(weights, [&](auto type) { return penalty<decltype(type)>(entry, weights); });
      },
      py::arg("regularizer"), py::arg("weights").noconvert());
  module.def(
      "add_penalty_gradient",
      [](const std::string& regularizer, const py::array& weights, py::array gradient) {
        const Regularizer entry = regularizer_from_json(regularizer);
        with_type(weights, [&](auto type) { add_gradient<decltype(type)>(entry, weights, gradient); });
      },
      py::arg("regularizer"), py::arg("weights").noconvert(), py::arg("gradient").noconvert());
}

}  // namespace laminar::bindings
