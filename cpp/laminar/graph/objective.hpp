// SPDX-License-Identifier: Apache-2.0
// What a model is trained towards and measured by: a goal for its outputs together, or one for each of
// them. The losses of several are added up.
//
// Targets of several goals lie side by side in rows of y: those of each as many columns as its output
// has, or one column of class numbers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "laminar/graph/head.hpp"
#include "laminar/graph/network.hpp"

namespace laminar {

/// A loss and metrics in the form that fits an output, and whether the loss takes the activation before it
/// upon itself.
struct Goal {
  std::size_t number = 0;  // among the goals
  std::size_t output = 0;  // whose it is, among the network's
  std::string name = {};   // of that output
  int node = 0;            // whose values are compared
  Index columns = 0;       // of these
  Index first_target = 0;  // column of y
  Index targets = 0;       // columns of y
  std::optional<Loss> loss = {};
  double weight = 1;                         // of the loss in the sum
  std::vector<Metric> metrics = {};          // in the form that is computed
  bool labels = false;                       // targets are class numbers
  bool absorbs_last = false;                 // loss and last activation are one, on logits
  bool logits = false;                       // … or the outputs are logits themselves
  std::optional<Activation> link = {};       // then what makes probabilities of them, for metrics
  std::vector<char> of_probabilities = {};   // whether each metric sees these
  bool sums = false;                         // a batch's loss is the sum over its rows, not their mean
  bool by_weight = false;                    // … is divided by the sum of the batch's own weights
  std::optional<std::int32_t> ignored = {};  // rows of this class count for nothing
  bool skips_missing = false;                // nor do targets that are missing
  bool compares_parts = false;               // a row with some of its targets is compared on these
  bool mixes_rows = false;                   // the loss of a row depends on the other rows of its batch
  std::optional<std::size_t> log = {};       // the place of the loss in logs, where it has one of its own
  std::vector<std::size_t> metric_logs = {};

  /// The outputs reach the loss as logits.
  bool on_logits() const { return absorbs_last || logits; }
  /// Some rows may count for nothing.
  bool may_skip() const { return skips_missing || ignored.has_value(); }
  /// Whether any metric sees probabilities that the outputs are not.
  bool needs_link() const {
    return std::find(of_probabilities.begin(), of_probabilities.end(), 1) != of_probabilities.end();
  }
};

/// The goals of a network.
struct Objective {
  /// One for all outputs together. Resolves metrics for the network; throws where loss, metrics and outputs do
  /// not fit together, or two metrics have one key.
  Objective(const Network& network, const Loss& loss, const std::vector<Metric>& metrics, bool ignore_nan = false);
  /// One for each output, or with a single head for all together.
  Objective(const Network& network, std::vector<Head> heads, bool ignore_nan = false);

  std::vector<Head> asked;         // as they were given
  bool ignore_nan = false;         // targets that are NaN are missing
  bool apart = false;              // outputs are compared where they are computed, not side by side
  std::vector<Goal> goals;         // of outputs that have a loss or metrics
  Index target_columns = 0;        // of y; 0 where it is class numbers
  std::vector<std::string> names;  // of logs: "loss", then the losses of several goals, then the metrics
  std::vector<char> absorbs;       // by node: a loss takes its activation upon itself

  /// The same, null where there is none.
  const char* absorbed() const { return absorbs.empty() ? nullptr : absorbs.data(); }
  /// The losses are of the batch's mean, see Loss::whole_batch.
  bool whole_batch() const { return goals.front().loss && goals.front().loss->whole_batch(); }
  /// All rows of a batch are compared at once.
  bool mixes_rows() const {
    return std::any_of(goals.begin(), goals.end(), [](const Goal& goal) { return goal.mixes_rows; });
  }
  /// The end of the nodes that training and evaluation run: all but the last, where outputs are compared before it.
  int end(const Network& network) const { return static_cast<int>(network.nodes().size()) - (apart ? 1 : 0); }

 private:
  void add_goal(const Network& network, std::size_t output, const Head& head);
  void name_logs();
};

}  // namespace laminar
