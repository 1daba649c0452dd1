// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/compare.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <vector>

namespace laminar {
namespace {

/// The same loss for rows [begin, end) of those that it is for.
template <typename T>
kernels::LossRows<T> part_of(const kernels::LossRows<T>& all, Index begin, Index end) {
  kernels::LossRows<T> part = all;
  part.outputs += begin * all.outputs_stride;
  if (all.targets != nullptr) part.targets += begin * all.targets_stride;
  if (all.labels != nullptr) part.labels += begin;
  if (all.weights != nullptr) part.weights += begin;
  if (all.delta != nullptr) part.delta += begin * all.delta_stride;
  part.losses += begin;
  part.rows = end - begin;
  return part;
}

/// A row of which some targets are missing, by the others.
template <typename T>
void compare_part(const kernels::Kernels<T>& kernels, const Goal& goal, const kernels::LossRows<T>& row) {
  PartOfRow<T> part(goal, row.targets);
  part.take_outputs(row.outputs);
  kernels::LossRows<T> loss = row;
  loss.outputs = part.outputs();
  loss.targets = part.targets();
  if (row.delta != nullptr) loss.delta = part.delta();
  loss.columns = part.columns();
  kernels.loss(loss);
  if (row.delta != nullptr) part.give_delta(row.delta);
  if (row.write_activation) part.give_outputs(row.outputs);
}

/// Rows between which some count for nothing.
template <typename T>
void compare_present(const kernels::Kernels<T>& kernels, const Goal& goal, const kernels::LossRows<T>& loss,
                     const Presence* there) {
  Index begin = 0;
  for (Index i = 0; i <= loss.rows; ++i) {
    if (i < loss.rows && there[i] == Presence::all) continue;
    if (begin < i) kernels.loss(part_of(loss, begin, i));
    begin = i + 1;
    if (i == loss.rows) return;
    const kernels::LossRows<T> row = part_of(loss, i, i + 1);
    if (there[i] == Presence::some) {
      compare_part(kernels, goal, row);
    } else {
      row.losses[0] = 0;
      if (row.delta != nullptr) std::fill_n(row.delta, row.delta_stride, T(0));
    }
  }
}

/// The losses of rows [begin, end) of one's own, with their gradients where these are wanted.
template <typename T>
void compare_own(const OwnFunction& loss, const Compared<T>& c, Index begin, Index end) {
  std::array<T, kBlockRows> block;
  std::vector<T> all(static_cast<std::size_t>(loss.mixes_rows() ? end - begin : 0));
  const Index most = loss.mixes_rows() ? end - begin : kBlockRows;
  T* const d_values = loss.mixes_rows() ? all.data() : block.data();
  for (; begin < end; begin += most) {
    OwnRows<T> rows;
    rows.rows = std::min(most, end - begin);
    rows.targets = {c.targets + begin * c.targets_stride, c.targets_stride};
    rows.outputs = {c.outputs + begin * c.outputs_stride, c.outputs_stride};
    rows.values = c.losses + begin;
    if (c.delta != nullptr) {
      for (Index i = 0; i < rows.rows; ++i) {
        d_values[i] = c.weights != nullptr ? c.scale * c.weights[begin + i] : c.scale;
      }
      rows.d_values = d_values;
      rows.d_outputs = {c.delta + begin * c.delta_stride, c.delta_stride};
    }
    loss(rows);
    for (Index i = 0; c.weights != nullptr && i < rows.rows; ++i) rows.values[i] *= c.weights[begin + i];
  }
}

/// The same for those rows whose targets are there.
template <typename T>
void compare_own(const OwnFunction& loss, const Compared<T>& c, const Presence* there) {
  if (there == nullptr) return compare_own(loss, c, 0, c.rows);
  Index begin = 0;
  for (Index i = 0; i <= c.rows; ++i) {
    if (i < c.rows && there[i] == Presence::all) continue;
    if (begin < i) compare_own(loss, c, begin, i);
    begin = i + 1;
    if (i == c.rows) return;
    c.losses[i] = 0;
    if (c.delta != nullptr) std::fill_n(c.delta + i * c.delta_stride, c.columns, T(0));
  }
}

}  // namespace

Index own_room(const Goal& goal) {
  Index room = goal.loss && goal.loss->own != nullptr ? goal.loss->own->room() : 0;
  for (const Metric& metric : goal.metrics) {
    if (metric.own != nullptr) room = std::max(room, metric.own->room());
  }
  return room;
}

template <typename T>
void compare(const kernels::Kernels<T>& kernels, const Goal& goal, const Compared<T>& c) {
  const MeasuredRows<T> rows{c.outputs, c.outputs_stride, c.targets, c.targets_stride, c.labels, c.rows, c.columns};
  const Presence* there = c.scores->look(goal, rows, c.first_score);
  if (goal.loss && goal.loss->own != nullptr) {
    compare_own(*goal.loss->own, c, goal.skips_missing ? there : nullptr);
  } else if (goal.loss) {
    const auto values = goal.loss->values_as<T>();
    kernels::LossRows<T> loss;
    loss.loss = goal.loss->index();
    loss.parameters = values.data();
    loss.logits = goal.on_logits();
    loss.write_activation = goal.absorbs_last && !goal.metrics.empty();
    loss.outputs = c.outputs;
    loss.outputs_stride = c.outputs_stride;
    loss.targets = c.targets;
    loss.targets_stride = c.targets_stride;
    loss.labels = c.labels;
    loss.weights = c.weights;
    loss.scale = c.scale;
    loss.delta = c.delta;
    loss.delta_stride = c.delta_stride;
    loss.losses = c.losses;
    loss.rows = c.rows;
    loss.columns = c.columns;
    if (goal.skips_missing) {
      compare_present(kernels, goal, loss, there);
    } else {
      kernels.loss(loss);
    }
    if (c.labels != nullptr) {
      for (Index i = 0; i < c.rows; ++i) {
        if (may_be_label(goal, c.labels[i], c.columns) || (there != nullptr && there[i] == Presence::none)) continue;
        c.losses[i] = std::numeric_limits<T>::quiet_NaN();
      }
    }
  }
  c.scores->measure(goal, rows, c.first_score);
}

template void compare(const kernels::Kernels<float>&, const Goal&, const Compared<float>&);
template void compare(const kernels::Kernels<double>&, const Goal&, const Compared<double>&);

}  // namespace laminar
