// SPDX-License-Identifier: Apache-2.0
// Dense layers one after the other, for predictions of one row: what each needs is looked up once, and the row
// passes them in one kernel. Networks of anything else go the general way, as do several rows.
#pragma once

#include <array>
#include <vector>

#include "laminar/execution/packed.hpp"
#include "laminar/execution/plan.hpp"

namespace laminar {

template <typename T>
class DenseChain {
 public:
  /// Of a network whose layers are planned so for inference.
  DenseChain(const Network& network, const Plan& plan);

  /// Whether these weights can be used so.
  bool suits(const PackedWeights<T>& packed) const {
    return !layers_.empty() && packed.kernels().depths == 1 && packed.quantized().quantization == Quantization::none;
  }
  void predict(const PackedWeights<T>& packed, const T* parameters, const T* x, T* out) const;

 private:
  static constexpr std::size_t kMostLayers = 8;
  static constexpr Index kWidest = 512;  // with more outputs the rest of a call is nothing beside the arithmetic

  struct Layer {
    std::size_t kernel;  // among the network's tensors
    Index bias;          // offset in the parameters; -1: none
    kernels::DenseRow<T> row;
    std::array<T, kMaxParameters> activation_parameters;
  };
  std::vector<Layer> layers_;  // none: the network is something else
};

}  // namespace laminar
