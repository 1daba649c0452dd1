// SPDX-License-Identifier: Apache-2.0
// The perceptron in float64, with arrays for classes; laminar.sklearn gives it its Python face. Rows
// are an array, or the three arrays of a CSR matrix: values, columns and starts.
#include "arrays.hpp"
#include "bindings.hpp"
#include "interrupts.hpp"

#include "laminar/training/perceptron.hpp"

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

RowsView<double> rows(const py::object& x, Index features) {
  if (!py::isinstance<py::tuple>(x)) return matrix<double>(x.cast<py::array>(), "x");
  const auto parts = x.cast<std::tuple<py::array, py::array, py::array>>();
  return {vector<double>(std::get<0>(parts), "x, values"), vector<std::int32_t>(std::get<1>(parts), "x, columns"),
          vector<std::int32_t>(std::get<2>(parts), "x, starts"), features};
}

template <typename T>
std::span<const T> optional_vector(const std::optional<py::array>& from, const char* argument) {
  return from ? vector<T>(*from, argument) : std::span<const T>();
}

py::dict as_dict(const PerceptronEpoch& e) {
  using namespace py::literals;
  return py::dict("unit"_a = e.unit, "epoch"_a = e.epoch, "norm"_a = e.norm, "nonzeros"_a = e.nonzeros,
                  "bias"_a = e.bias, "rows"_a = e.rows, "loss"_a = e.loss, "objective"_a = e.objective,
                  "score"_a = e.score, "last"_a = e.last);
}

/// Returns (epochs, mistakes in the last one).
py::tuple fit(Unit& unit, const py::object& x, const py::array& y, const std::optional<py::array>& sample_weight,
              const std::optional<py::array>& class_weight, const std::optional<py::array>& held_out, double eta0,
              double l1, double l2, Index max_epochs, std::optional<double> tol, Index patience, bool strict,
              bool shuffle, bool fit_intercept, const std::optional<py::function>& report) {
  const PerceptronData<double> data{
      rows(x, unit.features()),
      vector<std::int32_t>(y, "y"),
      optional_vector<double>(sample_weight, "sample_weight"),
      optional_vector<double>(class_weight, "class_weight"),
      optional_vector<std::uint8_t>(held_out, "held_out"),
  };
  PerceptronOptions options{
      .eta0 = eta0,
      .l2 = l2,
      .l1 = l1,
      .max_epochs = max_epochs,
      .tol = tol,
      .patience = patience,
      .strict = strict,
      .shuffle = shuffle,
      .fit_intercept = fit_intercept,
  };
  if (report) {
    options.report = [&](const PerceptronEpoch& epoch) {
      const Locked lock;
      call(*report, py::make_tuple(as_dict(epoch)));
    };
  }
  const PerceptronEnd end = unlocked([&] {
    const PerceptronEnd end = unit.fit(data, options);
    StopScope::current()->leave();
    return end;
  });
  return py::make_tuple(end.epochs, end.mistakes);
}

py::array_t<double> decide(const Unit& unit, const py::object& x) {
  const RowsView<double> in = rows(x, unit.features());
  py::array_t<double> z({in.rows, unit.units()});
  const MatrixView<double> out(z.mutable_data(), in.rows, unit.units());
  unlocked([&] { unit.decide(in, out); });
  return z;
}

}  // namespace

void bind_perceptron(py::module_& module) {
  py::class_<Unit>(module, "Perceptron")
      .def(py::init<Index, Index, std::uint64_t>(), py::arg("features"), py::arg("classes"), py::arg("seed"))
      .def("fit", &fit, py::arg("x"), py::arg("y"), py::arg("sample_weight"), py::arg("class_weight"),
           py::arg("held_out"), py::arg("eta0"), py::arg("l1"), py::arg("l2"), py::arg("max_epochs"), py::arg("tol"),
           py::arg("patience"), py::arg("strict"), py::arg("shuffle"), py::arg("fit_intercept"), py::arg("report"))
      .def("decide", &decide, py::arg("x"))
      .def_property(
          "weights", [](const Unit& u) { return array(u.weights(), {u.units(), u.features()}); },
          [](Unit& u, const py::array& from) { set(u.weights(), from, "weights"); })
      .def_property(
          "biases", [](const Unit& u) { return array(u.biases(), {u.units()}); },
          [](Unit& u, const py::array& from) { set(u.biases(), from, "biases"); });
}

}  // namespace laminar::bindings
