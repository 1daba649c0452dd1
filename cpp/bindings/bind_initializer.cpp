// SPDX-License-Identifier: Apache-2.0
// Initializers as functions that fill an array.
#include "arrays.hpp"
#include "interrupts.hpp"

#include <algorithm>

#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

/// Draws what the first tensor of a model with this seed holds, unless the initializer has its own.
template <typename T>
void initialize(const Initializer& initializer, std::uint64_t seed, py::array& out) {
  const std::span<T> target = writable_elements<T>(out, "out");
  const Shape shape = shape_of(out);
  unlocked([&] {
    std::vector<double> values(target.size());
    initializer.fill(shape, RandomStream(seed, Purpose::initializer, 0, 0), values);
    std::transform(values.begin(), values.end(), target.begin(), [](double v) { return static_cast<T>(v); });
  });
}

}  // namespace

void bind_initializer(py::module_& module) {
  module.def(
      "initialize",
      [](const std::string& initializer, std::uint64_t seed, py::array out) {
        const Initializer entry = initializer_from_json(initializer);
        with_type(out, [&](auto type) { initialize<decltype(type)>(entry, seed, out); });
      },
      py::arg("initializer"), py::arg("seed"), py::arg("out").noconvert());
}

}  // namespace laminar::bindings
