// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/preparation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "laminar/base/token.hpp"
#include "laminar/execution/layers/work.hpp"

namespace laminar {
namespace {

template <typename T>
kernels::ColumnRows<T> rows_of(int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  kernels::ColumnRows<T> r;
  r.in = pass.output(input, rows.begin);
  r.in_stride = pass.stride(input);
  r.out = pass.output_to_write(node, rows.begin);
  r.out_stride = pass.plan[node].stride;
  r.rows = rows.count();
  r.columns = pass.node(node).width;
  return r;
}

/// Whether a column differs from its mean by no more than rounding: it tells nothing, and to divide by
/// that would blow up any other value.
template <typename T>
bool is_constant(T mean, T variance) {
  return std::sqrt(variance) <= 4 * std::numeric_limits<T>::epsilon() * std::abs(mean);
}

/// The value of constant columns in rows that are done: 0, or where `invert` their mean. NaN stays.
template <typename T>
void settle_constants(const kernels::ColumnRows<T>& r, bool invert) {
  for (Index j = 0; j < r.columns; ++j) {
    if (!is_constant(r.first[j], r.second[j])) continue;
    const T value = invert ? r.first[j] : T(0);
    for (Index i = 0; i < r.rows; ++i) {
      for (Index g = 0; g < r.groups; ++g) {
        T& out = r.out[i * r.out_stride + g * r.columns + j];
        if (!std::isnan(out)) out = value;
      }
    }
  }
}

/// d_x = 0: steps have no slope.
template <typename T>
void no_gradient(int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  for (Index row = rows.begin; row < rows.end; ++row) {
    std::fill_n(pass.back(node, 0, row), pass.node(input).width, T(0));
  }
}

}  // namespace

template <typename T>
void forward(const Normalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  kernels::ColumnRows<T> r = rows_of(node, pass, rows);
  r.first = pass.parameters + pass.network.parameters()[n.tensors[0]].offset;
  r.second = pass.parameters + pass.network.parameters()[n.tensors[1]].offset;
  r.columns = n.shape.back();
  r.groups = n.width / r.columns;
  if (layer.invert) {
    pass.kernels.restore(r);
  } else {
    pass.kernels.standardize(r);
  }
  settle_constants(r, layer.invert);
}

template <typename T>
void forward(const Rescaling& layer, int node, const Pass<T>& pass, Rows rows) {
  const T scale = static_cast<T>(layer.scale);
  const T offset = static_cast<T>(layer.offset);
  kernels::ColumnRows<T> r = rows_of(node, pass, rows);
  r.first = &scale;
  r.second = &offset;
  pass.kernels.rescale(r);
}

template <typename T>
void forward(const Discretization& layer, int node, const Pass<T>& pass, Rows rows) {
  const auto& bounds = layer.bin_boundaries;
  const int input = pass.node(node).inputs[0];
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* in = pass.output(input, row);
    T* out = pass.output_to_write(node, row);
    for (Index j = 0; j < pass.node(node).width; ++j) {
      const auto above = std::upper_bound(bounds.begin(), bounds.end(), static_cast<double>(in[j]));
      out[j] = std::isnan(in[j]) ? in[j] : static_cast<T>(above - bounds.begin());
    }
  }
}

template <typename T>
void forward(const CategoryEncoding& layer, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  const Index width = pass.node(node).width;
  const bool one_hot = layer.output_mode == "one_hot";
  const T step = layer.output_mode == "count" ? T(1) : T(0);
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* in = pass.output(input, row);
    T* out = pass.output_to_write(node, row);
    std::fill_n(out, width, T(0));
    for (Index j = 0; j < pass.node(input).width; ++j) {
      const Index token = token_of(in[j], layer.num_tokens);
      if (token < 0) {
        std::fill_n(out, width, std::numeric_limits<T>::quiet_NaN());
        break;
      }
      T& place = out[(one_hot ? j * layer.num_tokens : 0) + token];
      place = step > 0 ? place + step : T(1);
    }
  }
}

// d_x = d_a / s, or d_a s where `invert`, with s as on the way forward; 0 for constant columns.
template <typename T>
void backward(const Normalization& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  if (!pass.wants_delta(n.inputs[0])) return;
  const auto tensor = [&](std::size_t i) { return pass.parameters + pass.network.parameters()[n.tensors[i]].offset; };
  const Index columns = n.shape.back();
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* from = pass.delta(node, row);
    T* to = pass.back(node, 0, row);
    for (Index j = 0; j < n.width; ++j) {
      const T variance = tensor(1)[j % columns];
      const T deviation = std::max(std::sqrt(variance), static_cast<T>(1e-7));
      const bool constant = is_constant(tensor(0)[j % columns], variance);
      to[j] = constant ? T(0) : layer.invert ? from[j] * deviation : from[j] / deviation;
    }
  }
}

template <typename T>
void backward(const Rescaling& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  if (!pass.wants_delta(n.inputs[0])) return;
  for (Index row = rows.begin; row < rows.end; ++row) {
    const T* from = pass.delta(node, row);
    T* to = pass.back(node, 0, row);
    for (Index j = 0; j < n.width; ++j) to[j] = from[j] * static_cast<T>(layer.scale);
  }
}

template <typename T>
void backward(const Discretization&, int node, const Pass<T>& pass, Rows rows) {
  no_gradient(node, pass, rows);
}

template <typename T>
void backward(const CategoryEncoding&, int node, const Pass<T>& pass, Rows rows) {
  no_gradient(node, pass, rows);
}

#define LAMINAR_INSTANTIATE(Kind)                                     \
  template void forward(const Kind&, int, const Pass<float>&, Rows);  \
  template void forward(const Kind&, int, const Pass<double>&, Rows); \
  template void backward(const Kind&, int, const Pass<float>&, Rows); \
  template void backward(const Kind&, int, const Pass<double>&, Rows)

LAMINAR_INSTANTIATE(Normalization);
LAMINAR_INSTANTIATE(Rescaling);
LAMINAR_INSTANTIATE(Discretization);
LAMINAR_INSTANTIATE(CategoryEncoding);

}  // namespace laminar
