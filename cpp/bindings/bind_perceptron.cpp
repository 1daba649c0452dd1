// SPDX-License-Identifier: Apache-2.0
// The perceptron in float64, with arrays for classes; laminar.sklearn gives it its Python face.
#include "arrays.hpp"
#include "bindings.hpp"

#include "laminar/perceptron.hpp"

namespace laminar::bindings {
namespace {

using Unit = Perceptron<double>;

py::array_t<double> array(const std::vector<double>& values, std::vector<py::ssize_t> shape) {
  py::array_t<double> result(std::move(shape));
  std::copy(values.begin(), values.end(), result.mutable_data());
  return result;
}

void set(std::vector<double>& values, const py::array& from, const char* argument) {
  require_layout<double>(from, argument);
  if (from.size() != static_cast<py::ssize_t>(values.size())) {
    fail(argument, ": expected ", values.size(), " numbers, got ", from.size());
  }
  std::copy_n(static_cast<const double*>(from.data()), values.size(), values.begin());
}

/// Returns (epochs, mistakes in the last one).
py::tuple fit(Unit& unit, const py::array& x, const py::array& y, const py::object& sample_weight, double eta0,
              Index max_epochs, std::optional<double> tol, Index patience, bool shuffle, bool fit_intercept) {
  const Dataset<double> data = dataset<double>(x, y, sample_weight);
  bool signalled = false;
  PerceptronOptions options{eta0, max_epochs, tol, patience, shuffle, fit_intercept, [&] {
                              const py::gil_scoped_acquire lock;
                              signalled = PyErr_CheckSignals() != 0;
                              return signalled;
                            }};
  PerceptronEnd end;
  {
    const py::gil_scoped_release unlock;
    end = unit.fit(data.x, data.y.labels, data.sample_weight, options);
  }
  if (signalled) throw py::error_already_set();
  return py::make_tuple(end.epochs, end.mistakes);
}

py::array_t<double> decide(const Unit& unit, const py::array& x) {
  const MatrixView<const double> in = matrix<double>(x, "x");
  py::array_t<double> z({in.rows, unit.units()});
  const MatrixView<double> out(z.mutable_data(), in.rows, unit.units());
  const py::gil_scoped_release unlock;
  unit.decide(in, out);
  return z;
}

}  // namespace

void bind_perceptron(py::module_& module) {
  py::class_<Unit>(module, "Perceptron")
      .def(py::init<Index, Index, std::uint64_t>(), py::arg("features"), py::arg("classes"), py::arg("seed"))
      .def("fit", &fit, py::arg("x"), py::arg("y"), py::arg("sample_weight"), py::arg("eta0"), py::arg("max_epochs"),
           py::arg("tol"), py::arg("patience"), py::arg("shuffle"), py::arg("fit_intercept"))
      .def("decide", &decide, py::arg("x"))
      .def_property(
          "weights", [](const Unit& u) { return array(u.weights(), {u.units(), u.features()}); },
          [](Unit& u, const py::array& from) { set(u.weights(), from, "weights"); })
      .def_property(
          "biases", [](const Unit& u) { return array(u.biases(), {u.units()}); },
          [](Unit& u, const py::array& from) { set(u.biases(), from, "biases"); });
}

}  // namespace laminar::bindings
