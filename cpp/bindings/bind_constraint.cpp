// SPDX-License-Identifier: Apache-2.0
// Constraints as functions that change an array.
#include "arrays.hpp"
#include "interpreter.hpp"

#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

template <typename T>
void constrain(const Constraint& constraint, py::array& weights) {
  const std::span<T> values = writable_elements<T>(weights, "weights");
  const Shape shape = shape_of(weights);
  const Unlocked unlocked;
  constraint.apply(shape, values);
}

}  // namespace

void bind_constraint(py::module_& module) {
  module.def(
      "constrain",
      [](const std::string& constraint, py::array weights) {
        const Constraint entry = constraint_from_json(constraint);
        with_type(weights, [&](auto type) { constrain<decltype(type)>(entry, weights); });
      },
      py::arg("constraint"), py::arg("weights").noconvert());
}

}  // namespace laminar::bindings
