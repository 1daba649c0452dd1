// SPDX-License-Identifier: Apache-2.0
// Phase B of layers with a kernel: d_W = X^T d_Z, d_b = column sums of d_Z, in pieces. Internal.
#pragma once

#include <algorithm>

#include "laminar/execution/layers/operands.hpp"

namespace laminar {

// A piece: rows of W whose inputs, a copy of them, stay in the second-level cache beside a panel of
// the gradient, and columns enough that the optimizer goes along whole pages.
inline constexpr Index kTaskElements = 65536;  // of the inputs: rows of the batch x rows of W
inline constexpr Index kTaskOutputs = 1024;
inline constexpr Index kLargestDenseRow = 128;        // longer rows without gaps would share few cache sets
inline constexpr Index kFarParameters = 65536;        // with the optimizer's state more than that cache holds
inline constexpr Index kNearDeltas = 131072;          // elements of a batch of deltas that stay in that cache
inline constexpr Index kLargestInputInPlace = 16384;  // elements of a batch of inputs that are not copied

/// The pieces of a kernel of this shape.
inline void kernel_tasks(int node, const Shape& shape, Index panel, Index rows, std::vector<GradientTask>& tasks) {
  const Index panels = (shape[0] + panel - 1) / panel;
  const Index most = std::max<Index>(1, std::min<Index>(kTaskElements / std::max<Index>(rows, 1), 128) / panel);
  const Index pieces = (panels + most - 1) / most;
  cut_at_panels(shape[0], pieces, panel, [&](Index begin, Index count) {
    for (Index j = 0; j < shape[1]; j += kTaskOutputs) {
      tasks.push_back({node, begin, count, j, std::min(kTaskOutputs, shape[1] - j)});
    }
  });
}

/// The pieces of a node's kernel, its first tensor.
inline void kernel_tasks(int node, const Network& network, Index panel, Index rows, std::vector<GradientTask>& tasks) {
  const std::size_t kernel = network.nodes()[static_cast<std::size_t>(node)].tensors[0];
  kernel_tasks(node, network.parameters()[kernel].shape, panel, rows, tasks);
}

/// How a piece's gradient lies in a thread's memory, with its inputs behind it.
struct PieceRoom {
  Index stride;  // of the gradient's rows
  Index block;   // elements of the gradient
  Index inputs;  // elements behind them
};

// Without gaps the update is one long row. A row's last vector may then reach into the next row's first panel,
// which is computed last.
template <typename T>
PieceRoom room_of(const kernels::Kernels<T>& k, const GradientTask& task, Index batch_rows) {
  const bool whole_vectors = task.out_count % k.lanes == 0;
  const bool dense = whole_vectors ? task.out_count <= kLargestDenseRow : task.out_count > k.panel;
  const Index stride = dense ? task.out_count : padded_stride(task.out_count);
  return {stride, round_up(task.in_count * stride + k.lanes, kSlice), task.in_count * batch_rows};
}

/// X of a kernel's gradient, over the batch.
template <typename T>
struct LeftRows {
  const T* values;
  Index stride;
};

/// A piece of d_W = X^T d_Z into `block`, and where `sums` is not null the sums of d_Z's columns; panel_at(column) is
/// a panel of d_Z. Returns false where it was told to stop.
template <typename T, typename PanelAt>
bool kernel_gradient_of(const kernels::Kernels<T>& k, const Tensor& kernel, const GradientTask& task,
                        const Pass<T>& pass, Index rows, const GradientSink<T>& sink, const LeftRows<T>& left,
                        const PanelAt& panel_at, const PieceRoom& room, T* block, T* sums) {
  const Index columns = kernel.shape[1];

  kernels::WeightGradient<T> g;
  g.left = left.values + task.in_begin;
  g.left_stride = left.stride;
  const bool long_rows = rows * g.left_stride > kLargestInputInPlace && g.left_stride > kLongStride;
  if (k.depths > 1 || (long_rows && task.out_count > k.panel)) {
    T* tiles = block + room.block;
    k.tiles_of_columns(g.left, g.left_stride, rows, task.in_count, tiles);
    g.tiles = tiles;
  }
  g.rows = rows;
  g.in_count = task.in_count;
  g.out_stride = room.stride;
  // The deltas are near, what the update will read is not: that is fetched meanwhile.
  const bool state_is_ahead = rows * task.out_count <= kNearDeltas && task.out_count == columns &&
                              pass.network.parameters().whole_size() >= kFarParameters;
  const Index panels = (task.out_count + k.panel - 1) / k.panel;
  for (Index p = 0; p < panels; ++p) {
    // An update that others have begun is carried through.
    if (sink.gradients != nullptr && pass.stopping(rows, 2.0 * static_cast<double>(task.in_count * k.panel))) {
      return false;
    }
    const Index j = (panels - 1 - p) * k.panel;
    const DeltaPanel<T> panel = panel_at(task.out_begin + j);
    g.delta = panel.values;
    g.delta_stride = panel.stride;
    g.out_count = std::min(k.panel, task.out_count - j);
    g.out = block + j;
    const Ahead<T> ahead =
        state_is_ahead
            ? sink.ahead(kernel.offset + task.in_begin * columns, task.in_count * columns, p, panels)
            : Ahead<T>{j > 0 ? panel.before : nullptr, std::min(k.elements(rows), kernels::kDepthBlock) * k.panel};
    g.next = ahead.begin;
    g.next_size = ahead.size;
    g.sums = sums != nullptr ? sums + j : nullptr;
    k.weight_gradient(g);
  }
  return true;
}

/// The gradient of a piece, summed over all calls of its layer in their order; deltas_of(node) are d_Z.
template <typename T, typename DeltasOf>
void kernel_gradient(bool use_bias, const GradientTask& task, const Pass<T>& pass, Index rows,
                     const GradientSink<T>& sink, const DeltasOf& deltas_of) {
  const Node& n = pass.node(task.node);
  const Tensor& kernel = pass.network.parameters()[n.tensors[0]];
  const Index columns = kernel.shape[1];
  const PieceRoom room = room_of(pass.kernels, task, pass.plan.rows());
  const Index size = room.block + room.inputs;
  const std::vector<int>& calls = pass.network.calls_of(task.node);
  T* block = scratch<T>(Scratch::gradient, calls.size() > 1 ? 2 * size : size);
  const bool with_bias = use_bias && task.in_begin == 0;
  alignas(kAlignment) T sums[kTaskOutputs];
  for (const int call : calls) {
    const bool first = call == task.node;
    alignas(kAlignment) T more[kTaskOutputs];
    T* const to = first ? block : block + size;
    T* const own = first ? sums : more;
    const int input = pass.node(call).inputs[0];
    const LeftRows<T> left{pass.output(input, 0), pass.stride(input)};
    const Deltas<T> deltas = deltas_of(call);
    const auto panel_at = [&](Index column) { return delta_panel(pass, call, deltas, column); };
    T* const column_sums = with_bias ? own : nullptr;
    if (!kernel_gradient_of(pass.kernels, kernel, task, pass, rows, sink, left, panel_at, room, to, column_sums))
      return;
    if (first) continue;
    pass.kernels.add_product(to, room.block, nullptr, 0, block, room.block, 1, room.block);
    if (with_bias) pass.kernels.add_product(more, kTaskOutputs, nullptr, 0, sums, kTaskOutputs, 1, task.out_count);
  }
  sink.take(kernel.offset + task.in_begin * columns + task.out_begin, columns, block, room.stride, task.in_count,
            task.out_count);
  if (sink.packed != nullptr) refresh(*sink.packed, pass.network, task, sink.parameters);
  if (with_bias) {
    sink.take(pass.network.parameters()[n.tensors[1]].offset + task.out_begin, columns, sums, kTaskOutputs, 1,
              task.out_count);
  }
}

}  // namespace laminar
