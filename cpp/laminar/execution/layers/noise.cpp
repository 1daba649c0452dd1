// SPDX-License-Identifier: Apache-2.0
// While training a = x m + n with drawn m and n; d_x = d_a m. At prediction nothing runs.
#include "laminar/graph/layers/noise.hpp"

#include <cmath>

#include "laminar/execution/layers/draws.hpp"

namespace laminar {
namespace {

constexpr double kSeluLimit = -1.7580993408473766;  // -scale * alpha of selu

/// a = x m + n; n stands in the output, m is kept, or 1 where nothing is.
template <typename T>
void add_input(int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  const NodeSpace& space = pass.plan[node];
  pass.kernels.add_product(pass.output(input, rows.begin), pass.stride(input),
                           space.kept < 0 ? nullptr : pass.kept(node, rows.begin), space.kept_stride,
                           pass.output_to_write(node, rows.begin), space.stride, rows.count(), pass.node(node).width);
}

}  // namespace

// x' = x or, dropped, the limit l; a = s x' + t with s = ((1 - rate) (1 + rate l^2))^-1/2, t = -s l rate
template <typename T>
void forward(const AlphaDropout& layer, int node, const Pass<T>& pass, Rows rows) {
  const double scale = 1 / std::sqrt((1 - layer.rate) * (1 + layer.rate * kSeluLimit * kSeluLimit));
  const double shift = -scale * kSeluLimit * layer.rate;
  const RandomStream stream = stream_of(layer, Purpose::dropout, node, pass);
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* factor = pass.kept(node, row);
    T* constant = pass.output_to_write(node, row);
    draw_kept(stream, layer.rate, pass.first_row + row, pass.node(node).width, [&](Index j, bool kept) {
      factor[j] = kept ? static_cast<T>(scale) : T(0);
      constant[j] = static_cast<T>(kept ? shift : scale * kSeluLimit + shift);
    });
  }
  add_input(node, pass, rows);
}

template <typename T>
void backward(const AlphaDropout&, int node, const Pass<T>& pass, Rows rows) {
  multiply_back(node, pass, rows);
}

template <typename T>
void forward(const GaussianNoise& layer, int node, const Pass<T>& pass, Rows rows) {
  const RandomStream stream = stream_of(layer, Purpose::noise, node, pass);
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* noise = pass.output_to_write(node, row);
    draw_normal(stream, pass.first_row + row, pass.node(node).width,
                [&](Index j, double draw) { noise[j] = static_cast<T>(layer.stddev * draw); });
  }
  add_input(node, pass, rows);
}

// d_x = d_a
template <typename T>
void backward(const GaussianNoise&, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  for (Index row = rows.begin; row < rows.end; ++row) {
    std::copy_n(pass.delta(node, row), pass.node(node).width, pass.back(node, 0, row));
  }
}

// m = 1 + sqrt(rate / (1 - rate)) draw
template <typename T>
void forward(const GaussianDropout& layer, int node, const Pass<T>& pass, Rows rows) {
  const double stddev = std::sqrt(layer.rate / (1 - layer.rate));
  const RandomStream stream = stream_of(layer, Purpose::noise, node, pass);
  const Index width = pass.node(node).width;
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* factor = pass.kept(node, row);
    draw_normal(stream, pass.first_row + row, width,
                [&](Index j, double draw) { factor[j] = static_cast<T>(1 + stddev * draw); });
    std::fill_n(pass.output_to_write(node, row), width, T(0));
  }
  add_input(node, pass, rows);
}

template <typename T>
void backward(const GaussianDropout&, int node, const Pass<T>& pass, Rows rows) {
  multiply_back(node, pass, rows);
}

#define LAMINAR_INSTANTIATE(Kind)                                     \
  template void forward(const Kind&, int, const Pass<float>&, Rows);  \
  template void forward(const Kind&, int, const Pass<double>&, Rows); \
  template void backward(const Kind&, int, const Pass<float>&, Rows); \
  template void backward(const Kind&, int, const Pass<double>&, Rows)

LAMINAR_INSTANTIATE(AlphaDropout);
LAMINAR_INSTANTIATE(GaussianNoise);
LAMINAR_INSTANTIATE(GaussianDropout);

}  // namespace laminar
