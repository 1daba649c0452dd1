// SPDX-License-Identifier: Apache-2.0
// The random numbers of layers that draw while training. A draw depends on (seed, purpose, layer,
// step, row in the batch, column) only. Internal.
#pragma once

#include "laminar/base/random.hpp"
#include "laminar/execution/layers/work.hpp"

namespace laminar {

template <typename Kind, typename T>
RandomStream stream_of(const Kind& layer, Purpose purpose, int node, const Pass<T>& pass) {
  const std::uint64_t seed = layer.seed.has_value() ? static_cast<std::uint64_t>(*layer.seed) : pass.seed;
  return {seed, purpose, static_cast<std::uint32_t>(node), static_cast<std::uint32_t>(pass.step)};
}

/// Calls set(column, kept) for all columns of a row; `kept` is false with probability `rate`.
template <typename Set>
void draw_kept(const RandomStream& stream, double rate, Index row, Index width, const Set& set) {
  const Index groups = (width + 3) / 4;
  const auto threshold = static_cast<std::uint64_t>(rate * 0x1p32);
  for (Index g = 0; g < groups; ++g) {
    const auto words = stream.words(static_cast<std::uint64_t>(row * groups + g));
    const Index count = width - 4 * g < 4 ? width - 4 * g : 4;
    for (Index l = 0; l < count; ++l) set(4 * g + l, words[static_cast<std::size_t>(l)] >= threshold);
  }
}

/// Calls set(column, draw) for all columns of a row with standard normal draws.
template <typename Set>
void draw_normal(const RandomStream& stream, Index row, Index width, const Set& set) {
  for (Index j = 0; j < width; ++j) {
    set(j, normal_quantile(stream.uniform(static_cast<std::uint64_t>(row * width + j))));
  }
}

/// d_x = d_a m, m as kept.
template <typename T>
void multiply_back(int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  pass.kernels.multiply(pass.delta(node, rows.begin), pass.plan[node].stride, pass.kept(node, rows.begin),
                        pass.plan[node].kept_stride, pass.back(node, 0, rows.begin), pass.plan[input].stride,
                        rows.count(), pass.node(node).width);
}

}  // namespace laminar
