// SPDX-License-Identifier: Apache-2.0
// Table of contents of laminar._core.
#include "bindings.hpp"
#include "interpreter.hpp"

#include "laminar/base/error.hpp"

PYBIND11_MODULE(_core, module) {
  using namespace laminar::bindings;
  module.doc() = "The compiled core of laminar. Use the package laminar; this interface may change.";
  pybind11::register_exception_translator([](std::exception_ptr error) {
    try {
      if (error) std::rethrow_exception(error);
    } catch (const laminar::NonFiniteError& e) {
      PyErr_SetString(PyExc_FloatingPointError, e.what());
    }
  });
  bind_exit();
  bind_runtime(module);
  bind_families(module);
  bind_initializer(module);
  bind_regularizer(module);
  bind_constraint(module);
  bind_activation(module);
  bind_loss(module);
  bind_metric(module);
  bind_model(module);
  bind_data(module);
  bind_file(module);
  bind_optimizer(module);
  bind_schedule(module);
  bind_perceptron(module);
  bind_table(module);
  bind_program(module);
  bind_tensors(module);
  bind_call(module);
  bind_tape(module);
}
