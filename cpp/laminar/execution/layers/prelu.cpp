// SPDX-License-Identifier: Apache-2.0
// a = x if x >= 0 else alpha x; d_x = d_a if x >= 0 else alpha d_a; d_alpha = sum of d_a min(x, 0).
#include "laminar/graph/layers/prelu.hpp"

#include "laminar/execution/layers/column_tasks.hpp"

namespace laminar {
namespace {

template <typename T>
kernels::ColumnRows<T> rows_of(int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  kernels::ColumnRows<T> r;
  r.first = pass.parameters + pass.network.parameters()[n.tensors[0]].offset;
  r.rows = rows.count();
  r.columns = n.width;
  return r;
}

}  // namespace

template <typename T>
void forward(const Prelu&, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  kernels::ColumnRows<T> r = rows_of(node, pass, rows);
  r.in = pass.output(input, rows.begin);
  r.in_stride = pass.stride(input);
  r.out = pass.output_to_write(node, rows.begin);
  r.out_stride = pass.plan[node].stride;
  pass.kernels.prelu(r);
}

template <typename T>
void backward(const Prelu&, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  kernels::ColumnRows<T> r = rows_of(node, pass, rows);
  r.in = pass.delta(node, rows.begin);
  r.in_stride = pass.plan[node].stride;
  r.out = pass.back(node, 0, rows.begin);
  r.out_stride = pass.plan[input].stride;
  r.values = pass.output(input, rows.begin);
  r.values_stride = pass.stride(input);
  pass.kernels.prelu_gradient(r);
}

void gradient_tasks(const Prelu&, int node, const Network& network, Index, Index, std::vector<GradientTask>& tasks) {
  column_tasks(node, network.nodes()[static_cast<std::size_t>(node)].width, tasks);
}

template <typename T>
void parameter_gradient(const Prelu&, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  take_group_products(task, pass, sink, pass.node(task.node).tensors[0], [&](int node) {
    const int input = pass.node(node).inputs[0];
    kernels::GroupProducts<T> p;
    p.a = pass.delta(node, 0);
    p.a_stride = pass.plan[node].stride;
    p.b = pass.output(input, 0);
    p.b_stride = pass.stride(input);
    p.negative_part = true;
    p.rows = rows;
    return p;
  });
}

template void forward(const Prelu&, int, const Pass<float>&, Rows);
template void forward(const Prelu&, int, const Pass<double>&, Rows);
template void backward(const Prelu&, int, const Pass<float>&, Rows);
template void backward(const Prelu&, int, const Pass<double>&, Rows);
template void parameter_gradient(const Prelu&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const Prelu&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
