// SPDX-License-Identifier: Apache-2.0
// Metrics made of true and false positives and negatives, over all outputs of a row. Where nothing
// stands below the line of a fraction it is 0, as in Keras.
#pragma once

#include <algorithm>

#include "laminar/catalogue/metrics/row.hpp"

namespace laminar::metrics {

/// Answers of one row, or of many.
struct Confusion {
  double true_positives = 0;
  double false_positives = 0;
  double true_negatives = 0;
  double false_negatives = 0;

  /// An answer where `is` would have been right.
  void add(bool said, bool is) {
    if (said) {
      (is ? true_positives : false_positives) += 1;
    } else {
      (is ? false_negatives : true_negatives) += 1;
    }
  }
};

/// Every output above the threshold is a yes.
template <typename T>
Confusion confusion(const Row<T>& row, double threshold) {
  Confusion c;
  for (Index j = 0; j < row.columns(); ++j) c.add(row.output(j) > threshold, row.positive(j));
  return c;
}

/// The same for the outputs of one class (NaN: of all), and only the top_k largest outputs of the row
/// (NaN: all; the first of equals) can be a yes.
template <typename T>
Confusion confusion(const Row<T>& row, double threshold, double top_k, double class_id) {
  const Index columns = row.columns();
  const bool limited = top_k < static_cast<double>(columns);
  const auto counts = [&](Index j) { return std::isnan(class_id) || j == static_cast<Index>(class_id); };
  Confusion c;
  for (Index j = 0; j < columns; ++j) {
    if (counts(j)) c.add(!limited && row.output(j) > threshold, row.positive(j));
  }
  // The largest output, the next one, …: without memory for an order.
  Index last = -1;
  for (Index k = 0; limited && k < static_cast<Index>(top_k); ++k) {
    Index next = -1;
    for (Index j = 0; j < columns; ++j) {
      const bool behind =
          last < 0 || row.output(j) < row.output(last) || (row.output(j) == row.output(last) && j > last);
      if (behind && (next < 0 || row.output(j) > row.output(next))) next = j;
    }
    last = next;
    if (!counts(last) || !(row.output(last) > threshold)) continue;
    (row.positive(last) ? c.false_negatives : c.true_negatives) -= 1;
    (row.positive(last) ? c.true_positives : c.false_positives) += 1;
  }
  return c;
}

/// 0.5 where no threshold was asked for.
inline double threshold_or_half(double threshold) { return std::isnan(threshold) ? 0.5 : threshold; }

struct ConfusionMetric {
  static constexpr Takes takes = Takes::either;
  static constexpr bool upwards = true;
};

/// A share of two kinds of answers: right / (right + wrong).
struct ShareMetric : ConfusionMetric {
  static constexpr ParameterInfo thresholds{"thresholds", kAbsent, Range::share};
  static constexpr ParameterInfo top_k{"top_k", kAbsent, Range::count};
  static constexpr ParameterInfo class_id{"class_id", kAbsent, Range::whole};
  static Index row_values(const Setting&) { return 2; }
  static Index state_size(const Setting&) { return 2; }
  static void fold(const Setting&, const double* values, double weight, double* state) {
    state[0] += weight * values[0];
    state[1] += weight * values[1];
  }
  static double finish(const Setting&, const double* state) { return share(state[0], state[0] + state[1]); }

  /// With top_k and no threshold the largest outputs are a yes whatever their size.
  static bool by_rank_alone(const Setting& s) { return std::isnan(s.p[0]) && !std::isnan(s.p[1]); }
  static bool of_probabilities(const Setting& s, bool) { return !by_rank_alone(s); }
  static Parts parts(const Setting& s) {
    return std::isnan(s.p[1]) && std::isnan(s.p[2]) ? Parts::as_row : Parts::none;
  }
  template <typename T>
  static Confusion of(const Setting& s, const Row<T>& row) {
    return confusion(row, by_rank_alone(s) ? -INFINITY : threshold_or_half(s.p[0]), s.p[1], s.p[2]);
  }
};

/// tp / (tp + fp)
struct Precision : ShareMetric {
  static constexpr EntryInfo info{"precision", "", {thresholds, top_k, class_id}};
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    const Confusion c = of(s, row);
    out[0] = c.true_positives;
    out[1] = c.false_positives;
  }
};

/// tp / (tp + fn)
struct Recall : ShareMetric {
  static constexpr EntryInfo info{"recall", "", {thresholds, top_k, class_id}};
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    const Confusion c = of(s, row);
    out[0] = c.true_positives;
    out[1] = c.false_negatives;
  }
};

/// One of the four numbers.
struct CountMetric : ConfusionMetric {
  static constexpr ParameterInfo thresholds{"thresholds", kAbsent, Range::share};
  static Index row_values(const Setting&) { return 1; }
  static Index state_size(const Setting&) { return 1; }
  static Parts parts(const Setting&) { return Parts::as_row; }
  static void fold(const Setting&, const double* values, double weight, double* state) {
    state[0] += weight * values[0];
  }
  static double finish(const Setting&, const double* state) { return state[0]; }
};

struct TruePositives : CountMetric {
  static constexpr EntryInfo info{"true_positives", "", {thresholds}};
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    *out = confusion(row, threshold_or_half(s.p[0])).true_positives;
  }
};

struct TrueNegatives : CountMetric {
  static constexpr EntryInfo info{"true_negatives", "", {thresholds}};
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    *out = confusion(row, threshold_or_half(s.p[0])).true_negatives;
  }
};

struct FalsePositives : CountMetric {
  static constexpr EntryInfo info{"false_positives", "", {thresholds}};
  static constexpr bool upwards = false;
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    *out = confusion(row, threshold_or_half(s.p[0])).false_positives;
  }
};

struct FalseNegatives : CountMetric {
  static constexpr EntryInfo info{"false_negatives", "", {thresholds}};
  static constexpr bool upwards = false;
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    *out = confusion(row, threshold_or_half(s.p[0])).false_negatives;
  }
};

/// (1 + b^2) tp / ((1 + b^2) tp + b^2 fn + fp) of every output, averaged over them: "macro" plainly,
/// "weighted" by how often the output should be a yes, "micro" over the sums of all outputs.
struct FBetaScore : ConfusionMetric {
  static constexpr ParameterInfo average{"average", 0, Range::word, "macro micro weighted"};
  static constexpr ParameterInfo threshold{"threshold", kAbsent, Range::share};
  static constexpr EntryInfo info{"fbeta_score", "", {average, threshold, {"beta", 1.0, Range::positive}}};
  static constexpr double micro = 1;  // the words of average, by number; macro is 0
  static constexpr double weighted = 2;

  static Index row_values(const Setting& s) { return s.columns; }
  static Index state_size(const Setting& s) { return 3 * s.columns; }
  static bool by_size(const Setting& s) { return std::isnan(s.p[1]) && s.columns > 1; }
  static bool of_probabilities(const Setting& s, bool) { return !by_size(s); }
  static Parts parts(const Setting& s) { return by_size(s) ? Parts::none : Parts::as_columns; }

  // Without a threshold the largest output is the yes; a single one is compared with 0.5. What an
  // output adds to its three counts is one number: 1 + the place among them, 0 for a true negative.
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    const double threshold = by_size(s) ? 0 : threshold_or_half(s.p[1]);
    const double top = row.output(row.largest_output());
    for (Index j = 0; j < s.columns; ++j) {
      const bool said = by_size(s) ? row.output(j) == top : row.output(j) > threshold;
      out[j] = said ? (row.positive(j) ? 1 : 2) : (row.positive(j) ? 3 : 0);
    }
  }
  static void fold(const Setting& s, const double* values, double weight, double* state) {
    for (Index j = 0; j < s.columns; ++j) {
      if (std::isnan(values[j])) {
        state[3 * j] = NAN;
      } else if (values[j] > 0) {
        state[3 * j + static_cast<Index>(values[j]) - 1] += weight;
      }
    }
  }
  static double score(const double* counts, double beta) {
    const double b = beta * beta;
    return share((1 + b) * counts[0], (1 + b) * counts[0] + b * counts[2] + counts[1]);
  }
  static double averaged(const Setting& s, const double* state, double beta) {
    double sum = 0;
    double total = 0;
    double all[3] = {};
    for (Index j = 0; j < s.columns; ++j) {
      const double* counts = state + 3 * j;
      const double weight = s.p[0] == weighted ? counts[0] + counts[2] : 1;
      sum += weight * score(counts, beta);
      total += weight;
      for (Index k = 0; k < 3; ++k) all[k] += counts[k];
    }
    return s.p[0] == micro ? score(all, beta) : share(sum, total);
  }
  static double finish(const Setting& s, const double* state) { return averaged(s, state, s.p[2]); }
};

/// The harmonic mean of precision and recall: beta 1.
struct F1Score : FBetaScore {
  static constexpr EntryInfo info{"f1_score", "", {average, threshold}};
  static double finish(const Setting& s, const double* state) { return averaged(s, state, 1); }
};

}  // namespace laminar::metrics
