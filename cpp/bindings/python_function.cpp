// SPDX-License-Identifier: Apache-2.0
#include "python_function.hpp"

#include <algorithm>

#include "arrays.hpp"

#include "laminar/operations/program.hpp"

namespace laminar::bindings {
namespace {

/// A copy: nobody knows how long the function keeps it.
template <typename T>
py::array array_of(const T* values, const Shape& shape) {
  return py::array_t<T>(shape, values);
}

/// What a function has returned, as `count` elements of the wanted shape.
template <typename T>
void take(const py::handle& made, const Shape& shape, const std::string& what, T* out) {
  const auto array = py::array_t<T, py::array::c_style | py::array::forcecast>::ensure(made);
  if (!array) {
    PyErr_Clear();
    throw py::type_error(what + " must return an array, got " + py::repr(made).cast<std::string>());
  }
  if (shape_of(array) != shape) {
    fail(what, " must return an array of shape ", to_string(shape), ", got ", to_string(shape_of(array)));
  }
  std::copy_n(array.data(), array.size(), out);
}

}  // namespace

PythonFunction::PythonFunction(std::string name, py::object forward, py::object vjp, std::optional<Shape> sample)
    : Function(std::move(name), {.by_rows = false, .gradient = !vjp.is_none()}),
      forward_(std::move(forward)),
      vjp_(std::move(vjp)),
      sample_(std::move(sample)) {}

PythonFunction::~PythonFunction() {
  const py::gil_scoped_acquire lock;
  forward_ = py::object();
  vjp_ = py::object();
}

Shape PythonFunction::shape(const std::vector<const Shape*>& operands) const {
  const Shape& first = *operands[0];
  if (!sample_.has_value()) return first;
  if (first.empty()) fail("python_function '", name(), "': takes arrays with an axis of rows, got a number");
  Shape shape{first[0]};
  shape.insert(shape.end(), sample_->begin(), sample_->end());
  return shape;
}

template <typename T>
void PythonFunction::call(const FunctionRows<T>& rows) const {
  const py::gil_scoped_acquire lock;
  py::tuple given(rows.operands.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    given[i] = array_of(rows.operands[i], with_rows(*rows.shapes[i], rows.rows));
  }
  const std::vector<const Shape*> shapes(rows.shapes.begin(), rows.shapes.end());
  take(forward_(*given), with_rows(shape(shapes), rows.rows), "python_function '" + name() + "': forward", rows.out);
}

template <typename T>
void PythonFunction::call_back(const FunctionRows<T>& rows) const {
  const py::gil_scoped_acquire lock;
  const std::size_t count = rows.operands.size();
  py::tuple given(count + 2);
  for (std::size_t i = 0; i < count; ++i) {
    given[i] = array_of(rows.operands[i], with_rows(*rows.shapes[i], rows.rows));
  }
  const std::vector<const Shape*> shapes(rows.shapes.begin(), rows.shapes.end());
  const Shape made = with_rows(shape(shapes), rows.rows);
  given[count] = array_of(rows.value, made);
  given[count + 1] = array_of(rows.d_value, made);
  const std::string what = "python_function '" + name() + "': vjp";
  py::object gradients = vjp_(*given);
  if (py::isinstance<py::tuple>(gradients) || py::isinstance<py::list>(gradients)) {
    const auto list = py::reinterpret_borrow<py::sequence>(gradients);
    if (list.size() != count) fail(what, " must return ", count, " gradients, got ", list.size());
    gradients = list[rows.of];
  } else if (count != 1) {
    fail(what, " must return a tuple of ", count, " gradients");
  }
  const Shape wanted = with_rows(*rows.shapes[rows.of], rows.rows);
  take(gradients, wanted, what, rows.out);
}

void PythonFunction::value(const FunctionRows<float>& rows) const { call(rows); }
void PythonFunction::value(const FunctionRows<double>& rows) const { call(rows); }
void PythonFunction::gradient(const FunctionRows<float>& rows) const { call_back(rows); }
void PythonFunction::gradient(const FunctionRows<double>& rows) const { call_back(rows); }

}  // namespace laminar::bindings
