// SPDX-License-Identifier: Apache-2.0
#include "laminar/packed.hpp"

#include <algorithm>

namespace laminar {

template <typename T>
PackedWeights<T>::PackedWeights(const Network& network) {
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  Index size = 0;
  bool trainable_before = false;
  for (const Node& node : network.nodes()) {
    Places places;
    if (!node.tensors.empty() && std::holds_alternative<Dense>(node.layer)) {
      const Shape& shape = network.parameters()[node.tensors[0]].shape;
      places.forward = size;
      size += round_up(k.packed_size(shape[0], shape[1]), kSlice);
      if (trainable_before) {
        places.backward = size;
        size += round_up(k.packed_size(shape[1], shape[0]), kSlice);
      }
    }
    trainable_before = trainable_before || !node.tensors.empty();
    places_.push_back(places);
  }
  buffer_ = AlignedBuffer<T>(size);
}

template <typename T>
void PackedWeights<T>::refresh(const Network& network, const T* parameters) {
  const Index panel = kernels::kernels<T>().panel;
  for (int node = 0; node < static_cast<int>(places_.size()); ++node) {
    if (places_[static_cast<std::size_t>(node)].forward < 0) continue;
    const Node& n = network.nodes()[static_cast<std::size_t>(node)];
    const Shape& shape = network.parameters()[n.tensors[0]].shape;
    for (Index i = 0; i < shape[0]; i += panel) {
      for (Index j = 0; j < shape[1]; j += panel) {
        refresh_block(network, node, parameters, i, std::min(panel, shape[0] - i), j, std::min(panel, shape[1] - j));
      }
    }
  }
}

template <typename T>
void PackedWeights<T>::refresh_block(const Network& network, int node, const T* parameters, Index in_begin,
                                     Index in_count, Index out_begin, Index out_count) {
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  const Places& places = places_[static_cast<std::size_t>(node)];
  const Tensor& kernel = network.parameters()[network.nodes()[static_cast<std::size_t>(node)].tensors[0]];
  const Index in = kernel.shape[0];
  const Index out = kernel.shape[1];
  const T* block = parameters + kernel.offset + in_begin * out + out_begin;
  const auto panel_width = [&](Index count) { return round_up(count, k.lanes); };
  k.pack(block, out, in_count, out_count,
         buffer_.data() + places.forward + out_begin * in + in_begin * panel_width(out_count));
  if (places.backward >= 0) {
    k.pack_transposed(block, out, in_count, out_count,
                      buffer_.data() + places.backward + in_begin * out + out_begin * panel_width(in_count));
  }
}

template class PackedWeights<float>;
template class PackedWeights<double>;

}  // namespace laminar
