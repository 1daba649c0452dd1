// SPDX-License-Identifier: Apache-2.0
// A whole step of a network so small that calls, packing and copies would cost more than the
// arithmetic. Sums run in the same order as in product.hpp, so the bits are the same.
//
// What one part of a step writes, the next one reads at the same place and in the same width: a load
// that spans two recent stores would wait until both have left the store buffer.
#pragma once

#include "laminar/kernels/columns.hpp"
#include "laminar/kernels/losses.hpp"
#include "laminar/kernels/optimizers.hpp"
#include "laminar/kernels/product.hpp"

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

// The same for a batch of one row, as in stochastic descent: without the loop over rows most of what
// is left is arithmetic.

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

/// A layer's functions for one elementwise activation whose slope follows from its value.
template <typename T>
struct SmallFunctions {
  void (*forward)(const SmallStep<T>&, const SmallLayer<T>&, const T*, Index) = nullptr;
  void (*last_delta)(const SmallLayer<T>&, Index) = nullptr;
  void (*delta)(const SmallLayer<T>&, const SmallLayer<T>&, const T*, Index, T*) = nullptr;
  void (*row_forward)(const SmallLayer<T>&, const T*, const T*) = nullptr;
  void (*row_back)(const SmallLayer<T>&, const SmallLayer<T>&, Vector<T>, const SmallStep<T>&, const T*) = nullptr;
};

template <typename A, typename T>
constexpr SmallFunctions<T> small_functions() {
  if constexpr (A::row_wise || A::keeps_input) {
    return {};
  } else {
    return {&small_forward<A, T>, &small_last_delta<A, T>, &small_delta<A, T>, &small_row_forward<A, T>,
            &small_row_back<A, T>};
  }
}

template <typename T, typename L>
struct SmallTable;
template <typename T, typename... A>
struct SmallTable<T, List<A...>> {
  static constexpr SmallFunctions<T> functions[] = {small_functions<A, T>()...};
};

template <typename T>
double small_step(const SmallStep<T>& s) {
  constexpr const auto& functions = SmallTable<T, ActivationKernels>::functions;
  const SmallLayer<T>* last = s.layers + s.count - 1;
  const T* inputs = s.inputs;
  Index inputs_stride = s.inputs_stride;
  for (const SmallLayer<T>* layer = s.layers; layer <= last; ++layer) {
    functions[layer->activation].forward(s, *layer, inputs, inputs_stride);
    inputs = layer->output;
    inputs_stride = layer->stride;
  }

  loss(s.loss);
  double total = 0;
  for (Index r = 0; r < s.rows; ++r) total += static_cast<double>(s.loss.losses[r]);
  if (!(total - total == 0)) return total;

  if (!last->plain) functions[last->activation].last_delta(*last, s.rows);
  for (const SmallLayer<T>* layer = last; layer > s.layers; --layer) {
    const SmallLayer<T>& below = layer[-1];
    functions[below.activation].delta(below, *layer, s.parameters, s.rows, s.scratch);
    small_parameter_gradient(s, *layer, below.output, below.stride);
  }
  small_parameter_gradient(s, *s.layers, s.inputs, s.inputs_stride);
  if (s.update.weights != nullptr) update(s.update);
  return total;
}

// The losses are computed together, as lanes of one vector: nothing in a step waits for the value of
// its own, which takes longer than the way back through the network. What one output leads to stays in
// registers until the gradients are stored: a step is one chain of operations that wait for each other.
template <typename T>
void small_run(const SmallRun<T>& run) {
  constexpr const auto& functions = SmallTable<T, ActivationKernels>::functions;
  const SmallStep<T>& s = run.step;
  const SmallLayer<T>* first = s.layers;
  const SmallLayer<T>* top = first + s.count - 1;
  const T* parameters = s.parameters;
  SmallLayer<T> last = *top;
  LossRows<T> row = s.loss;
  Update<T> u = s.update;
  u.coefficients = run.coefficients;
  const auto compare = LossTable<T, Losses>::gradient_row[row.loss];
  const auto compare_one = LossTable<T, Losses>::gradient_of_one[row.loss];
  const bool one = last.out == 1 && last.plain;
  const auto change = UpdateTable<T, Optimizers>::flat[u.optimizer];
  for (Index b = 0; b < s.rows; ++b) {
    const T* inputs = s.inputs + (run.order != nullptr ? run.order[b] : b) * s.inputs_stride;
    const T* x = inputs;
    for (const SmallLayer<T>* layer = first; layer < top; ++layer) {
      functions[layer->activation].row_forward(*layer, parameters, x);
      x = layer->output;
    }
    row.scale = run.scales[b];
    Vector<T> d;
    if (one) {
      const Vector<T> z = small_row_sum(last, parameters, x);
      store(last.output, z);
      d = compare_one(row, z);
      store_padded(last.delta, d, 1);
    } else {
      functions[last.activation].row_forward(last, parameters, x);
      row.outputs = last.output;
      compare(row);
      if (!last.plain) functions[last.activation].last_delta(last, 1);
      d = broadcast<Vector<T>>(*last.delta);
    }

    // From the last layer down: the gradients of the layer above are not waited for.
    const SmallLayer<T>* above = &last;
    for (const SmallLayer<T>* layer = top - 1; layer >= first; --layer) {
      if (above != &last) d = broadcast<Vector<T>>(*above->delta);
      functions[layer->activation].row_back(*layer, *above, d, s, layer > first ? layer[-1].output : inputs);
      above = layer;
    }
    small_row_gradient(last, top > first ? top[-1].output : inputs, s.gradients);
    change(u);

    last.output += last.stride;
    u.coefficients += run.coefficients_stride;
    if (row.targets != nullptr) row.targets += row.targets_stride;
    if (row.labels != nullptr) ++row.labels;
    if (row.weights != nullptr) ++row.weights;
  }
  LossRows<T> values = s.loss;
  values.delta = nullptr;
  loss(values);
}

}  // namespace
}  // namespace laminar::kernels
