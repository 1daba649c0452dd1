// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/packed.hpp"

#include <algorithm>
#include <utility>

#include "laminar/operations/forms.hpp"

namespace laminar {
namespace {

/// Somebody asks for the gradient of the node's input.
bool gives_gradient(const Network& network, int node) {
  return network.depends_on_training(network.nodes()[static_cast<std::size_t>(node)].inputs.front());
}

}  // namespace

template <typename T>
PackedWeights<T>::PackedWeights(const Network& network, ProductPrecision precision)
    : kernels_(&kernels::kernels<T>(precision)) {
  place(network);
}

template <typename T>
PackedWeights<T>::PackedWeights(const Network& network, ProductPrecision precision, const PackedWeights& base)
    : kernels_(&kernels::kernels<T>(precision)), base_(&base) {
  place(network);
}

template <typename T>
PackedWeights<T>::PackedWeights(const Network& network, ProductPrecision precision, QuantizedWeights quantized)
    : kernels_(&kernels::kernels<T>(precision)), quantized_(std::move(quantized)) {
  place(network);
}

template <typename T>
void PackedWeights<T>::place(const Network& network) {
  const kernels::Kernels<T>& k = *kernels_;
  Index size = 0;
  const auto room = [&](Index in, Index out) {
    return std::exchange(size, size + round_up(k.packed_size(in, out), kSlice));
  };
  places_.resize(network.parameters().tensors().size());
  for (int i = 0; i < static_cast<int>(network.nodes().size()); ++i) {
    const Node& node = network.nodes()[static_cast<std::size_t>(i)];
    if (node.first_call != i || node.tensors.empty()) continue;
    if (has_kernel(node.layer)) {
      Places& places = places_[node.tensors[0]];
      const Shape& shape = network.parameters()[node.tensors[0]].shape;
      const auto& calls = network.calls_of(i);
      const bool rounded = compact(node.tensors[0]) != nullptr;  // and not trained
      const bool gives =
          !rounded && std::any_of(calls.begin(), calls.end(), [&](int call) { return gives_gradient(network, call); });
      if (base_ == nullptr && !rounded) places.forward = room(shape[0], shape[1]);
      if (gives == (base_ == nullptr)) places.backward = room(shape[1], shape[0]);
    }
    if (node.forms == nullptr || base_ != nullptr || k.depths > 1) continue;
    for (const std::size_t weight : node.forms->factors()) {
      const Shape& shape = network.parameters()[node.tensors[weight]].shape;
      const bool rounded = compact(node.tensors[weight]) != nullptr;
      places_[node.tensors[weight]] = {rounded ? -1 : room(shape[0], shape[1]), room(shape[1], shape[0])};
    }
  }
  buffer_ = AlignedBuffer<T>(size);
}

template <typename T>
void PackedWeights<T>::refresh(const Network& network, const T* parameters) {
  for (std::size_t tensor = 0; tensor < places_.size(); ++tensor) {
    if (!places_[tensor].empty()) refresh_tensor(network, tensor, parameters);
  }
}

template <typename T>
void PackedWeights<T>::refresh_tensor(const Network& network, std::size_t tensor, const T* parameters) {
  const Shape& shape = network.parameters()[tensor].shape;
  refresh_block(network, tensor, parameters, 0, shape[0], 0, shape[1]);
}

template <typename T>
void PackedWeights<T>::refresh_block(const Network& network, std::size_t tensor, const T* parameters, Index in_begin,
                                     Index in_count, Index out_begin, Index out_count) {
  const kernels::Kernels<T>& k = *kernels_;
  const Places& places = places_[tensor];
  const Tensor& kernel = network.parameters()[tensor];
  const Index in = kernel.shape[0];
  const Index out = kernel.shape[1];
  const T* weights = parameters + kernel.offset;
  for (Index j = out_begin; places.forward >= 0 && j < out_begin + out_count; j += k.panel) {
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
