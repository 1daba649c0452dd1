// SPDX-License-Identifier: Apache-2.0
// Numpy arrays as views. Nothing is copied or converted here: the Python side has done that once,
// and what still does not fit is an error that names the argument.
#pragma once

#include "bindings.hpp"

#include "laminar/base/error.hpp"
#include "laminar/base/types.hpp"
#include "laminar/graph/network.hpp"

namespace laminar::bindings {

/// Throws unless the array is C-contiguous, aligned, native and of type T.
template <typename T>
void require_layout(const py::array& array, const char* argument) {
  if (!py::dtype::of<T>().is(array.dtype()) && !array.dtype().equal(py::dtype::of<T>())) {
    throw py::type_error(std::string(argument) + ": expected dtype " + py::str(py::dtype::of<T>()).cast<std::string>() +
                         ", got " + py::str(array.dtype()).cast<std::string>());
  }
  constexpr int wanted =
      static_cast<int>(py::array::c_style) | static_cast<int>(py::detail::npy_api::NPY_ARRAY_ALIGNED_);
  if ((array.flags() & wanted) != wanted) fail(argument, ": expected a C-contiguous aligned array");
}

/// Rows of one axis or of several, which count as one.
template <typename T>
MatrixView<const T> matrix(const py::array& array, const char* argument) {
  require_layout<T>(array, argument);
  if (array.ndim() < 2) fail(argument, ": expected 2 axes (rows, columns) or more, got ", array.ndim());
  Index columns = 1;
  for (py::ssize_t axis = 1; axis < array.ndim(); ++axis) columns *= array.shape(axis);
  return {static_cast<const T*>(array.data()), array.shape(0), columns};
}

template <typename T>
std::span<const T> vector(const py::array& array, const char* argument) {
  require_layout<T>(array, argument);
  if (array.ndim() != 1) fail(argument, ": expected 1 axis, got ", array.ndim());
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.shape(0))};
}

/// The extents of an array.
inline Shape shape_of(const py::array& array) { return {array.shape(), array.shape() + array.ndim()}; }

/// A copy of one of the tensors that lie one after the other.
template <typename T>
py::array_t<T> array_of(const Tensor& tensor, const T* flat) {
  py::array_t<T> array(std::vector<py::ssize_t>(tensor.shape.begin(), tensor.shape.end()));
  std::copy_n(flat + tensor.offset, tensor.size, array.mutable_data());
  return array;
}

/// All elements of an array of any shape.
template <typename T>
std::span<const T> elements(const py::array& array, const char* argument) {
  require_layout<T>(array, argument);
  return {static_cast<const T*>(array.data()), static_cast<std::size_t>(array.size())};
}

/// All elements of an array that is written to.
template <typename T>
std::span<T> writable_elements(py::array& array, const char* argument) {
  require_layout<T>(array, argument);
  if (!array.writeable()) fail(argument, ": expected a writeable array");
  return {static_cast<T*>(array.mutable_data()), static_cast<std::size_t>(array.size())};
}

/// call(T{}) with the array's type, float or double.
template <typename Call>
auto with_type(const py::array& array, const Call& call) {
  return array.dtype().equal(py::dtype::of<float>()) ? call(float{}) : call(double{});
}

/// A data set of views; the arrays must outlive it.
template <typename T>
Dataset<T> dataset(const py::array& x, const py::array& y, const py::object& sample_weight) {
  Dataset<T> data;
  data.x = matrix<T>(x, "x");
  if (y.dtype().kind() == 'i') {
    data.y = Targets<T>(vector<std::int32_t>(y, "y"));
  } else {
    data.y = Targets<T>(matrix<T>(y, "y"));
  }
  if (!sample_weight.is_none()) {
    const auto weights = sample_weight.cast<py::array>();
    data.sample_weight = elements<T>(weights, "sample_weight");
    if (weights.ndim() > 2) fail("sample_weight: expected 1 axis or 2, got ", weights.ndim());
  }
  return data;
}

}  // namespace laminar::bindings
