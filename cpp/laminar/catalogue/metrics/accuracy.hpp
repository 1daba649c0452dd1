// SPDX-License-Identifier: Apache-2.0
// Shares of right answers.
#pragma once

#include "laminar/catalogue/metrics/row.hpp"

namespace laminar::metrics {

struct AccuracyMetric : MeanMetric {
  static constexpr bool upwards = true;
};

/// Share of outputs that equal their targets: what accuracy means for answers that are classes, not
/// probabilities. For probabilities it is resolved to the form that fits them.
struct Accuracy : AccuracyMetric {
  static constexpr EntryInfo info{"accuracy", "acc", {}};
  static constexpr Takes takes = Takes::either;
  static Parts parts(const Setting&) { return Parts::as_row; }
  template <typename T>
  static void measure(const Setting&, const Row<T>& row, double* out) {
    Index right = 0;
    for (Index j = 0; j < row.columns(); ++j) right += row.output(j) == row.target(j) ? 1 : 0;
    *out = static_cast<double>(right) / static_cast<double>(row.columns());
  }
};

/// Share of outputs on the target's side of the threshold.
struct BinaryAccuracy : AccuracyMetric {
  static constexpr EntryInfo info{"binary_accuracy", "", {{"threshold", 0.5, Range::fraction}}};
  static Parts parts(const Setting&) { return Parts::as_row; }
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    Index right = 0;
    for (Index j = 0; j < row.columns(); ++j) right += (row.output(j) > s.p[0]) == (row.target(j) > s.p[0]) ? 1 : 0;
    *out = static_cast<double>(right) / static_cast<double>(row.columns());
  }
};

/// Of the order of a row's outputs, which probabilities have from their logits, but for ties.
struct RankMetric : AccuracyMetric {
  static bool of_probabilities(const Setting&, bool) { return false; }
};

/// 1 where the largest output is at the largest target.
struct CategoricalAccuracy : RankMetric {
  static constexpr EntryInfo info{"categorical_accuracy", "", {}};
  template <typename T>
  static void measure(const Setting&, const Row<T>& row, double* out) {
    *out = row.largest_output() == row.truth() ? 1 : 0;
  }
};

/// 1 where the largest output is at the label.
struct SparseCategoricalAccuracy : CategoricalAccuracy {
  static constexpr EntryInfo info{"sparse_categorical_accuracy", "", {}};
  static constexpr Takes takes = Takes::labels;
};

/// 1 where fewer than k outputs are larger than that at the largest target.
struct TopKCategoricalAccuracy : RankMetric {
  static constexpr EntryInfo info{"top_k_categorical_accuracy", "", {{"k", 5, Range::count}}};
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    const double own = row.output(row.truth());
    Index larger = 0;
    for (Index j = 0; j < row.columns(); ++j) larger += row.output(j) > own ? 1 : 0;
    *out = static_cast<double>(larger) < s.p[0] ? 1 : 0;
  }
};

/// The same with labels.
struct SparseTopKCategoricalAccuracy : TopKCategoricalAccuracy {
  static constexpr EntryInfo info{"sparse_top_k_categorical_accuracy", "", {{"k", 5, Range::count}}};
  static constexpr Takes takes = Takes::labels;
};

}  // namespace laminar::metrics
