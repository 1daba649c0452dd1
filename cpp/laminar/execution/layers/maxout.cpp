// SPDX-License-Identifier: Apache-2.0
// z = x W + b, a_u = max_j z_ju; d_z_ju = d_a_u where z_ju is the largest, the last of equal ones:
// with w_1 = 0 that is relu's slope at 0. Training keeps z, which the way back turns into d_z.
#include "laminar/graph/layers/maxout.hpp"

#include "laminar/execution/layers/kernel_gradient.hpp"

namespace laminar {
namespace {

template <typename T>
kernels::PieceRows<T> pieces_of(const Maxout& layer, int node, const Pass<T>& pass, Rows rows) {
  kernels::PieceRows<T> r;
  r.z_stride = padded_stride(layer.units * layer.pieces);
  r.z =
      pass.plan[node].kept >= 0 ? pass.kept(node, rows.begin) : scratch<T>(Scratch::pieces, rows.count() * r.z_stride);
  r.out = pass.output_to_write(node, rows.begin);
  r.out_stride = pass.plan[node].stride;
  r.rows = rows.count();
  r.units = layer.units;
  r.pieces = layer.pieces;
  return r;
}

/// d_Z over all rows of the workspace, which the way back leaves in place of z.
template <typename T>
Deltas<T> deltas_of(const Maxout& layer, const Pass<T>& pass, int node) {
  return {pass.kept(node, 0), pass.plan[node].kept_stride, layer.units * layer.pieces};
}

}  // namespace

template <typename T>
void forward(const Maxout& layer, int node, const Pass<T>& pass, Rows rows) {
  const kernels::PieceRows<T> pieces = pieces_of(layer, node, pass, rows);
  pass.kernels.any_product(product_forward(node, pass, rows, layer.use_bias, pieces.z, pieces.z_stride));
  pass.kernels.largest_piece(pieces);
}

template <typename T>
void backward(const Maxout& layer, int node, const Pass<T>& pass, Rows rows) {
  kernels::PieceRows<T> pieces = pieces_of(layer, node, pass, rows);
  pieces.delta = pass.delta(node, rows.begin);
  pieces.delta_stride = pass.plan[node].stride;
  pass.kernels.largest_piece_gradient(pieces);
  const Deltas<T> deltas = deltas_of(layer, pass, node);
  leave_in_panels(pass, node, deltas, rows);
  if (pass.wants_delta(pass.node(node).inputs[0])) pass.kernels.product(product_backward(node, pass, rows, deltas));
}

void gradient_tasks(const Maxout&, int node, const Network& network, Index panel, Index rows,
                    std::vector<GradientTask>& tasks) {
  kernel_tasks(node, network, panel, rows, tasks);
}

template <typename T>
void parameter_gradient(const Maxout& layer, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  kernel_gradient(layer.use_bias, task, pass, rows, sink, [&](int node) { return deltas_of(layer, pass, node); });
}

template void forward(const Maxout&, int, const Pass<float>&, Rows);
template void forward(const Maxout&, int, const Pass<double>&, Rows);
template void backward(const Maxout&, int, const Pass<float>&, Rows);
template void backward(const Maxout&, int, const Pass<double>&, Rows);
template void parameter_gradient(const Maxout&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const Maxout&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
