// SPDX-License-Identifier: Apache-2.0
// The rows of a data set that one step trains on.
#pragma once

#include "laminar/types.hpp"

namespace laminar {

/// Rows of a data set: `count` of them from position `first` of the order.
template <typename T>
struct BatchRows {
  const Dataset<T>& data;
  const Index* order;  // null: the rows as they stand
  Index first;
  Index count;

  Index row(Index i) const { return order != nullptr ? order[first + i] : first + i; }
  /// Sum of the rows' weights, which the batch's loss and gradient are divided by.
  double weight() const {
    if (data.sample_weight.empty()) return static_cast<double>(count);
    double sum = 0;
    for (Index i = 0; i < count; ++i) sum += static_cast<double>(data.sample_weight[static_cast<std::size_t>(row(i))]);
    return sum;
  }
};

}  // namespace laminar
