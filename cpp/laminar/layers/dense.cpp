// SPDX-License-Identifier: Apache-2.0
// Z = X W + b, A = f(Z); d_X = d_Z W^T; d_W = X^T d_Z, d_b = column sums of d_Z.
#include "laminar/layers/dense.hpp"

#include <algorithm>

#include "laminar/layers/work.hpp"

namespace laminar {
namespace {

constexpr Index kLargestPanel = 32;

template <typename T>
kernels::ActivationRows<T> whole_rows(const Activation& activation, const T* parameters, Index width) {
  kernels::ActivationRows<T> rows;
  rows.activation = activation.index();
  rows.parameters = parameters;
  rows.columns = width;
  return rows;
}

}  // namespace

template <typename T>
void forward(const Dense& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Tensor& kernel = pass.network.parameters()[n.tensors[0]];
  const int input = n.inputs[0];
  const Activation& activation = layer.activation;
  const bool identity = activation.is_linear() || pass.on_logits(node);
  const bool keep = pass.plan[node].kept >= 0;
  const auto values = activation.values_as<T>();

  kernels::Product<T> p;
  p.left = pass.output(input, rows.begin);
  p.left_stride = pass.stride(input);
  p.right = pass.packed.forward(node);
  p.bias = layer.use_bias ? pass.parameters + pass.network.parameters()[n.tensors[1]].offset : nullptr;
  p.out = keep ? pass.kept(node, rows.begin) : pass.output_to_write(node, rows.begin);
  p.out_stride = pass.plan[node].stride;
  p.rows = rows.count();
  p.depth = kernel.shape[0];
  p.columns = kernel.shape[1];
  p.activation = activation.index();
  p.activation_parameters = values.data();
  const bool on_tile = !identity && !keep && !activation.row_wise();
  p.epilogue = on_tile ? kernels::Epilogue::activate : kernels::Epilogue::none;
  pass.kernels.product(p);
  if (on_tile || (identity && !keep)) return;

  auto a = whole_rows<T>(identity ? Activation("linear") : activation, values.data(), n.width);
  a.in = p.out;
  a.in_stride = p.out_stride;
  a.out = pass.output_to_write(node, rows.begin);
  a.out_stride = p.out_stride;
  a.rows = rows.count();
  pass.kernels.activate(a);
}

template <typename T>
void backward(const Dense& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const NodeSpace& space = pass.plan[node];
  if (!layer.activation.is_linear() && !pass.on_logits(node) && !space.slope_by_consumer) {
    const auto values = layer.activation.values_as<T>();
    auto a = whole_rows<T>(layer.activation, values.data(), n.width);
    a.in = layer.activation.keeps_input() ? pass.kept(node, rows.begin) : pass.output(node, rows.begin);
    a.in_stride = space.stride;
    a.out = pass.delta(node, rows.begin);
    a.out_stride = space.stride;
    a.rows = rows.count();
    pass.kernels.activation_gradient(a);
  }
  const int input = n.inputs[0];
  if (input == 0 || !pass.wants_delta(input)) return;

  const NodeSpace& before = pass.plan[input];
  kernels::Product<T> p;
  p.left = pass.delta(node, rows.begin);
  p.left_stride = space.stride;
  p.right = pass.packed.backward(node);
  p.out = pass.delta(input, rows.begin);
  p.out_stride = before.stride;
  p.rows = rows.count();
  p.depth = n.width;
  p.columns = pass.node(input).width;
  std::array<T, kMaxParameters> values;
  if (before.slope_by_consumer) {
    const Activation& activation = *activation_of(pass.node(input).layer);
    values = activation.values_as<T>();
    p.epilogue = kernels::Epilogue::slope;
    p.activation = activation.index();
    p.activation_parameters = values.data();
    p.values = before.kept >= 0 ? pass.kept(input, rows.begin) : pass.output(input, rows.begin);
    p.values_stride = before.stride;
  }
  pass.kernels.product(p);
}

void gradient_tasks(const Dense&, int node, const Network& network, Index panel, std::vector<GradientTask>& tasks) {
  const Shape& shape = network.parameters()[network.nodes()[static_cast<std::size_t>(node)].tensors[0]].shape;
  for (Index j = 0; j < shape[1]; j += panel) {
    for (Index i = 0; i < shape[0]; i += panel) {
      tasks.push_back({node, i, std::min(panel, shape[0] - i), j, std::min(panel, shape[1] - j)});
    }
  }
}

template <typename T>
void parameter_gradient(const Dense& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  const Node& n = pass.node(task.node);
  const Tensor& kernel = pass.network.parameters()[n.tensors[0]];
  const int input = n.inputs[0];
  alignas(kAlignment) T block[kLargestPanel * kLargestPanel];

  kernels::WeightGradient<T> g;
  g.left = pass.output(input, 0) + task.in_begin;
  g.left_stride = pass.stride(input);
  g.delta = pass.delta(task.node, 0) + task.out_begin;
  g.delta_stride = pass.plan[task.node].stride;
  g.rows = rows;
  g.in_count = task.in_count;
  g.out_count = task.out_count;
  g.out = block;
  g.out_stride = pass.kernels.panel;
  pass.kernels.weight_gradient(g);
  sink.take(kernel.offset + task.in_begin * n.width + task.out_begin, n.width, block, g.out_stride, task.in_count,
            task.out_count);
  if (sink.packed != nullptr) {
    sink.packed->refresh_block(pass.network, task.node, sink.parameters, task.in_begin, task.in_count, task.out_begin,
                               task.out_count);
  }
  if (layer.use_bias && task.in_begin == 0) {
    pass.kernels.column_sums(g.delta, g.delta_stride, rows, task.out_count, block);
    sink.take(pass.network.parameters()[n.tensors[1]].offset + task.out_begin, n.width, block, g.out_stride, 1,
              task.out_count);
  }
}

template void forward(const Dense&, int, const Pass<float>&, Rows);
template void forward(const Dense&, int, const Pass<double>&, Rows);
template void backward(const Dense&, int, const Pass<float>&, Rows);
template void backward(const Dense&, int, const Pass<double>&, Rows);
template void parameter_gradient(const Dense&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const Dense&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
