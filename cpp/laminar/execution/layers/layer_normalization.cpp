// SPDX-License-Identifier: Apache-2.0
// x^ = (x - mean) / sqrt(variance + epsilon), a = gamma x^ + beta; d_gamma = sum of d_a x^, d_beta =
// sum of d_a. Kept of each row: x^, then 1 / sqrt(variance + epsilon) of each group of the last axis.
#include "laminar/graph/layers/layer_normalization.hpp"

#include "laminar/execution/layers/column_tasks.hpp"

namespace laminar {
namespace {

template <typename T>
kernels::NormalizedRows<T> rows_of(const LayerNormalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const auto tensor = [&](std::size_t i) { return pass.parameters + pass.network.parameters()[n.tensors[i]].offset; };
  kernels::NormalizedRows<T> r;
  r.gamma = layer.scale ? tensor(0) : nullptr;
  r.beta = layer.center ? tensor(layer.scale ? 1 : 0) : nullptr;
  r.epsilon = static_cast<T>(layer.epsilon);
  if (pass.plan[node].kept >= 0) {
    r.normalized = pass.kept(node, rows.begin);
    r.inverse = r.normalized + n.width;
    r.kept_stride = pass.plan[node].kept_stride;
  }
  r.rows = rows.count();
  r.columns = n.shape.back();
  r.groups = n.width / r.columns;
  return r;
}

}  // namespace

template <typename T>
void forward(const LayerNormalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  kernels::NormalizedRows<T> r = rows_of(layer, node, pass, rows);
  r.in = pass.output(input, rows.begin);
  r.in_stride = pass.stride(input);
  r.out = pass.output_to_write(node, rows.begin);
  r.out_stride = pass.plan[node].stride;
  pass.kernels.normalize(r);
}

template <typename T>
void backward(const LayerNormalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  kernels::NormalizedRows<T> r = rows_of(layer, node, pass, rows);
  r.in = pass.delta(node, rows.begin);
  r.in_stride = pass.plan[node].stride;
  r.out = pass.back(node, 0, rows.begin);
  r.out_stride = pass.plan[input].stride;
  pass.kernels.normalize_gradient(r);
}

void gradient_tasks(const LayerNormalization& layer, int node, const Network& network, Index, Index,
                    std::vector<GradientTask>& tasks) {
  if (!layer.scale && !layer.center) return;
  column_tasks(node, network.nodes()[static_cast<std::size_t>(node)].shape.back(), tasks);
}

template <typename T>
void parameter_gradient(const LayerNormalization& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  const auto gradient = [&](std::size_t tensor, bool by_normalized) {
    take_group_products(task, pass, sink, tensor, [&](int node) {
      const Node& n = pass.node(node);
      kernels::GroupProducts<T> p;
      p.a = pass.delta(node, 0);
      p.a_stride = pass.plan[node].stride;
      p.rows = rows;
      p.group = n.shape.back();
      p.groups = n.width / p.group;
      if (by_normalized) {
        p.b = pass.kept(node, 0);
        p.b_stride = pass.plan[node].kept_stride;
      }
      return p;
    });
  };
  const auto& tensors = pass.node(task.node).tensors;
  if (layer.center) gradient(tensors[layer.scale ? 1 : 0], false);
  if (layer.scale) gradient(tensors[0], true);
}

template void forward(const LayerNormalization&, int, const Pass<float>&, Rows);
template void forward(const LayerNormalization&, int, const Pass<double>&, Rows);
template void backward(const LayerNormalization&, int, const Pass<float>&, Rows);
template void backward(const LayerNormalization&, int, const Pass<double>&, Rows);
template void parameter_gradient(const LayerNormalization&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const LayerNormalization&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
