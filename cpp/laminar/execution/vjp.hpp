// SPDX-License-Identifier: Apache-2.0
// The way back through a network from gradients that the caller gives: a vector times the Jacobian of the
// outputs by the weights and by the inputs; and the outputs that belong to it, where layers do as in training.
// Internal: Model::backward and Model::outputs_in_training are its public face.
#pragma once

#include <span>

#include "laminar/execution/state.hpp"

namespace laminar {

/// d_parameters, in the layout of the parameters, and d_x become the gradients of sum d_out * outputs. Either
/// may be empty where nobody asks for it. With `training` layers draw and look at all rows as in the update
/// that comes next, or in the one of number `step` if that is not negative, else they do as in prediction. Changes
/// nothing: any number of threads may run one model.
template <typename T>
void backward(const State<T>& state, MatrixView<const T> x, MatrixView<const T> d_out, std::span<T> d_parameters,
              MatrixView<T> d_x, bool training, Index step = -1);

/// out = the outputs whose gradients backward() computes with `training` and the same step. `statistics`: the
/// parameters, where running statistics are to follow the batch's as in an update; else null.
template <typename T>
void outputs_in_training(const State<T>& state, MatrixView<const T> x, MatrixView<T> out, Index step,
                         T* statistics = nullptr);

}  // namespace laminar
