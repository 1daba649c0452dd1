// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/packed.hpp"

#include <algorithm>

namespace laminar {

template <typename T>
PackedWeights<T>::PackedWeights(const Network& network, ProductPrecision precision)
    : kernels_(&kernels::kernels<T>(precision)) {
  const kernels::Kernels<T>& k = *kernels_;
  Index size = 0;
  bool trainable_before = false;
  for (const Node& node : network.nodes()) {
    Places places;
    if (!node.tensors.empty() && has_kernel(node.layer)) {
      const Shape& shape = network.parameters()[node.tensors[0]].shape;
      places.forward = size;
      size += round_up(k.packed_size(shape[0], shape[1]), kSlice);
      if (trainable_before) {
        places.backward = size;
        size += round_up(k.packed_size(shape[1], shape[0]), kSlice);
      }
    }
    trainable_before = trainable_before || network.trains(node);
    places_.push_back(places);
  }
  buffer_ = AlignedBuffer<T>(size);
}

template <typename T>
void PackedWeights<T>::refresh(const Network& network, const T* parameters) {
  for (int node = 0; node < static_cast<int>(places_.size()); ++node) {
    if (places_[static_cast<std::size_t>(node)].forward < 0) continue;
    const Node& n = network.nodes()[static_cast<std::size_t>(node)];
    const Shape& shape = network.parameters()[n.tensors[0]].shape;
    refresh_block(network, node, parameters, 0, shape[0], 0, shape[1]);
  }
}

template <typename T>
void PackedWeights<T>::refresh_block(const Network& network, int node, const T* parameters, Index in_begin,
                                     Index in_count, Index out_begin, Index out_count) {
  const kernels::Kernels<T>& k = *kernels_;
  const Places& places = places_[static_cast<std::size_t>(node)];
  const Tensor& kernel = network.parameters()[network.nodes()[static_cast<std::size_t>(node)].tensors[0]];
  const Index in = kernel.shape[0];
  const Index out = kernel.shape[1];
  const T* weights = parameters + kernel.offset;
  for (Index j = out_begin; j < out_begin + out_count; j += k.panel) {
    const Index count = std::min(k.panel, out_begin + out_count - j);
    k.pack(weights + in_begin * out + j, out, in_count, count,
           buffer_.data() + places.forward + j * k.elements(in) + k.elements(in_begin) * round_up(count, k.lanes));
  }
  if (places.backward < 0) return;
  for (Index i = in_begin; i < in_begin + in_count; i += k.panel) {
    const Index count = std::min(k.panel, in_begin + in_count - i);
    k.pack_transposed(
        weights + i * out + out_begin, out, count, out_count,
        buffer_.data() + places.backward + i * k.elements(out) + k.elements(out_begin) * round_up(count, k.lanes));
  }
}

template class PackedWeights<float>;
template class PackedWeights<double>;

}  // namespace laminar
