// SPDX-License-Identifier: Apache-2.0
// What a model is trained towards and measured by: its loss, its metrics, and whether the loss takes
// the last activation upon itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/metric.hpp"
#include "laminar/graph/network.hpp"

namespace laminar {

/// Loss and metrics in the form that fits a network.
struct Objective {
  /// Resolves metrics for the network; throws where loss, metrics and outputs do not fit together, or
  /// two metrics have one key.
  Objective(const Network& network, const Loss& loss, const std::vector<Metric>& metrics);

  Loss loss;
  std::vector<Metric> asked;            // metrics as they were given
  std::vector<Metric> metrics;          // in the form that is computed
  std::vector<std::string> names;       // "loss", then the keys of the metrics
  bool absorbs_last = false;            // loss and last activation are one, on logits
  bool logits = false;                  // … or the outputs are logits themselves
  std::optional<Activation> link;       // then what makes probabilities of them, for metrics
  std::vector<char> of_probabilities;   // whether each metric sees these
  bool sums = false;                    // a batch's loss is the sum over its rows, not their mean
  bool by_weight = false;               // … is divided by the sum of the batch's own weights
  std::optional<std::int32_t> ignored;  // rows of this class count for nothing

  /// The outputs reach the loss as logits.
  bool on_logits() const { return absorbs_last || logits; }
  /// Whether any metric sees probabilities that the outputs are not.
  bool needs_link() const {
    return std::find(of_probabilities.begin(), of_probabilities.end(), 1) != of_probabilities.end();
  }
};

}  // namespace laminar
