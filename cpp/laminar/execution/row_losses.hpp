// SPDX-License-Identifier: Apache-2.0
// Losses of arrays, without a network: what a user calls a loss on.
#pragma once

#include <span>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/loss.hpp"

namespace laminar {

/// out = the losses of the rows of `outputs`, times `weights` where they are given. For a loss of the
/// whole batch those are what its mean is taken of. `gradients`, where given, become those of each row's.
/// Throws where targets do not fit.
template <typename T>
void row_losses(const Loss& loss, MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights,
                std::span<T> out, MatrixView<T> gradients = {});

/// What the loss's reduction leaves of row_losses(): Keras's sum over the number of rows, without those
/// of the ignored class; with "mean_with_sample_weight" over the sum of their weights.
template <typename T>
double reduced(const Loss& loss, std::span<const T> losses, const Targets<T>& targets, std::span<const T> weights);

/// What the reduction leaves, 0 where it is "none", and d_outputs (rows, columns) = its gradient: that of each row's
/// loss where it is "none". `losses` become those of the rows.
template <typename T>
double loss_and_gradient(const Loss& loss, MatrixView<const T> outputs, const Targets<T>& targets,
                         std::span<const T> weights, std::span<T> losses, MatrixView<T> d_outputs);

}  // namespace laminar
