// SPDX-License-Identifier: Apache-2.0
// Loss and gradients of a data set, for whoever moves the weights in a way of his own: Model::loss_and_gradients
// and L-BFGS. Sums as a step does, by either of its two ways, to the same bits.
#pragma once

#include <memory>

#include "laminar/training/batch_gradients.hpp"
#include "laminar/training/small.hpp"

namespace laminar {

/// Memory for it, kept from call to call. The State is read only, so each thread may have one of its own.
template <typename T>
class LossGradients {
 public:
  explicit LossGradients(const State<T>& state) : state_(state), general_(state) {}

  /// Loss of all rows as one batch, divided by their number or with `by_weight` by their weights, and its gradient
  /// in the parameters' layout.
  double compute(const Dataset<T>& data, std::span<T> gradients, bool by_weight);

 private:
  void by_general_step(const BatchRows<T>& batch, std::span<T> gradients, Index iteration, Outcome& outcome);

  const State<T>& state_;
  BatchGradients<T> general_;
  std::unique_ptr<SmallNetwork<T>> small_;
};

}  // namespace laminar
