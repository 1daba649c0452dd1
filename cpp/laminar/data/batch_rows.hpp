// SPDX-License-Identifier: Apache-2.0
// The rows of a data set that one step trains on, what they weigh, and which of their targets are there.
#pragma once

#include <cmath>

#include "laminar/base/mean_weight.hpp"
#include "laminar/base/types.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// How much of a row's target a goal is compared with.
enum class Presence : char { none, some, all };

inline Presence presence(const Goal& goal, std::int32_t label) {
  const bool missing = goal.skips_missing && label == kMissingLabel;
  return missing || (goal.ignored && label == *goal.ignored) ? Presence::none : Presence::all;
}

/// Of a goal's targets that are values.
template <typename T>
Presence presence(const Goal& goal, const T* targets) {
  if (!goal.skips_missing) return Presence::all;
  Index missing = 0;
  for (Index j = 0; j < goal.targets; ++j) missing += std::isnan(targets[j]) ? 1 : 0;
  if (missing == 0) return Presence::all;
  return goal.compares_parts && missing < goal.targets ? Presence::some : Presence::none;
}

/// A class number that stands among values; one that is none where it is NaN or too large.
template <typename T>
std::int32_t label_of(T value) {
  return value >= T(-0x1p31) && value < T(0x1p31) ? static_cast<std::int32_t>(value) : kMissingLabel;
}

/// What rows weigh towards a goal.
template <typename T>
struct GoalWeights {
  GoalWeights(const Goal& goal, const Dataset<T>& data)
      : each(data.weights_per_row()), first(data.sample_weight.data() + (each > 1 ? goal.number : 0)) {}
  T operator[](Index row) const { return first[row * each]; }

  Index each;
  const T* first;
};

/// Rows of a data set: `count` of them from position `first` of the order.
template <typename T>
struct BatchRows {
  const Dataset<T>& data;
  const Index* order;  // null: the rows as they stand
  Index first;
  Index count;
  std::span<const MeanWeight> means = {};  // one a goal; empty: not known
  bool own_weights = false;                // each batch is divided by its own weights, as scikit-learn does

  Index row(Index i) const { return order != nullptr ? order[first + i] : first + i; }
  /// Where a row's targets of a goal begin, which are values, or one value that is a class number.
  const T* targets(const Goal& goal, Index row) const {
    return data.y.values.data + row * data.y.values.columns + goal.first_target;
  }
  /// The class number of a row.
  std::int32_t label(const Goal& goal, Index row) const {
    return data.y.labels.empty() ? label_of(*targets(goal, row)) : data.y.labels[static_cast<std::size_t>(row)];
  }
  bool counts(const Goal& goal, Index row) const {
    const Presence there = goal.labels ? presence(goal, label(goal, row)) : presence(goal, targets(goal, row));
    return there != Presence::none;
  }
  /// All but those that count for nothing.
  Index counted(const Goal& goal) const {
    if (!goal.may_skip()) return count;
    Index counted = 0;
    for (Index i = 0; i < count; ++i) counted += counts(goal, row(i)) ? 1 : 0;
    return counted;
  }
  /// Sum of the rows' weights, which the loss of an epoch is divided by: 0 for a row that counts for nothing,
  /// and 1 in all where the loss is a sum.
  double weight(const Goal& goal) const {
    if (goal.sums) return 1;
    if (data.sample_weight.empty()) return static_cast<double>(counted(goal));
    const GoalWeights<T> weights(goal, data);
    double sum = 0;
    for (Index i = 0; i < count; ++i) {
      const Index r = row(i);
      if (goal.may_skip() && !counts(goal, r)) continue;
      sum += static_cast<double>(weights[r]);
    }
    return sum;
  }
  /// What the batch's loss and gradient are divided by, `weight` being the sum of its weights.
  double divisor(const Goal& goal, double weight) const {
    const bool by_weight = goal.sums || goal.by_weight || own_weights || data.sample_weight.empty();
    if (by_weight) return weight;
    return (means.empty() ? MeanWeight{} : means[goal.number]).times(counted(goal));
  }
};

}  // namespace laminar
