// SPDX-License-Identifier: Apache-2.0
// Kernels in the panel layout that the products read: W for the way forward and its transpose
// for the way back. Derived from the parameters; refreshed tile by tile as they are updated.
#pragma once

#include <vector>

#include "laminar/base/buffer.hpp"
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

  /// Packs everything anew.
  void refresh(const Network& network, const T* parameters);
  /// Packs in_count x out_count of a node's kernel; in_begin and out_begin are multiples of a panel.
  void refresh_block(const Network& network, int node, const T* parameters, Index in_begin, Index in_count,
                     Index out_begin, Index out_count);

  /// Whether the node's kernel is packed.
  bool holds(int node) const { return places_[static_cast<std::size_t>(node)].forward >= 0; }
  const T* forward(int node) const {
    const Index place = places_[static_cast<std::size_t>(node)].forward;
    return place < 0 && base_ != nullptr ? base_->forward(node) : buffer_.data() + place;
  }
  const T* backward(int node) const {
    const Index place = places_[static_cast<std::size_t>(node)].backward;
    return place < 0 && base_ != nullptr ? base_->backward(node) : buffer_.data() + place;
  }

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
  std::vector<Places> places_;
  AlignedBuffer<T> buffer_;
};

}  // namespace laminar
