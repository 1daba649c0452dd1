// SPDX-License-Identifier: Apache-2.0
// Where layers with a kernel bring what they multiply: left operands into tiles, gradients into panels.
// Internal.
#pragma once

#include "laminar/execution/layers/work.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {

// From so many rows and columns on a product of numbers brings its left operand into tiles.
inline constexpr Index kTiledRows = 32;
inline constexpr Index kTiledColumns = 512;

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
