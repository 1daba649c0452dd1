// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/dense_chain.hpp"

#include <algorithm>

namespace laminar {

template <typename T>
DenseChain<T>::DenseChain(const Network& network, const Plan& plan) {
  const ParameterLayout& layout = network.parameters();
  std::vector<Layer> layers;
  int before = 0;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    if (plan[i].holder != i) continue;
    const Node& node = network.nodes()[static_cast<std::size_t>(i)];
    const auto* dense = std::get_if<Dense>(&node.layer);
    if (dense == nullptr || plan[node.inputs[0]].holder != before || node.width > kWidest) return;
    Layer layer;
    layer.kernel = node.tensors[0];
    layer.bias = dense->use_bias ? layout[node.tensors[1]].offset : -1;
    layer.row.depth = layout[layer.kernel].shape[0];
    layer.row.columns = layout[layer.kernel].shape[1];
    layer.row.activation = dense->activation.kernel();
    layer.row.linear = dense->activation.is_linear();
    layer.activation_parameters = dense->activation.template values_as<T>();
    // A layer over the last of several dimensions has a kernel of another shape than the node.
    if (layer.row.columns != node.width || layers.size() == kMostLayers) return;
    layers.push_back(layer);
    before = i;
  }
  if (plan[static_cast<int>(network.nodes().size()) - 1].holder == before) layers_ = std::move(layers);
}

template <typename T>
void DenseChain<T>::predict(const PackedWeights<T>& packed, const T* parameters, const T* x, T* out) const {
  alignas(64) T outputs[2][kWidest];
  std::array<kernels::DenseRow<T>, kMostLayers> rows;
  std::size_t count = 0;
  for (const Layer& layer : layers_) {
    kernels::DenseRow<T>& row = rows[count];
    row = layer.row;
    row.kernel = packed.forward(layer.kernel);
    row.bias = layer.bias < 0 ? nullptr : parameters + layer.bias;
    row.out = outputs[count % 2];
    row.activation_parameters = layer.activation_parameters.data();
    ++count;
  }
  packed.kernels().dense_row(rows.data(), static_cast<Index>(count), x);
  std::copy_n(rows[count - 1].out, rows[count - 1].columns, out);
}

template class DenseChain<float>;
template class DenseChain<double>;

}  // namespace laminar
