// SPDX-License-Identifier: Apache-2.0
// A whole step of a network so small that calls and packing would cost more than the arithmetic:
// weights are read where they lie, row by row, and gradients written one row over the next. Sums run
// in the same order as in product.hpp, so the bits are the same.
//
// A vector may read and write past the end of a row: what follows is the next row (overwritten in
// turn, from lower to higher addresses) or the room that every buffer has at its end. The lanes past
// a row of deltas are zero, so what is written there is zero too.
#pragma once

#include "laminar/kernels/product.hpp"

namespace laminar::kernels {
namespace {

/// out = b + x W for all rows, then the activation.
template <typename T>
inline void small_forward(const SmallStep<T>& s, const SmallLayer<T>& layer) {
  using V = Vector<T>;
  const T* kernel = s.parameters + layer.kernel;
  for (Index r = 0; r < s.rows; ++r) {
    const T* x = s.memory + layer.input + r * layer.input_stride;
    T* out = s.memory + layer.output + r * layer.stride;
    for (Index j = 0; j < layer.out; j += kLanes<T>) {
      V sum = layer.bias >= 0 ? load(s.parameters + layer.bias + j) : V{};
      for (Index k = 0; k < layer.in; ++k) sum += x[k] * load(kernel + k * layer.out + j);
      store(out + j, sum);
    }
  }
  if (!layer.activate) return;
  T* out = s.memory + layer.output;
  activate<T>({layer.activation, layer.parameters, out, layer.stride, out, layer.stride, s.rows, layer.out});
}

/// d_z = d_a f'(z). The slope of what lies past a row may be anything, so zero is put back there.
template <typename T>
inline void small_slope(const SmallStep<T>& s, const SmallLayer<T>& layer) {
  using V = Vector<T>;
  if (!layer.activate) return;
  activation_gradient<T>({layer.activation, layer.parameters, s.memory + layer.output, layer.stride,
                          s.memory + layer.delta, layer.stride, s.rows, layer.out});
  const Integer<V> valid = first_lanes<V>((layer.out - 1) % kLanes<T> + 1);
  for (Index r = 0; r < s.rows; ++r) {
    T* last = s.memory + layer.delta + r * layer.stride + (layer.out - 1) / kLanes<T> * kLanes<T>;
    store(last, select<V>(valid, load(last), V{}));
  }
}

/// d_x = d_z W^T, with the transpose made on the way.
template <typename T>
inline void small_input_gradient(const SmallStep<T>& s, const SmallLayer<T>& layer, const SmallLayer<T>& before) {
  using V = Vector<T>;
  const T* transposed = s.parameters + layer.kernel;
  Index width = kLanes<T>;
  if (layer.out > 1) {
    pack_transposed(transposed, layer.out, layer.in, layer.out, s.scratch);
    transposed = s.scratch;
  }
  for (Index i = 0; i < layer.in; i += kLanes<T>) {
    const T* panel = transposed + i;
    if (layer.out > 1) {
      const Index first = i / kPanel<T> * kPanel<T>;
      width = layer.in - first > kLanes<T> ? kPanel<T> : kLanes<T>;
      panel = transposed + first * layer.out + (i - first);
    }
    const Integer<V> valid = first_lanes<V>(layer.in - i);
    for (Index r = 0; r < s.rows; ++r) {
      const T* delta = s.memory + layer.delta + r * layer.stride;
      V sum{};
      for (Index j = 0; j < layer.out; ++j) sum += delta[j] * load(panel + j * width);
      store(s.memory + before.delta + r * before.stride + i, select<V>(valid, sum, V{}));
    }
  }
}

/// d_W = X^T d_z and d_b = column sums of d_z.
template <typename T>
inline void small_parameter_gradient(const SmallStep<T>& s, const SmallLayer<T>& layer) {
  using V = Vector<T>;
  const T* x = s.memory + layer.input;
  const T* delta = s.memory + layer.delta;
  for (Index k = 0; k < layer.in; ++k) {
    T* out = s.gradients + layer.kernel + k * layer.out;
    for (Index j = 0; j < layer.out; j += kLanes<T>) {
      V sum{};
      for (Index r = 0; r < s.rows; ++r) sum += x[r * layer.input_stride + k] * load(delta + r * layer.stride + j);
      store(out + j, sum);
    }
  }
  if (layer.bias >= 0) column_sums(delta, layer.stride, s.rows, layer.out, s.gradients + layer.bias);
}

template <typename T>
void small_forward(const SmallStep<T>& s) {
  for (int l = 0; l < s.count; ++l) small_forward(s, s.layers[l]);
}

template <typename T>
void small_backward(const SmallStep<T>& s) {
  for (int l = s.count - 1; l >= 0; --l) {
    small_slope(s, s.layers[l]);
    if (l > 0) small_input_gradient(s, s.layers[l], s.layers[l - 1]);
  }
  for (int l = 0; l < s.count; ++l) small_parameter_gradient(s, s.layers[l]);
}

}  // namespace
}  // namespace laminar::kernels
