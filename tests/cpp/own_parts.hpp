// SPDX-License-Identifier: Apache-2.0
// Layers that are programs, and a network of them.
#pragma once

#include <cmath>

#include "laminar/graph/network.hpp"
#include "laminar/own_parts.hpp"

namespace laminar::tests {

/// tanh(x w + b)
inline Operations own_dense(Index in, Index out, const char* name) {
  return own_layer(
      {{in}},
      [&](OwnLayer& l) {
        const Symbol w = l.weight("kernel", {in, out});
        const Symbol b = l.weight("bias", {out}, "zeros");
        return tanh(matmul(l.input(), w) + b);
      },
      name);
}

/// Values that are narrow, wide and shared: t x e^(-x^2 e^s) less its mean.
inline Operations own_bump(Index width, const char* name) {
  return own_layer(
      {{width}},
      [&](OwnLayer& l) {
        const Symbol x = l.input();
        const Symbol scale = l.weight("scale", {width}, "random_normal");
        const Symbol gain = l.weight("gain", {}, "ones");
        const Symbol bump = x * exp(-(square(x) * exp(scale)));
        return bump * gain - mean(bump, {-1}, true);
      },
      name);
}

/// x / (1 + |x|), as a kernel of one's own.
inline std::shared_ptr<const Function> softsign_kernel() {
  static const std::shared_ptr<const Function> held = row_function(
      "softsign kernel",
      [](const auto& rows, Index count) {
        for (Index i = 0; i < count; ++i) rows.out[i] = rows.operands[0][i] / (1 + std::abs(rows.operands[0][i]));
      },
      [](const auto& rows, Index count) {
        for (Index i = 0; i < count; ++i) {
          const auto divisor = 1 + std::abs(rows.operands[0][i]);
          rows.out[i] = rows.d_value[i] / (divisor * divisor);
        }
      });
  return held;
}

/// In training the values less their mean over the batch, times a weight.
inline BatchOperations own_centred(Index width) {
  return own_batch_layer({{width}}, [=](OwnLayer& l, bool training) {
    const Symbol scale = l.weight("scale", {width}, "ones");
    return (training ? l.input() - mean(l.input(), {0}, true) : l.input()) * scale;
  });
}

/// A network of own layers that is read in several ways: one is shared, one has its matrix twice.
inline Network own_network() {
  const Operations twice = own_layer({{7}}, [](OwnLayer& l) {
    const Symbol w = l.weight("w", {7, 20});  // whose gradient is no single product
    return matmul(sigmoid(matmul(l.input(), w)), transpose(w, {1, 0}));
  });
  Graph graph;
  graph.inputs = {{"a", {7}}, {"b", {7}}};
  graph.layers = {own_dense(7, 33, "first"), own_bump(33, "bump"),    twice, Add{},
                  Dense{.units = 33},        own_dense(33, 2, "last")};
  graph.calls = {{0, {0}}, {0, {1}}, {1, {2}}, {2, {1}}, {4, {5}}, {3, {4, 3, 6}}, {1, {7}}, {5, {8}}};
  graph.outputs = {9};
  return Network(std::move(graph));
}

}  // namespace laminar::tests
