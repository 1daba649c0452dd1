// SPDX-License-Identifier: Apache-2.0
// Where layers with a kernel bring what they multiply: left operands into tiles, gradients into panels.
// Internal.
#pragma once

#include "laminar/execution/layers/work.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {

// From so many rows on, and kTiledColumns, a product of numbers brings its left operand into tiles.
inline constexpr Index kTiledRows = 32;

/// Where a product may bring its left operand into tiles, or null where that costs more than it gives.
template <typename T>
T* room_for_tiles(const kernels::Kernels<T>& k, Index rows, Index columns) {
  if (k.depths == 1 && (rows < kTiledRows || columns < kTiledColumns)) return nullptr;
  return scratch<T>(Scratch::tiles, kernels::tiles_size(rows));
}

/// The gradients d_Z of a layer's products, one row for each of the workspace: `columns` of them.
template <typename T>
struct Deltas {
  const T* values;
  Index stride;
  Index columns;
};

/// z = x W + b of a layer with a kernel, for some rows, into `out`.
template <typename T>
kernels::Product<T> product_forward(int node, const Pass<T>& pass, Rows rows, bool use_bias, T* out, Index out_stride) {
  const Node& n = pass.node(node);
  const ParameterLayout& layout = pass.network.parameters();
  const int input = n.inputs[0];
  kernels::Product<T> p;
  p.left = pass.output(input, rows.begin);
  p.left_stride = pass.stride(input);
  p.right = pass.packed.forward(n.tensors[0]);
  p.bias = use_bias ? pass.parameters + layout[n.tensors[1]].offset : nullptr;
  p.out = out;
  p.out_stride = out_stride;
  p.rows = rows.count();
  p.depth = layout[n.tensors[0]].shape[0];
  p.columns = layout[n.tensors[0]].shape[1];
  p.tiles = room_for_tiles(pass.kernels, p.rows, p.columns);
  p.compact = pass.packed.compact(n.tensors[0]);
  if (p.compact != nullptr && p.rows > 1) {
    p.expanded = scratch<T>(Scratch::weights, kernels::kDepthBlock * pass.kernels.panel);
  }
  return p;
}

/// d_x = d_Z W^T of such a layer; `deltas` are those of all rows.
template <typename T>
kernels::Product<T> product_backward(int node, const Pass<T>& pass, Rows rows, const Deltas<T>& deltas) {
  const int input = pass.node(node).inputs[0];
  kernels::Product<T> p;
  p.left = deltas.values + rows.begin * deltas.stride;
  p.left_stride = deltas.stride;
  p.right = pass.packed.backward(pass.node(node).tensors[0]);
  p.out = pass.back(node, 0, rows.begin);
  p.out_stride = pass.plan[input].stride;
  p.rows = rows.count();
  p.depth = deltas.columns;
  p.columns = pass.node(input).width;
  p.tiles = room_for_tiles(pass.kernels, p.rows, p.columns);
  return p;
}

/// Leaves a block's gradients in panels, if the plan has them; `deltas` are those of all rows.
template <typename T>
void leave_in_panels(const Pass<T>& pass, int node, const Deltas<T>& deltas, Rows rows) {
  const Index panels = pass.plan[node].delta_panels;
  if (panels < 0) return;
  pass.kernels.to_panels(deltas.values + rows.begin * deltas.stride, deltas.stride, rows.begin, rows.count(),
                         deltas.columns, pass.memory + panels, pass.plan.rows());
}

/// A panel of d_Z over the batch, and the one before it where panels have places of their own; or null.
template <typename T>
struct DeltaPanel {
  const T* values;
  Index stride;
  const T* before;
};

/// The panel that starts with a column, a multiple of a panel: a copy of its own, or where the rows lie.
template <typename T>
DeltaPanel<T> delta_panel(const Pass<T>& pass, int node, const Deltas<T>& deltas, Index column) {
  const Index panels = pass.plan[node].delta_panels;
  if (panels < 0) return {deltas.values + column, deltas.stride, nullptr};
  const kernels::Kernels<T>& k = pass.kernels;
  const Index size = k.elements(pass.plan.rows());  // of a column
  const T* values = pass.memory + panels + size * column;
  const T* before = column > 0 ? values - size * k.panel : nullptr;
  return {values, deltas.columns - column > k.lanes ? k.panel : k.lanes, before};
}

}  // namespace laminar
