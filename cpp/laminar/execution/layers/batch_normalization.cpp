// SPDX-License-Identifier: Apache-2.0
// a = (x - mean) slope + beta with slope = gamma / sqrt(variance + epsilon). Back, over n rows:
// d_x = slope (d_a - sum d_a / n - (x - mean) / (variance + epsilon) * sum d_a (x - mean) / n),
// d_gamma = sum d_a (x - mean) / sqrt(variance + epsilon), d_beta = sum d_a.
//
// What the rows have in common is a handful of vectors, one number a column, computed by whoever has
// the column, between barriers (batch.hpp). At prediction they follow from the running means.
#include "laminar/graph/layers/batch_normalization.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/execution/layers/work.hpp"

namespace laminar {
namespace {

/// The vectors of a node, `stride` numbers each.
template <typename T>
struct Common {
  T* mean;
  T* variance;
  T* slope;     // of a
  T* shift;     // beta, or 0
  T* products;  // sum d_a (x - mean)
  T* sums;      // sum d_a
  T* x_slope;   // of d_x by x - mean
  T* constant;  // of d_x
};
static_assert(sizeof(Common<float>) == BatchNormalization::kVectors * sizeof(float*));

template <typename T>
Common<T> common(const Pass<T>& pass, int node) {
  const Index stride = pass.plan[node].stride;
  T* at = pass.shared(node);
  return {at,
          at + stride,
          at + 2 * stride,
          at + 3 * stride,
          at + 4 * stride,
          at + 5 * stride,
          at + 6 * stride,
          at + 7 * stride};
}

/// The layer's tensors in the flat buffer; null where it has none.
template <typename T>
struct Parts {
  const T* gamma = nullptr;
  const T* beta = nullptr;
  const T* moving_mean = nullptr;
  const T* moving_variance = nullptr;
};

template <typename T>
Parts<T> parts(const BatchNormalization& layer, int node, const Pass<T>& pass) {
  Parts<T> p;
  std::size_t next = 0;
  const auto take = [&] { return pass.parameters + pass.network.parameters()[pass.node(node).tensors[next++]].offset; };
  if (layer.scale) p.gamma = take();
  if (layer.center) p.beta = take();
  p.moving_mean = take();
  p.moving_variance = take();
  return p;
}

/// slope and shift of columns [begin, end) from mean and variance.
template <typename T>
void set_slopes(const BatchNormalization& layer, const Parts<T>& p, const T* variance, const Common<T>& c, Index begin,
                Index end) {
  for (Index j = begin; j < end; ++j) {
    const T gamma = p.gamma != nullptr ? p.gamma[j] : T(1);
    c.slope[j] = gamma / std::sqrt(variance[j] + static_cast<T>(layer.epsilon));
    c.shift[j] = p.beta != nullptr ? p.beta[j] : T(0);
  }
}

/// Whether mean and variance are the batch's, not the running ones.
template <typename T>
bool follows_batch(const Pass<T>& pass, int node) {
  return pass.plan.mode() == Mode::training && pass.node(node).trainable;
}

/// This thread's columns, whole cache lines of them.
Team::Share columns_of(Index width, const Team& team) {
  const Team::Share lines = team.share((width + kSlice - 1) / kSlice);
  return {lines.begin * kSlice, std::min(lines.end * kSlice, width)};
}

}  // namespace

template <typename T>
void forward_sums(const BatchNormalization& layer, int node, const Pass<T>& pass, Index rows, const Team& team) {
  const int input = pass.node(node).inputs[0];
  const Common<T> c = common(pass, node);
  const auto [begin, end] = columns_of(pass.node(node).width, team);
  if (begin >= end) return;
  if (!follows_batch(pass, node)) {  // as at prediction
    const Parts<T> p = parts(layer, node, pass);
    std::copy(p.moving_mean + begin, p.moving_mean + end, c.mean + begin);
    std::copy(p.moving_variance + begin, p.moving_variance + end, c.variance + begin);
    return set_slopes(layer, p, c.variance, c, begin, end);
  }
  const T* x = pass.output(input, 0) + begin;
  const T n = static_cast<T>(rows);
  pass.kernels.column_sums(x, pass.stride(input), rows, end - begin, c.mean + begin);
  for (Index j = begin; j < end; ++j) c.mean[j] /= n;
  pass.kernels.column_products(
      {x, pass.stride(input), nullptr, 0, c.mean + begin, c.variance + begin, rows, end - begin});
  for (Index j = begin; j < end; ++j) c.variance[j] /= n;
  set_slopes(layer, parts(layer, node, pass), c.variance, c, begin, end);
}

template <typename T>
void forward(const BatchNormalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  const Index width = pass.node(node).width;
  const Common<T> c = common(pass, node);
  if (pass.plan.mode() == Mode::inference) {
    const Parts<T> p = parts(layer, node, pass);
    std::copy_n(p.moving_mean, width, c.mean);
    set_slopes(layer, p, p.moving_variance, c, 0, width);
  }
  kernels::ColumnAffine<T> affine;
  affine.x = pass.output(input, rows.begin);
  affine.x_stride = pass.stride(input);
  affine.center = c.mean;
  affine.slope = c.slope;
  affine.shift = c.shift;
  affine.out = pass.output_to_write(node, rows.begin);
  affine.out_stride = pass.plan[node].stride;
  affine.rows = rows.count();
  affine.columns = width;
  pass.kernels.column_affine(affine);
}

template <typename T>
void backward_sums(const BatchNormalization& layer, int node, const Pass<T>& pass, Index rows, const Team& team) {
  const int input = pass.node(node).inputs[0];
  const Common<T> c = common(pass, node);
  const auto [begin, end] = columns_of(pass.node(node).width, team);
  if (begin >= end) return;
  const T* d_a = pass.delta(node, 0) + begin;
  const Index stride = pass.plan[node].stride;
  pass.kernels.column_sums(d_a, stride, rows, end - begin, c.sums + begin);
  pass.kernels.column_products({pass.output(input, 0) + begin, pass.stride(input), d_a, stride, c.mean + begin,
                                c.products + begin, rows, end - begin});
  if (!follows_batch(pass, node)) {  // mean and variance do not depend on x
    std::fill(c.x_slope + begin, c.x_slope + end, T(0));
    std::fill(c.constant + begin, c.constant + end, T(0));
    return;
  }
  const T n = static_cast<T>(rows);
  for (Index j = begin; j < end; ++j) {
    c.x_slope[j] = -c.slope[j] * c.products[j] / (n * (c.variance[j] + static_cast<T>(layer.epsilon)));
    c.constant[j] = -c.slope[j] * c.sums[j] / n;
  }
}

template <typename T>
void backward(const BatchNormalization&, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  const Common<T> c = common(pass, node);
  kernels::ColumnAffine<T> affine;
  affine.x = pass.output(input, rows.begin);
  affine.x_stride = pass.stride(input);
  affine.y = pass.delta(node, rows.begin);
  affine.y_stride = pass.plan[node].stride;
  affine.center = c.mean;
  affine.slope = c.x_slope;
  affine.y_slope = c.slope;
  affine.shift = c.constant;
  affine.out = pass.back(node, 0, rows.begin);
  affine.out_stride = pass.plan[input].stride;
  affine.rows = rows.count();
  affine.columns = pass.node(node).width;
  pass.kernels.column_affine(affine);
}

void gradient_tasks(const BatchNormalization&, int node, const Network& network, Index, Index,
                    std::vector<GradientTask>& tasks) {
  tasks.push_back({node, 0, 1, 0, network.nodes()[static_cast<std::size_t>(node)].width});
}

// The sums are there already; the running means follow in the same place, as nothing reads them while
// a batch is under way. A task's columns are its own: each is done once, whatever the tasks are cut into.
template <typename T>
void parameter_gradient(const BatchNormalization& layer, const GradientTask& task, const Pass<T>& pass, Index,
                        const GradientSink<T>& sink) {
  const Node& n = pass.node(task.node);
  const Common<T> c = common(pass, task.node);
  const ParameterLayout& layout = pass.network.parameters();
  const Index begin = task.out_begin;
  const Index end = begin + task.out_count;
  const auto offset = [&](std::size_t i) { return layout[n.tensors[i]].offset; };
  const auto take = [&](std::size_t i, const T* sums) {
    sink.take(offset(i) + begin, n.width, sums + begin, n.width, 1, task.out_count);
  };
  std::size_t next = 0;
  if (layer.scale) {
    for (Index j = begin; j < end; ++j) c.products[j] /= std::sqrt(c.variance[j] + static_cast<T>(layer.epsilon));
    take(next++, c.products);
  }
  if (layer.center) take(next++, c.sums);
  if (sink.statistics == nullptr) return;
  const T keep = static_cast<T>(layer.momentum);
  T* mean = sink.statistics + offset(next);
  T* variance = sink.statistics + offset(next + 1);
  for (Index j = begin; j < end; ++j) {
    mean[j] = mean[j] * keep + c.mean[j] * (1 - keep);
    variance[j] = variance[j] * keep + c.variance[j] * (1 - keep);
  }
}

template void forward_sums(const BatchNormalization&, int, const Pass<float>&, Index, const Team&);
template void forward_sums(const BatchNormalization&, int, const Pass<double>&, Index, const Team&);
template void forward(const BatchNormalization&, int, const Pass<float>&, Rows);
template void forward(const BatchNormalization&, int, const Pass<double>&, Rows);
template void backward_sums(const BatchNormalization&, int, const Pass<float>&, Index, const Team&);
template void backward_sums(const BatchNormalization&, int, const Pass<double>&, Index, const Team&);
template void backward(const BatchNormalization&, int, const Pass<float>&, Rows);
template void backward(const BatchNormalization&, int, const Pass<double>&, Rows);
template void parameter_gradient(const BatchNormalization&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const BatchNormalization&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
