// SPDX-License-Identifier: Apache-2.0
// The step of a network so small that packing, tiles and calls would cost more than the arithmetic:
// dense layers only, on the calling thread, weights read where they lie, one flat update. It computes
// the same bits as the general step (kernels/small.hpp), so when it is used is a matter of speed.
#pragma once

#include <array>
#include <vector>

#include "laminar/objective.hpp"
#include "laminar/plan.hpp"
#include "laminar/state.hpp"

namespace laminar {

template <typename T>
class SmallNetwork {
 public:
  /// Whether batches of so many rows are faster this way, and the network is of the kind.
  static bool suits(const Network& network, const Objective& objective, Index rows);

  SmallNetwork(const Network& network, const Objective& objective, const Plan& plan);

  /// Outputs of all layers, in the plan's places of `memory`.
  void forward(const T* parameters, T* memory, Index rows);
  /// From the last delta to all gradients.
  void backward(const T* parameters, T* memory, Index rows);
  /// Gradients in the parameters' layout, zero in the padding.
  const AlignedBuffer<T>& gradients() const { return gradients_; }

 private:
  kernels::SmallStep<T> step(const T* parameters, T* memory, Index rows);

  std::vector<kernels::SmallLayer<T>> layers_;
  std::vector<std::array<T, kMaxParameters>> activation_parameters_;
  AlignedBuffer<T> gradients_;
  AlignedBuffer<T> scratch_;
};

}  // namespace laminar
