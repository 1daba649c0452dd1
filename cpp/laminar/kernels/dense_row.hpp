// SPDX-License-Identifier: Apache-2.0
// One row through dense layers, one after the other: for small networks the calls, descriptions and lookups of
// the general way cost more than the arithmetic. The sums are those of product.hpp, and so are their bits.
#pragma once

#include "laminar/kernels/product.hpp"
#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

template <typename T>
void dense_row(const DenseRow<T>* layer, Index count, const T* x) {
  for (const DenseRow<T>* const end = layer + count; layer < end; x = layer->out, ++layer) {
    const Index depth = layer->depth;
    const Index panel = depth * kPanel<T>;
    const T* right = layer->kernel;
    const T* bias = layer->bias;
    T* out = layer->out;
    for (Index left = layer->columns; left > 0;) {
      const Index panels = panels_together(1, (left + kPanel<T> - kLanes<T> - 1) / kPanel<T>);
      if (panels == 4) {
        row_of_panels<Numbers<T>, 4, 2>(x, depth, right, panel, bias, out);
      } else if (panels == 3) {
        row_of_panels<Numbers<T>, 3, 2>(x, depth, right, panel, bias, out);
      } else if (panels == 2) {
        row_of_panels<Numbers<T>, 2, 2>(x, depth, right, panel, bias, out);
      } else if (left > kLanes<T>) {
        row_of_panels<Numbers<T>, 1, 2>(x, depth, right, panel, bias, out);
      } else {
        row_of_panels<Numbers<T>, 1, 1>(x, depth, right, panel, bias, out);
      }
      const Index taken = panels * kPanel<T>;
      left -= taken;
      right += panels * panel;
      out += taken;
      if (bias != nullptr) bias += taken;
    }
    if (layer->linear) continue;
    ActivationRows<T> a;
    a.activation = layer->activation;
    a.parameters = layer->activation_parameters;
    a.in = a.out = layer->out;
    a.rows = 1;
    a.columns = layer->columns;
    activate(a);
  }
}

}  // namespace
}  // namespace laminar::kernels
