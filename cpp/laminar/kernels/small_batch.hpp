// SPDX-License-Identifier: Apache-2.0
// The layers of a small network, forward and back, for a batch. Sums run in the same order as in
// product.hpp, so the bits are the same.
#pragma once

#include "laminar/kernels/columns.hpp"
#include "laminar/kernels/product.hpp"
#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

/// One weight of a column in all lanes. The compiler may not see that they are equal: it would multiply
/// single numbers, and round differently from the vectors of the general step.
template <typename T>
inline Vector<T> column_element(const T* p) {
  return rounded(broadcast<Vector<T>>(*p));
}

// Fields are copied before a loop: for all the compiler knows, a stored vector might change them.

/// out = f(b + x W) for all rows.
template <typename A, typename T>
void small_forward(const SmallStep<T>& s, const SmallLayer<T>& layer, const T* inputs, Index inputs_stride) {
  using V = Vector<T>;
  const Index rows = s.rows;
  const Index in = layer.in;
  const Index stride = layer.stride;
  const T* f = layer.activation_parameters;
  const T* kernel = s.parameters + layer.kernel;
  const T* bias = layer.bias >= 0 ? s.parameters + layer.bias : nullptr;
  T* out = layer.output;
  if (layer.out == 1) {
    for (Index r = 0; r < rows; ++r, inputs += inputs_stride, out += stride) {
      V sum = broadcast<V>(bias != nullptr ? *bias : T(0));
      for (Index k = 0; k < in; ++k) sum += inputs[k] * column_element(kernel + k);
      store(out, A::value(sum, f));
    }
    return;
  }
  const Index width = layer.width;
  for (Index r = 0; r < rows; ++r, inputs += inputs_stride, out += stride) {
    for (Index j = 0; j < width; j += kLanes<T>) {
      V sum = bias != nullptr ? load(bias + j) : V{};
      const T* row = kernel + j;
      for (Index k = 0; k < in; ++k, row += width) sum += inputs[k] * load(row);
      store(out + j, A::value(sum, f));
    }
  }
}

/// d_z = d_a f'(z), where d_a stands in the layer's own delta.
template <typename A, typename T>
void small_last_delta(const SmallLayer<T>& layer, Index rows) {
  using V = Vector<T>;
  for (Index r = 0; r < rows; ++r) {
    for (Index i = 0; i < layer.out; i += kLanes<T>) {
      T* delta = layer.delta + r * layer.stride + i;
      const V a = load(layer.output + r * layer.stride + i);
      const V slope = A::slope(a, a, layer.activation_parameters);
      store_padded(delta, load(delta) * slope, layer.out - i);
    }
  }
}

/// d_z = d_a f'(z) with d_a = d_z W^T of the layer above, the transpose made on the way.
template <typename A, typename T>
void small_delta(const SmallLayer<T>& layer, const SmallLayer<T>& above, const T* parameters, Index rows, T* scratch) {
  using V = Vector<T>;
  const Index out = layer.out;
  const Index stride = layer.stride;
  const Index depth = above.out;
  const Index above_stride = above.stride;
  const T* f = layer.activation_parameters;
  const T* transposed = parameters + above.kernel;
  if (depth > 1) {
    pack_transposed<Numbers<T>>(transposed, above.width, out, depth, scratch);
    transposed = scratch;
  }
  for (Index r = 0; r < rows; ++r) {
    const T* delta = above.delta + r * above_stride;
    const T* a = layer.output + r * stride;
    T* to = layer.delta + r * stride;
    Index first = 0;  // column that the panel starts with
    const T* panel = transposed;
    Index width = depth == 1 || out <= kLanes<T> ? kLanes<T> : kPanel<T>;
    for (Index i = 0; i < out; i += kLanes<T>) {
      if (i - first == width) {
        panel += width * depth;
        first = i;
        if (out - first <= kLanes<T>) width = kLanes<T>;
      }
      V sum{};
      const T* row = panel + (i - first);
      for (Index j = 0; j < depth; ++j, row += width) sum += delta[j] * load(row);
      const V value = load(a + i);
      store_padded(to + i, sum * A::slope(value, value, f), out - i);
    }
  }
}

/// d_W = X^T d_z and d_b = column sums of d_z.
template <typename T>
void small_parameter_gradient(const SmallStep<T>& s, const SmallLayer<T>& layer, const T* inputs, Index inputs_stride) {
  using V = Vector<T>;
  const Index rows = s.rows;
  const Index in = layer.in;
  const Index stride = layer.stride;
  const T* delta = layer.delta;
  T* out = s.gradients + layer.kernel;
  if (layer.out == 1) {
    for (Index k = 0; k < in; k += kLanes<T>) {
      const Index count = in - k < kLanes<T> ? in - k : kLanes<T>;
      const T* x = inputs + k;
      V sum{};
      for (Index r = 0; r < rows; ++r, x += inputs_stride) sum += load_first(x, count) * delta[r * stride];
      store(out + k, sum);
    }
  } else {
    const Index width = layer.width;
    for (Index k = 0; k < in; ++k) {
      for (Index j = 0; j < width; j += kLanes<T>, out += kLanes<T>) {
        const T* x = inputs + k;
        const T* d = delta + j;
        V sum{};
        for (Index r = 0; r < rows; ++r, x += inputs_stride, d += stride) sum += *x * load(d);
        store(out, sum);
      }
    }
  }
  if (layer.bias >= 0) column_sums<Numbers<T>>(delta, stride, rows, layer.out, s.gradients + layer.bias);
}

}  // namespace
}  // namespace laminar::kernels
