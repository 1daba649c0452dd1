// SPDX-License-Identifier: Apache-2.0
// train_on_batch for loops of one's own, which call it for few rows at a time.
#pragma once

#include "bindings.hpp"
#include "shared_model.hpp"

namespace laminar::bindings {

/// One update as train_on_batch makes it, of arrays that are ready; loss and metrics, the loss alone as a number. None
/// where they are not, where the step is long, or the model is being trained. `distributions`: rows of y shall sum
/// to 1.
template <typename T>
py::object train_ready(SharedModel<T>& shared, const py::handle& x, const py::handle& y, bool distributions);

}  // namespace laminar::bindings
