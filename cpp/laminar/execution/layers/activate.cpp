// SPDX-License-Identifier: Apache-2.0
// a = f(x), d_x = d_a f'(x).
#include "laminar/graph/layers/activate.hpp"

#include <algorithm>

#include "laminar/execution/layers/work.hpp"

namespace laminar {
namespace {

template <typename T>
void copy_rows(const T* from, Index from_stride, T* to, Index to_stride, Index rows, Index columns) {
  for (Index i = 0; i < rows; ++i) std::copy_n(from + i * from_stride, columns, to + i * to_stride);
}

}  // namespace

template <typename T>
void forward(const Activate& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  const T* in = pass.output(input, rows.begin);
  T* out = pass.output_to_write(node, rows.begin);
  const Index width = pass.node(node).width;
  if (layer.activation.is_linear() || pass.on_logits(node)) {
    copy_rows(in, pass.stride(input), out, pass.plan[node].stride, rows.count(), width);
    return;
  }
  const auto values = layer.activation.values_as<T>();
  pass.kernels.activate({layer.activation.kernel(), values.data(), in, pass.stride(input), out, pass.plan[node].stride,
                         rows.count(), width});
}

template <typename T>
void backward(const Activate& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  T* to = pass.back(node, 0, rows.begin);
  const NodeSpace& space = pass.plan[node];
  const Index width = pass.node(node).width;
  copy_rows(pass.delta(node, rows.begin), space.stride, to, pass.plan[input].stride, rows.count(), width);
  if (layer.activation.is_linear() || pass.on_logits(node) || space.slope_by_consumer) return;
  const auto values = layer.activation.values_as<T>();
  const bool from_input = layer.activation.keeps_input();
  pass.kernels.activation_gradient({layer.activation.kernel(), values.data(),
                                    from_input ? pass.output(input, rows.begin) : pass.output(node, rows.begin),
                                    from_input ? pass.stride(input) : space.stride, to, pass.plan[input].stride,
                                    rows.count(), width});
}

template void forward(const Activate&, int, const Pass<float>&, Rows);
template void forward(const Activate&, int, const Pass<double>&, Rows);
template void backward(const Activate&, int, const Pass<float>&, Rows);
template void backward(const Activate&, int, const Pass<double>&, Rows);

}  // namespace laminar
