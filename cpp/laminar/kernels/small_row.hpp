// SPDX-License-Identifier: Apache-2.0
// The layers of a small network for a batch of one row, as in stochastic descent: without the loop over
// rows most of what is left is arithmetic.
#pragma once

#include "laminar/kernels/small_batch.hpp"

namespace laminar::kernels {
namespace {

/// b + x W of a layer with one output, in all lanes.
template <typename T>
inline Vector<T> small_row_sum(const SmallLayer<T>& layer, const T* parameters, const T* x) {
  const T* end = x + layer.in;
  const T* kernel = parameters + layer.kernel;
  Vector<T> sum = broadcast<Vector<T>>(layer.bias >= 0 ? parameters[layer.bias] : T(0));
  for (; x < end; ++x, ++kernel) sum += *x * column_element(kernel);
  return sum;
}

template <typename A, typename T>
void small_row_forward(const SmallLayer<T>& layer, const T* parameters, const T* x) {
  using V = Vector<T>;
  const T* f = layer.activation_parameters;
  if (layer.out == 1) return store(layer.output, A::value(small_row_sum(layer, parameters, x), f));
  const T* end = x + layer.in;
  const T* kernel = parameters + layer.kernel;
  const T* bias = layer.bias >= 0 ? parameters + layer.bias : nullptr;
  const Index width = layer.width;
  for (Index j = 0; j < width; j += kLanes<T>) {
    V sum = bias != nullptr ? load(bias + j) : V{};
    const T* row = kernel + j;
    for (const T* k = x; k < end; ++k, row += width) sum += *k * load(row);
    store(layer.output + j, A::value(sum, f));
  }
}

/// d_W and d_b of a vector of columns from column j on, where d_z stands in a register. Adding zero is what
/// a sum does first: it makes -0 a 0.
template <typename T>
inline void small_row_columns(const SmallLayer<T>& layer, Index j, Vector<T> d, const T* x, T* gradients) {
  using V = Vector<T>;
  const T* end = x + layer.in;
  T* to = gradients + layer.kernel + j;
  for (; x < end; ++x, to += layer.width) store(to, *x * d + V{});
  if (layer.bias >= 0) store(gradients + layer.bias + j, d + V{});
}

template <typename T>
inline void small_row_gradient(const SmallLayer<T>& layer, const T* x, T* gradients) {
  using V = Vector<T>;
  const T* delta = layer.delta;
  if (layer.width > 1) {
    for (Index j = 0; j < layer.width; j += kLanes<T>) small_row_columns(layer, j, load(delta + j), x, gradients);
    return;
  }
  const T d = *delta;
  T* out = gradients + layer.kernel;
  Index rest = layer.in;
  for (; rest >= kLanes<T>; rest -= kLanes<T>, x += kLanes<T>, out += kLanes<T>) store(out, load(x) * d + V{});
  if (rest > 0) store(out, load_first(x, rest) * d + V{});
  if (layer.bias >= 0) store(gradients + layer.bias, load(delta) + V{});
}

/// d_z of a layer from that of the layer above, and the gradients of its parameters; d is d_z of the layer
/// above where that has one output.
template <typename A, typename T>
void small_row_back(const SmallLayer<T>& layer, const SmallLayer<T>& above, Vector<T> d, const SmallStep<T>& s,
                    const T* x) {
  using V = Vector<T>;
  if (above.out > 1 || layer.out == 1) {
    small_delta<A>(layer, above, s.parameters, 1, s.scratch);
    return small_row_gradient(layer, x, s.gradients);
  }
  const T* transposed = s.parameters + above.kernel;
  for (Index i = 0; i < layer.width; i += kLanes<T>) {
    const V a = load(layer.output + i);
    const V sum = d * load(transposed + i) + V{};
    const V slopes = sum * A::slope(a, a, layer.activation_parameters);
    const Index rest = layer.out - i;
    const V delta = rest < kLanes<T> ? select<V>(first_lanes<V>(rest), slopes, V{}) : slopes;
    store(layer.delta + i, delta);
    small_row_columns(layer, i, delta, x, s.gradients);
  }
}

}  // namespace
}  // namespace laminar::kernels
