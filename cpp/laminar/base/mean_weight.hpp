// SPDX-License-Identifier: Apache-2.0
// What the rows of a training set weigh on average.
#pragma once

#include "laminar/base/types.hpp"

namespace laminar {

/// What stands behind the weight of a row: the mean of all rows that are trained on. A batch is divided by
/// its rows times this mean, not by the sum of its own weights, which would let a row pull the less the more
/// its batch weighs.
struct MeanWeight {
  double sum = 0;  // of the weights of all rows
  Index rows = 0;  // that count; 0: the mean is not known, and taken for 1

  /// Exactly the sum for all rows: a batch of them all is a weighted mean.
  double times(Index count) const {
    if (rows == 0) return static_cast<double>(count);
    return count == rows ? sum : static_cast<double>(count) * (sum / static_cast<double>(rows));
  }
};

}  // namespace laminar
