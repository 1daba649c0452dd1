// SPDX-License-Identifier: Apache-2.0
// Z = X W + b, A = f(Z); d_X = d_Z W^T; d_W = X^T d_Z, d_b = column sums of d_Z.
#include "laminar/layers/dense.hpp"

#include <algorithm>

#include "laminar/layers/work.hpp"

namespace laminar {
namespace {

// A piece of phase B: rows of W whose inputs, a copy of them, stay in the second-level cache beside
// a panel of the gradient, and columns enough that the optimizer goes along whole pages.
constexpr Index kTaskElements = 65536;  // of the inputs: rows of the batch x rows of W
constexpr Index kTaskOutputs = 512;
constexpr Index kLargestInPlace = 16384;  // elements of a batch of inputs that are not copied

/// This thread's memory for a piece: grows to the largest seen, then stays.
template <typename T>
T* scratch(Index size) {
  thread_local AlignedBuffer<T> buffer;
  if (buffer.size() < size) buffer = AlignedBuffer<T>(size);
  return buffer.data();
}

template <typename T>
kernels::ActivationRows<T> whole_rows(const Activation& activation, const T* parameters, Index width) {
  kernels::ActivationRows<T> rows;
  rows.activation = activation.kernel();
  rows.parameters = parameters;
  rows.columns = width;
  return rows;
}

}  // namespace

void declare(const Dense& dense, Declaration& declaration) {
  if (dense.units <= 0) declaration.refuse("units must be positive, got ", dense.units);
  const Index features = declaration.features();
  declaration.output({dense.units});
  declaration.tensor("kernel", {features, dense.units}, dense.kernel_initializer, dense.kernel_regularizer,
                     dense.kernel_constraint);
  if (dense.use_bias) {
    declaration.tensor("bias", {dense.units}, dense.bias_initializer, dense.bias_regularizer, dense.bias_constraint);
  }
  declaration.activity(dense.activity_regularizer);
  if (dense.activation.keeps_input()) declaration.keep(dense.units);
}

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
  p.activation = activation.kernel();
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
  if (space.delta_panels >= 0) {
    pass.kernels.to_panels(pass.delta(node, rows.begin), space.stride, rows.begin, rows.count(), n.width,
                           pass.delta_panel(node, 0), pass.plan.rows());
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
    p.activation = activation.kernel();
    p.activation_parameters = values.data();
    p.values = before.kept >= 0 ? pass.kept(input, rows.begin) : pass.output(input, rows.begin);
    p.values_stride = before.stride;
  }
  pass.kernels.product(p);
}

void gradient_tasks(const Dense&, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks) {
  const Shape& shape = network.parameters()[network.nodes()[static_cast<std::size_t>(node)].tensors[0]].shape;
  const Index panels = (shape[0] + panel - 1) / panel;
  const Index most = std::max<Index>(1, std::min<Index>(kTaskElements / std::max<Index>(rows, 1), 128) / panel);
  const Index pieces = (panels + most - 1) / most;
  for (Index p = 0; p < pieces; ++p) {
    const Index begin = panels * p / pieces * panel;
    const Index end = std::min(panels * (p + 1) / pieces * panel, shape[0]);
    for (Index j = 0; j < shape[1]; j += kTaskOutputs) {
      tasks.push_back({node, begin, end - begin, j, std::min(kTaskOutputs, shape[1] - j)});
    }
  }
}

template <typename T>
void parameter_gradient(const Dense& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  const Node& n = pass.node(task.node);
  const Tensor& kernel = pass.network.parameters()[n.tensors[0]];
  const kernels::Kernels<T>& k = pass.kernels;
  const int input = n.inputs[0];
  const Index block_stride = padded_stride(task.out_count);
  const Index left_stride = padded_stride(task.in_count);
  T* block = scratch<T>(task.in_count * block_stride + pass.plan.rows() * left_stride);

  kernels::WeightGradient<T> g;
  g.left = pass.output(input, 0) + task.in_begin;
  g.left_stride = pass.stride(input);
  if (rows * g.left_stride > kLargestInPlace && task.out_count > k.panel) {
    T* copy = block + task.in_count * block_stride;
    for (Index i = 0; i < rows; ++i) {
      k.gather(g.left + i * g.left_stride, task.in_count, nullptr, 1, copy + i * left_stride, left_stride);
    }
    g.left = copy;
    g.left_stride = left_stride;
  }
  g.rows = rows;
  g.in_count = task.in_count;
  g.out_stride = block_stride;
  const bool with_bias = layer.use_bias && task.in_begin == 0;
  alignas(kAlignment) T sums[kTaskOutputs];
  for (Index j = 0; j < task.out_count; j += k.panel) {
    g.delta = pass.delta_panel(task.node, task.out_begin + j);
    g.delta_stride = pass.panel_stride(task.node, task.out_begin + j);
    g.out_count = std::min(k.panel, task.out_count - j);
    g.out = block + j;
    const bool more = pass.plan[task.node].delta_panels >= 0 && j + k.panel < task.out_count;
    g.next = more ? pass.delta_panel(task.node, task.out_begin + j + k.panel) : nullptr;
    k.weight_gradient(g);
    if (with_bias) k.column_sums(g.delta, g.delta_stride, rows, g.out_count, sums + j);
  }
  sink.take(kernel.offset + task.in_begin * n.width + task.out_begin, n.width, block, block_stride, task.in_count,
            task.out_count);
  if (sink.packed != nullptr) {
    sink.packed->refresh_block(pass.network, task.node, sink.parameters, task.in_begin, task.in_count, task.out_begin,
                               task.out_count);
  }
  if (with_bias) {
    sink.take(pass.network.parameters()[n.tensors[1]].offset + task.out_begin, n.width, sums, kTaskOutputs, 1,
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
