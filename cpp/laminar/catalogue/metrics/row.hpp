// SPDX-License-Identifier: Apache-2.0
// What the entries of the list of metrics are written with: one row of outputs and targets in double
// precision, and the base of metrics that are means over rows.
#pragma once

#include <cmath>

#include "laminar/catalogue/metric.hpp"

namespace laminar::metrics {

/// One row. A class number is seen as its one-hot row.
template <typename T>
class Row {
 public:
  Row(const MeasuredRows<T>& rows, Index i)
      : outputs_(rows.outputs + i * rows.outputs_stride),
        targets_(rows.targets != nullptr ? rows.targets + i * rows.targets_stride : nullptr),
        label_(rows.labels != nullptr ? rows.labels[i] : 0),  // read once: another thread may write it
        columns_(rows.columns) {}

  Index columns() const { return columns_; }
  double output(Index j) const { return static_cast<double>(outputs_[j]); }
  double target(Index j) const {
    return targets_ != nullptr ? static_cast<double>(targets_[j]) : label_ == j ? 1.0 : 0.0;
  }
  /// Whether output j should be a yes. Smoothed targets and those of -1 and 1 are understood as well.
  bool positive(Index j) const { return target(j) > 0.5; }

  /// Places of the largest output and target, the first of equals.
  Index largest_output() const { return largest(outputs_); }
  Index truth() const { return targets_ != nullptr ? largest(targets_) : label_; }

  bool broken() const {
    if (label_ < 0 || label_ >= columns_) return true;
    for (Index j = 0; j < columns_; ++j) {
      if (std::isnan(outputs_[j]) || (targets_ != nullptr && std::isnan(targets_[j]))) return true;
    }
    return false;
  }

 private:
  Index largest(const T* values) const {
    Index best = 0;
    for (Index j = 1; j < columns_; ++j) best = values[j] > values[best] ? j : best;
    return best;
  }

  const T* outputs_;
  const T* targets_;
  std::int32_t label_;
  Index columns_;
};

/// a / b, and 0 where there is nothing to divide by.
inline double share(double a, double b) { return b == 0 ? 0 : a / b; }

/// What a metric knows beside the rows: its hyper-parameters and the number of outputs.
struct Setting {
  const double* p;
  Index columns;
};

/// One number a row, averaged.
struct MeanMetric {
  static constexpr Takes takes = Takes::values;
  static constexpr bool upwards = false;
  static Index row_values(const Setting&) { return 1; }
  static Index state_size(const Setting&) { return 2; }
  static void fold(const Setting&, const double* values, double weight, double* state) {
    state[0] += weight * values[0];
    state[1] += weight;
  }
  static double finish(const Setting&, const double* state) { return share(state[0], state[1]); }
};

}  // namespace laminar::metrics
