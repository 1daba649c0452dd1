// SPDX-License-Identifier: Apache-2.0
#include "laminar/small.hpp"

#include <algorithm>

namespace laminar {
namespace {

// Multiply-adds a step beyond which tiles and packed weights are taken.
constexpr Index kLargestStep = 16384;

}  // namespace

template <typename T>
bool SmallNetwork<T>::suits(const Network& network, const Objective& objective, Index rows) {
  if (network.parameters().count() * rows > kLargestStep || rows > kBlockRows) return false;
  for (std::size_t i = 1; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    if (!std::holds_alternative<Dense>(node.layer)) return false;
    const Activation& activation = std::get<Dense>(node.layer).activation;
    const bool absorbed = objective.absorbs_last && i + 1 == network.nodes().size();
    if (!absorbed && (activation.row_wise() || activation.keeps_input())) return false;
  }
  return true;
}

template <typename T>
SmallNetwork<T>::SmallNetwork(const Network& network, const Objective& objective, const Plan& plan)
    : activation_parameters_(network.nodes().size()), gradients_(network.parameters().size()) {
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  Index largest = 0;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    const Node& node = network.nodes()[static_cast<std::size_t>(i)];
    const Dense& dense = std::get<Dense>(node.layer);
    const Tensor& kernel = network.parameters()[node.tensors[0]];
    const bool absorbed = objective.absorbs_last && i + 1 == static_cast<int>(network.nodes().size());
    auto& values = activation_parameters_[static_cast<std::size_t>(i)];
    values = dense.activation.values_as<T>();
    kernels::SmallLayer<T> layer;
    layer.in = kernel.shape[0];
    layer.out = kernel.shape[1];
    layer.kernel = kernel.offset;
    layer.bias = dense.use_bias ? network.parameters()[node.tensors[1]].offset : -1;
    layer.input = plan[node.inputs[0]].output;
    layer.input_stride = plan[node.inputs[0]].stride;
    layer.output = plan[i].output;
    layer.delta = plan[i].delta;
    layer.stride = plan[i].stride;
    layer.activate = !absorbed && !dense.activation.is_linear();
    layer.activation = dense.activation.index();
    layer.parameters = values.data();
    layers_.push_back(layer);
    largest = std::max(largest, k.packed_size(layer.out, layer.in));
  }
  scratch_ = AlignedBuffer<T>(largest);
}

template <typename T>
kernels::SmallStep<T> SmallNetwork<T>::step(const T* parameters, T* memory, Index rows) {
  return {layers_.data(), static_cast<int>(layers_.size()), rows, parameters, memory, gradients_.data(),
          scratch_.data()};
}

template <typename T>
void SmallNetwork<T>::forward(const T* parameters, T* memory, Index rows) {
  kernels::kernels<T>().small_forward(step(parameters, memory, rows));
}

template <typename T>
void SmallNetwork<T>::backward(const T* parameters, T* memory, Index rows) {
  kernels::kernels<T>().small_backward(step(parameters, memory, rows));
}

template class SmallNetwork<float>;
template class SmallNetwork<double>;

}  // namespace laminar
