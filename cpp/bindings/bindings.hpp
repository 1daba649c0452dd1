// SPDX-License-Identifier: Apache-2.0
// The include that all bindings share: one place decides what pybind11 converts by itself.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

namespace laminar::bindings {

namespace py = pybind11;

void bind_runtime(py::module_& module);
void bind_families(py::module_& module);
void bind_initializer(py::module_& module);
void bind_regularizer(py::module_& module);
void bind_constraint(py::module_& module);
void bind_activation(py::module_& module);
void bind_loss(py::module_& module);
void bind_metric(py::module_& module);
void bind_model(py::module_& module);
void bind_data(py::module_& module);
void bind_file(py::module_& module);
void bind_optimizer(py::module_& module);
void bind_schedule(py::module_& module);
void bind_perceptron(py::module_& module);
void bind_table(py::module_& module);
void bind_program(py::module_& module);
void bind_tensors(py::module_& module);
void bind_call(py::module_& module);
void bind_tape(py::module_& module);

}  // namespace laminar::bindings
