// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/compare.hpp"

#include <limits>

namespace laminar {

template <typename T>
void compare(const kernels::Kernels<T>& kernels, const Objective& objective, const Compared<T>& c) {
  const auto values = objective.loss.values_as<T>();
  kernels::LossRows<T> loss;
  loss.loss = objective.loss.index();
  loss.parameters = values.data();
  loss.logits = objective.on_logits();
  loss.write_activation = objective.absorbs_last && !objective.metrics.empty();
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
  kernels.loss(loss);
  if (c.labels != nullptr) {
    for (Index i = 0; i < c.rows; ++i) {
      if (may_be_label(objective, c.labels[i], c.columns)) continue;
      c.losses[i] = std::numeric_limits<T>::quiet_NaN();
    }
  }

  const MeasuredRows<T> rows{c.outputs, c.outputs_stride, c.targets, c.targets_stride, c.labels, c.rows, c.columns};
  c.scores->measure(objective, rows, c.first_score);
}

template void compare(const kernels::Kernels<float>&, const Objective&, const Compared<float>&);
template void compare(const kernels::Kernels<double>&, const Objective&, const Compared<double>&);

}  // namespace laminar
