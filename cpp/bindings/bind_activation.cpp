// SPDX-License-Identifier: Apache-2.0
// Activations and their slopes on arrays (rows, columns) of float32 or float64.
#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"

#include "laminar/catalogue/activation.hpp"
#include "laminar/files/config.hpp"

namespace laminar::bindings {
namespace {

template <typename T>
py::array activate_as(const Activation& f, const py::array& z) {
  const MatrixView<const T> in = matrix<T>(z, "z");
  py::array_t<T> out({in.rows, in.columns});
  const MatrixView<T> a(out.mutable_data(), in.rows, in.columns);
  unlocked([&] { activate<T>(f, in, a); });
  return out;
}

template <typename T>
py::array gradient_as(const Activation& f, const py::array& z, const py::array& d_a) {
  const MatrixView<const T> in = matrix<T>(z, "z");
  const MatrixView<const T> upstream = matrix<T>(d_a, "d_a");
  if (upstream.rows != in.rows || upstream.columns != in.columns) {
    fail("d_a: expected the shape of z, (", in.rows, ", ", in.columns, "), got (", upstream.rows, ", ",
         upstream.columns, ")");
  }
  if (!f.has_gradient()) fail("activation '", f.name(), "' has no gradient to train with: its slope is 0 everywhere");
  py::array_t<T> out({in.rows, in.columns});
  const MatrixView<T> d_z(out.mutable_data(), in.rows, in.columns);
  unlocked([&] { activation_gradient<T>(f, in, upstream, d_z); });
  return out;
}

bool is_double(const py::array& z) { return z.dtype().equal(py::dtype::of<double>()); }

py::array bound_activate(const std::string& config, const py::array& z) {
  const Activation f = activation_from_json(config);
  return is_double(z) ? activate_as<double>(f, z) : activate_as<float>(f, z);
}

py::array bound_gradient(const std::string& config, const py::array& z, const py::array& d_a) {
  const Activation f = activation_from_json(config);
  return is_double(z) ? gradient_as<double>(f, z, d_a) : gradient_as<float>(f, z, d_a);
}

/// The integers and numbers of the operation `activation` that computes it.
py::tuple bound_operation(const std::string& config) {
  const Activation f = activation_from_json(config);
  const int count = f.info().count();
  return py::make_tuple(std::vector<int>{f.kernel(), f.row_wise() ? 1 : 0, f.keeps_input() ? 1 : 0},
                        std::vector<double>(f.values().begin(), f.values().begin() + count));
}

}  // namespace

void bind_activation(py::module_& module) {
  module.def("activate", &bound_activate, py::arg("config"), py::arg("z"));
  module.def("activation_gradient", &bound_gradient, py::arg("config"), py::arg("z"), py::arg("d_a"));
  module.def("activation_operation", &bound_operation, py::arg("config"));
}

}  // namespace laminar::bindings
