// SPDX-License-Identifier: Apache-2.0
// The tensors of laminar.ops, which are objects of Python's: an array, and its shape beside it. A step of a loop makes
// a dozen of them, so they are made here where arrays are.
#pragma once

#include "bindings.hpp"

namespace laminar::bindings {

/// A tensor of an array that nobody writes to.
py::object tensor_of(const py::array& array);
/// The array of a tensor, null where it is something else; borrowed from the tensor.
py::handle array_in(py::handle tensor);

}  // namespace laminar::bindings
