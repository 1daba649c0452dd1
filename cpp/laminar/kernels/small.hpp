// SPDX-License-Identifier: Apache-2.0
// A whole step of a network so small that calls, packing and copies would cost more than the
// arithmetic: of a batch, or of batches of one row in turn.
//
// What one part of a step writes, the next one reads at the same place and in the same width: a load
// that spans two recent stores would wait until both have left the store buffer.
#pragma once

#include "laminar/kernels/losses.hpp"
#include "laminar/kernels/optimizers.hpp"
#include "laminar/kernels/small_row.hpp"

namespace laminar::kernels {
namespace {

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
  row.rows = 1;
  row.losses = nullptr;
  row.write_activation = false;
  Update<T> u = s.update;
  u.coefficients = run.coefficients;
  const auto compare = LossTable<T, Losses>::rows[row.loss];
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
