// SPDX-License-Identifier: Apache-2.0
// Z = X W + b, A = f(Z); d_X = d_Z W^T; d_W = X^T d_Z, d_b = column sums of d_Z.
#include "laminar/graph/layers/dense.hpp"

#include "laminar/execution/layers/kernel_gradient.hpp"

namespace laminar {
namespace {

template <typename T>
kernels::ActivationRows<T> whole_rows(const Activation& activation, const T* parameters, Index width) {
  kernels::ActivationRows<T> rows;
  rows.activation = activation.kernel();
  rows.parameters = parameters;
  rows.columns = width;
  return rows;
}

/// d_Z over all rows of the workspace, as the way back leaves it.
template <typename T>
Deltas<T> deltas_of(const Pass<T>& pass, int node) {
  return {pass.delta(node, 0), pass.plan[node].stride, pass.node(node).width};
}

}  // namespace

template <typename T>
void forward(const Dense& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Activation& activation = layer.activation;
  const bool identity = activation.is_linear() || pass.on_logits(node);
  const bool keep = pass.plan[node].kept >= 0;
  const auto values = activation.values_as<T>();

  T* const z = keep ? pass.kept(node, rows.begin) : pass.output_to_write(node, rows.begin);
  kernels::Product<T> p = product_forward(node, pass, rows, layer.use_bias, z, pass.plan[node].stride);
  p.activation = activation.kernel();
  p.activation_parameters = values.data();
  const bool on_tile = !identity && !keep && !activation.row_wise();
  if (on_tile) p.epilogue = pass.kernels.activate;
  pass.kernels.any_product(p);
  if (on_tile || (identity && !keep)) return;

  static const Activation linear("linear");
  auto a = whole_rows<T>(identity ? linear : activation, values.data(), n.width);
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
  const Deltas<T> deltas = deltas_of(pass, node);
  leave_in_panels(pass, node, deltas, rows);
  const int input = n.inputs[0];
  if (!pass.wants_delta(input)) return;

  const NodeSpace& before = pass.plan[input];
  kernels::Product<T> p = product_backward(node, pass, rows, deltas);
  std::array<T, kMaxParameters> values;
  if (before.slope_by_consumer) {
    const Activation& activation = *activation_of(pass.node(input).layer);
    values = activation.values_as<T>();
    p.epilogue = pass.kernels.activation_gradient;
    p.activation = activation.kernel();
    p.activation_parameters = values.data();
    p.values = before.kept >= 0 ? pass.kept(input, rows.begin) : pass.output(input, rows.begin);
    p.values_stride = before.stride;
  }
  pass.kernels.product(p);
}

void gradient_tasks(const Dense&, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks) {
  kernel_tasks(node, network, panel, rows, tasks);
}

template <typename T>
void parameter_gradient(const Dense& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  kernel_gradient(layer.use_bias, task, pass, rows, sink, [&](int node) { return deltas_of(pass, node); });
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
