// SPDX-License-Identifier: Apache-2.0
// What one output of a model is trained towards and measured by, as users say it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/metric.hpp"

namespace laminar {

/// `Head{.loss = "mse", .weight = 0.5, .metrics = {"mae"}}`.
struct Head {
  std::optional<Loss> loss = {};  // without it the output is not trained towards anything itself
  double weight = 1;              // of the loss in the sum that is minimized
  std::vector<Metric> metrics = {};
  std::string name = {};  // of the output, in logs; empty: the name that the network gives it
};

/// In place of a class number that is missing, where `ignore_nan` lets targets be.
inline constexpr std::int32_t kMissingLabel = std::numeric_limits<std::int32_t>::min();

}  // namespace laminar
