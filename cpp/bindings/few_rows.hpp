// SPDX-License-Identifier: Apache-2.0
// Samples that predict takes at once: arrays that are read in place, and a few rows in other forms, which are
// converted as NumPy does it. All else is Python's to convert, or to refuse.
#pragma once

#include <cmath>
#include <cstring>
#include <optional>

#include "arrays.hpp"
#include "bindings.hpp"

#include "laminar/base/buffer.hpp"

namespace laminar::bindings {

/// Whether the type of an array's elements is this one, in the machine's byte order.
template <typename T>
bool is_of(const py::detail::PyArray_Proxy* array) {
  static const py::handle known = py::dtype::of<T>().release();  // NumPy's own, never freed
  return array->descr == known.ptr();
}

/// An object as an array, null where it is none or of a derived class.
inline const py::detail::PyArray_Proxy* plain_array(py::handle object) {
  if (Py_TYPE(object.ptr()) != py::detail::npy_api::get().PyArray_Type_) return nullptr;
  return py::detail::array_proxy(object.ptr());
}

template <typename T>
bool is_in_place(const py::detail::PyArray_Proxy* array) {
  constexpr int layout = static_cast<int>(py::array::c_style) | py::detail::npy_api::NPY_ARRAY_ALIGNED_;
  return is_of<T>(array) && (array->flags & layout) == layout;
}

/// Whether an object can receive the outputs of so many rows.
template <typename T>
bool is_ready_output(py::handle out, const MatrixView<const T>& in, Index columns) {
  const auto* array = plain_array(out);
  if (array == nullptr || array->nd != 2 || !is_in_place<T>(array)) return false;
  if (array->dimensions[0] != in.rows || array->dimensions[1] != columns) return false;
  if ((array->flags & py::detail::npy_api::NPY_ARRAY_WRITEABLE_) == 0) return false;
  const auto from = reinterpret_cast<std::uintptr_t>(array->data);
  const auto begin = reinterpret_cast<std::uintptr_t>(in.data);
  const auto bytes = [](Index elements) { return static_cast<std::uintptr_t>(elements) * sizeof(T); };
  return from >= begin + bytes(in.rows * in.columns) || begin >= from + bytes(in.rows * columns);
}

template <typename T>
class FewRows {
 public:
  /// Reads (n, columns); the object must outlive this.
  FewRows(py::handle x, Index columns) : columns_(columns) {
    if (const auto* array = plain_array(x)) {
      if (array->nd == 2 && array->dimensions[1] == columns && array->dimensions[0] > 0) read(array);
    } else if (PyList_CheckExact(x.ptr()) && PyList_GET_SIZE(x.ptr()) > 0) {
      read_list(x.ptr());
    }
  }

  /// Null where Python must look at them.
  const MatrixView<const T>& view() const { return view_; }

 private:
  static constexpr Index kMost = 4096;  // elements that are converted here

  void read(const py::detail::PyArray_Proxy* array) {
    const Index rows = array->dimensions[0];
    if (is_in_place<T>(array)) {
      view_ = {reinterpret_cast<const T*>(array->data), rows, columns_};
      return;
    }
    if (!make(rows)) return;
    bool fits = true;
    for (Index row = 0; row < rows && fits; ++row) {
      fits = take(array, array->data + row * array->strides[0], array->strides[1], row);
    }
    if (fits) view_ = {own_.data(), rows, columns_};
  }

  void read_list(PyObject* list) {
    const Index rows = PyList_GET_SIZE(list);
    if (!make(rows)) return;
    for (Index row = 0; row < rows; ++row) {
      PyObject* const each = PyList_GET_ITEM(list, row);
      const auto* array = plain_array(each);
      const bool floats = array != nullptr && (is_of<float>(array) || is_of<double>(array));
      const bool taken = floats ? array->nd == 1 && array->dimensions[0] == columns_ &&
                                      take(array, array->data, array->strides[0], row)
                                : take_numbers(each, row);
      if (!taken) return;
    }
    view_ = {own_.data(), rows, columns_};
  }

  bool make(Index rows) {
    if (rows > kMost || rows * columns_ > kMost) return false;
    own_ = AlignedBuffer<T>(rows * columns_);
    return true;
  }

  /// One row of an array, if its numbers are of a type that is known here, and none is too large.
  bool take(const py::detail::PyArray_Proxy* array, const char* from, Index stride, Index row) {
    T* const to = own_.data() + row * columns_;
    return is_of<double>(array)         ? take_as<double>(from, stride, to)
           : is_of<float>(array)        ? take_as<float>(from, stride, to)
           : is_of<std::int64_t>(array) ? take_as<std::int64_t>(from, stride, to)
           : is_of<std::int32_t>(array) ? take_as<std::int32_t>(from, stride, to)
           : is_of<std::uint8_t>(array) ? take_as<std::uint8_t>(from, stride, to)
                                        : false;
  }

  template <typename From>
  bool take_as(const char* from, Index stride, T* to) const {
    for (Index i = 0; i < columns_; ++i) {
      From value;
      std::memcpy(&value, from + i * stride, sizeof value);
      to[i] = static_cast<T>(value);
      if constexpr (sizeof(From) > sizeof(T) && std::is_floating_point_v<From>) {
        if (std::isinf(to[i]) && !std::isinf(value)) return false;
      }
    }
    return true;
  }

  /// A row of Python's floats and integers, as far as a double holds these.
  bool take_numbers(PyObject* row, Index number) {
    const bool list = PyList_CheckExact(row);
    if ((!list && !PyTuple_CheckExact(row)) || PySequence_Fast_GET_SIZE(row) != columns_) return false;
    PyObject* const* items = PySequence_Fast_ITEMS(row);
    T* const to = own_.data() + number * columns_;
    for (Index i = 0; i < columns_; ++i) {
      double value = 0;
      if (PyFloat_Check(items[i])) {
        value = PyFloat_AS_DOUBLE(items[i]);
      } else if (PyLong_CheckExact(items[i])) {
        constexpr long long most = 1LL << 53;
        int overflow = 0;
        const long long whole = PyLong_AsLongLongAndOverflow(items[i], &overflow);
        if (overflow != 0 || whole > most || whole < -most) return false;
        value = static_cast<double>(whole);
      } else {
        return false;
      }
      to[i] = static_cast<T>(value);
      if (std::isinf(to[i]) && !std::isinf(value)) return false;
    }
    return true;
  }

  Index columns_;
  AlignedBuffer<T> own_;
  MatrixView<const T> view_;
};

}  // namespace laminar::bindings
