// SPDX-License-Identifier: Apache-2.0
// Kernels in the panel layout that the products read: W for the way forward and its transpose
// for the way back. Derived from the parameters; refreshed tile by tile as they are updated. Weights that are rounded
// for inference lie in panels of their own (quantized.hpp).
#pragma once

#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/execution/quantized.hpp"
#include "laminar/graph/network.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {

/// All kernels of a network in panels, beside its parameters.
template <typename T>
class PackedWeights {
 public:
  explicit PackedWeights(const Network& network, ProductPrecision precision = ProductPrecision::full);
  /// With the panels for the gradients of the network's input and before what is trained, which `base` lacks; all
  /// others are read there.
  PackedWeights(const Network& network, ProductPrecision precision, const PackedWeights& base);
  /// For inference, rounded weights in place of the panels for the way forward.
  PackedWeights(const Network& network, ProductPrecision precision, QuantizedWeights quantized);

  /// Packs everything anew.
  void refresh(const Network& network, const T* parameters);
  /// Packs all of one tensor.
  void refresh_tensor(const Network& network, std::size_t tensor, const T* parameters);
  /// Packs in_count x out_count of a tensor; in_begin and out_begin are multiples of a panel.
  void refresh_block(const Network& network, std::size_t tensor, const T* parameters, Index in_begin, Index in_count,
                     Index out_begin, Index out_count);

  /// Whether a tensor of the network's parameters is packed.
  bool holds(std::size_t tensor) const {
    return places_[tensor].forward >= 0 || (base_ != nullptr && base_->holds(tensor));
  }
  /// Null where there is compact() in its place.
  const T* forward(std::size_t tensor) const {
    const Index place = places_[tensor].forward;
    if (place >= 0) return buffer_.data() + place;
    return base_ != nullptr ? base_->forward(tensor) : nullptr;
  }
  const T* backward(std::size_t tensor) const {
    const Index place = places_[tensor].backward;
    return place < 0 && base_ != nullptr ? base_->backward(tensor) : buffer_.data() + place;
  }

  /// Null where weights are not rounded.
  const kernels::Compact* compact(std::size_t tensor) const { return quantized().compact(tensor); }
  const QuantizedWeights& quantized() const { return base_ != nullptr ? base_->quantized() : quantized_; }

  /// The kernels that read the panels.
  const kernels::Kernels<T>& kernels() const { return *kernels_; }

 private:
  /// Finds room for all that is to be packed.
  void place(const Network& network);

  struct Places {
    Index forward = -1;
    Index backward = -1;  // -1 where nobody asks for the gradient of the node's input
    bool empty() const { return forward < 0 && backward < 0; }
  };
  const kernels::Kernels<T>* kernels_;
  const PackedWeights* base_ = nullptr;
  QuantizedWeights quantized_;
  std::vector<Places> places_;  // by tensor
  AlignedBuffer<T> buffer_;
};

}  // namespace laminar
