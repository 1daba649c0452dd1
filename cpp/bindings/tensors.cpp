// SPDX-License-Identifier: Apache-2.0
#include "tensors.hpp"

namespace laminar::bindings {
namespace {

// Never freed: objects that outlive this module may still be made of them.
PyTypeObject* tensor_type = nullptr;

PyObject* name(const char* text) {
  PyObject* const made = PyUnicode_InternFromString(text);
  if (made == nullptr) throw py::error_already_set();
  return made;
}

PyObject* value_name() {
  static PyObject* const made = name("_value");
  return made;
}

PyObject* shape_name() {
  static PyObject* const made = name("shape");
  return made;
}

}  // namespace

py::object tensor_of(const py::array& array) {
  if (tensor_type == nullptr) throw std::logic_error("tensors: their class is not known yet");
  py::object made = py::reinterpret_steal<py::object>(tensor_type->tp_alloc(tensor_type, 0));
  if (!made) throw py::error_already_set();
  py::tuple shape(array.ndim());
  for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) shape[static_cast<std::size_t>(axis)] = array.shape(axis);
  if (PyObject_SetAttr(made.ptr(), value_name(), array.ptr()) != 0 ||
      PyObject_SetAttr(made.ptr(), shape_name(), shape.ptr()) != 0) {
    throw py::error_already_set();
  }
  return made;
}

py::handle array_in(py::handle tensor) {
  if (Py_TYPE(tensor.ptr()) != tensor_type) return {};
  const py::object value = py::reinterpret_steal<py::object>(PyObject_GetAttr(tensor.ptr(), value_name()));
  if (!value) throw py::error_already_set();
  return py::isinstance<py::array>(value) ? py::handle(value) : py::handle();
}

void bind_tensors(py::module_& module) {
  module.def(
      "tensors_are",
      [](const py::type& type) {
        tensor_type = reinterpret_cast<PyTypeObject*>(type.ptr());
        type.inc_ref();
      },
      py::arg("type"));
}

}  // namespace laminar::bindings
