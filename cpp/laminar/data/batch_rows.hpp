// SPDX-License-Identifier: Apache-2.0
// The rows of a data set that one step trains on, and what they weigh.
#pragma once

#include "laminar/base/mean_weight.hpp"
#include "laminar/base/types.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// Rows of a data set: `count` of them from position `first` of the order.
template <typename T>
struct BatchRows {
  const Dataset<T>& data;
  const Index* order;  // null: the rows as they stand
  Index first;
  Index count;
  MeanWeight mean = {};

  Index row(Index i) const { return order != nullptr ? order[first + i] : first + i; }
  /// All but those of the ignored class.
  Index counted(const Objective& objective) const {
    if (!objective.ignored) return count;
    Index counted = 0;
    for (Index i = 0; i < count; ++i) {
      counted += data.y.labels[static_cast<std::size_t>(row(i))] != *objective.ignored ? 1 : 0;
    }
    return counted;
  }
  /// Sum of the rows' weights, which the loss of an epoch is divided by: 0 for a row of the ignored class,
  /// and 1 in all where the loss is a sum.
  double weight(const Objective& objective) const {
    if (objective.sums) return 1;
    if (data.sample_weight.empty() && !objective.ignored) return static_cast<double>(count);
    double sum = 0;
    for (Index i = 0; i < count; ++i) {
      const auto r = static_cast<std::size_t>(row(i));
      if (objective.ignored && data.y.labels[r] == *objective.ignored) continue;
      sum += data.sample_weight.empty() ? 1 : static_cast<double>(data.sample_weight[r]);
    }
    return sum;
  }
  /// What the batch's loss and gradient are divided by, `weight` being the sum of its weights.
  double divisor(const Objective& objective, double weight) const {
    const bool by_weight = objective.sums || objective.by_weight || mean.own || data.sample_weight.empty();
    return by_weight ? weight : mean.times(counted(objective));
  }
};

}  // namespace laminar
