// SPDX-License-Identifier: Apache-2.0
// x^ = x / sqrt(mean of x^2 + epsilon), a = scale x^; with g = d_a scale, d_x = (g - x^ mean(g x^)) / sqrt(…) and
// d_scale = sum of d_a x^. Kept of each row: x^, then 1 / sqrt(…) of each group of the last axis.
#include "laminar/graph/layers/rms_normalization.hpp"

#include <cmath>

#include "laminar/execution/layers/column_tasks.hpp"

namespace laminar {
namespace {

template <typename T>
const T* scale_of(int node, const Pass<T>& pass) {
  return pass.parameters + pass.network.parameters()[pass.node(node).tensors[0]].offset;
}

}  // namespace

template <typename T>
void forward(const RmsNormalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const Index columns = n.shape.back();
  const T* scale = scale_of(node, pass);
  const bool keeps = pass.plan[node].kept >= 0;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* x = pass.output(n.inputs[0], row);
    T* a = pass.output_to_write(node, row);
    T* kept = keeps ? pass.kept(node, row) : nullptr;
    for (Index begin = 0; begin < n.width; begin += columns) {
      double squares = 0;
      for (Index j = begin; j < begin + columns; ++j) squares += static_cast<double>(x[j]) * static_cast<double>(x[j]);
      const T mean = static_cast<T>(squares / static_cast<double>(columns));
      const T inverse = 1 / std::sqrt(mean + static_cast<T>(layer.epsilon));
      for (Index j = begin; j < begin + columns; ++j) {
        const T normalized = x[j] * inverse;
        if (keeps) kept[j] = normalized;
        a[j] = normalized * scale[j - begin];
      }
      if (keeps) kept[n.width + begin / columns] = inverse;
    }
  }
}

template <typename T>
void backward(const RmsNormalization&, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  if (!pass.wants_delta(n.inputs[0])) return;
  const Index columns = n.shape.back();
  const T* scale = scale_of(node, pass);
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* d = pass.delta(node, row);
    const T* normalized = pass.kept(node, row);
    T* to = pass.back(node, 0, row);
    for (Index begin = 0; begin < n.width; begin += columns) {
      double along = 0;
      for (Index j = begin; j < begin + columns; ++j) {
        along += static_cast<double>(d[j]) * static_cast<double>(scale[j - begin]) * static_cast<double>(normalized[j]);
      }
      const T mean = static_cast<T>(along / static_cast<double>(columns));
      const T inverse = normalized[n.width + begin / columns];
      for (Index j = begin; j < begin + columns; ++j) {
        to[j] = (d[j] * scale[j - begin] - normalized[j] * mean) * inverse;
      }
    }
  }
}

void gradient_tasks(const RmsNormalization&, int node, const Network& network, Index, Index,
                    std::vector<GradientTask>& tasks) {
  column_tasks(node, network.nodes()[static_cast<std::size_t>(node)].shape.back(), tasks);
}

template <typename T>
void parameter_gradient(const RmsNormalization&, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  take_group_products(task, pass, sink, pass.node(task.node).tensors[0], [&](int node) {
    const Node& n = pass.node(node);
    kernels::GroupProducts<T> p;
    p.a = pass.delta(node, 0);
    p.a_stride = pass.plan[node].stride;
    p.b = pass.kept(node, 0);
    p.b_stride = pass.plan[node].kept_stride;
    p.rows = rows;
    p.group = n.shape.back();
    p.groups = n.width / p.group;
    return p;
  });
}

template void forward(const RmsNormalization&, int, const Pass<float>&, Rows);
template void forward(const RmsNormalization&, int, const Pass<double>&, Rows);
template void backward(const RmsNormalization&, int, const Pass<float>&, Rows);
template void backward(const RmsNormalization&, int, const Pass<double>&, Rows);
template void parameter_gradient(const RmsNormalization&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const RmsNormalization&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
