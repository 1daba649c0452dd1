// SPDX-License-Identifier: Apache-2.0
// The area under the ROC or the precision-recall curve: through all of its points (ranking.hpp), or those
// at evenly spaced thresholds, for which outputs are counted in buckets between the thresholds.
#pragma once

#include <algorithm>

#include "laminar/catalogue/metrics/ranking.hpp"
#include "laminar/catalogue/metrics/row.hpp"

namespace laminar::metrics {

struct Auc {
  static constexpr EntryInfo info{"auc",
                                  "",
                                  {{"num_thresholds", kAbsent, Range::count},
                                   {"curve", 0, Range::word, "ROC PR"},
                                   {"summation_method", 0, Range::word, "interpolation majoring minoring"},
                                   {"multi_label", 0, Range::flag},
                                   {"from_logits", 0, Range::flag}}};
  static constexpr Takes takes = Takes::either;
  static constexpr bool upwards = true;
  // The words, by number.
  static constexpr double roc = 0;
  static constexpr double interpolation = 0;
  static constexpr double majoring = 1;
  static constexpr double minoring = 2;

  static bool exact(const Setting& s) { return std::isnan(s.p[0]); }
  /// A sigmoid leaves outputs in their order, and rounds some to one.
  static bool of_probabilities(const Setting& s, bool elementwise) { return !(exact(s) && elementwise); }

  static Parts parts(const Setting&) { return Parts::as_columns; }

  // Bucket b holds the outputs above threshold b and no other after it: those in (b, b + 1] / (n - 1), and
  // 0 with the first. State: for each curve (one, or one for each output) the positives of every
  // bucket, then the negatives.
  static Index buckets(const Setting& s) { return static_cast<Index>(s.p[0]) - 1; }
  static Index curves(const Setting& s) { return s.p[3] != 0 ? s.columns : 1; }
  static Index row_values(const Setting& s) { return exact(s) ? 2 * s.columns : s.columns; }
  static Index state_size(const Setting& s) { return exact(s) ? Ranking::kHeader : curves(s) * 2 * buckets(s); }
  /// The most that the state may grow to by so many rows; fold allocates nothing up to there.
  static Index state_bound(const Setting& s, Index size, Index rows) {
    return exact(s) ? Ranking::bound(size, rows * s.columns) : size;
  }
  static Index size_of(const Setting& s, std::span<const double> states) {
    if (!exact(s)) return state_size(s);
    return states.empty() || !(states[0] > 0 && states[0] < 1e15) ? Ranking::kHeader : static_cast<Index>(states[0]);
  }
  static bool valid(const Setting& s, std::span<const double> state) {
    return exact(s) ? Ranking::valid(state, curves(s)) : static_cast<Index>(state.size()) == state_size(s);
  }

  /// The output and whether it should be a yes, or the number of its bucket.
  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    if (exact(s)) {
      for (Index j = 0; j < s.columns; ++j) {
        out[2 * j] = row.output(j);
        out[2 * j + 1] = row.positive(j) ? 1 : 0;
      }
      return;
    }
    const Index n = buckets(s);
    for (Index j = 0; j < s.columns; ++j) {
      const double p = s.p[4] != 0 ? 1 / (1 + std::exp(-row.output(j))) : row.output(j);
      const double place = std::ceil(p * static_cast<double>(n)) - 1;
      const double bucket = std::clamp(place, 0.0, static_cast<double>(n - 1));
      out[j] = bucket + (row.positive(j) ? 0 : static_cast<double>(n));
    }
  }
  static void fold(const Setting& s, const double* values, double weight, std::vector<double>& state) {
    if (exact(s)) {
      for (Index j = 0; j < s.columns; ++j) {
        if (values[2 * j + 1] < 0) continue;  // missing
        const auto curve = static_cast<double>(curves(s) > 1 ? j : 0);
        Ranking::add(state,
                     {curve, values[2 * j], values[2 * j + 1] != 0 ? weight : 0, values[2 * j + 1] != 0 ? 0 : weight});
      }
      return;
    }
    const Index stride = curves(s) > 1 ? 2 * buckets(s) : 0;
    for (Index j = 0; j < s.columns; ++j) {
      if (std::isnan(values[j])) {
        state[static_cast<std::size_t>(j * stride)] = NAN;
      } else if (values[j] >= 0) {
        state[static_cast<std::size_t>(j * stride + static_cast<Index>(values[j]))] += weight;
      }
    }
  }
  static double finish(const Setting& s, std::vector<double>& state) {
    double sum = 0;
    if (exact(s)) {
      if (Ranking::broken(state)) return NAN;
      const std::span<const Ranking::Entry> entries = Ranking::sorted(state);
      for (std::size_t begin = 0, end = 0; begin < entries.size(); begin = end) {
        while (end < entries.size() && entries[end].curve == entries[begin].curve) ++end;
        sum += area(s, static_cast<Index>(end - begin), [&](Index i) {
          const Ranking::Entry& entry = entries[begin + static_cast<std::size_t>(i)];
          return Counts{entry.positives, entry.negatives};
        });
      }
    } else {
      for (Index c = 0; c < curves(s); ++c) {
        const double* positives = state.data() + c * 2 * buckets(s);
        sum += area(s, buckets(s), [&](Index b) { return Counts{positives[b], positives[b + buckets(s)]}; });
      }
    }
    return sum / static_cast<double>(curves(s));
  }

  struct Counts {
    double positives;
    double negatives;
  };
  /// From the highest of n thresholds, above which there is nothing, to the lowest, piece by piece;
  /// between(b) is what lies between threshold b and the next.
  template <typename Between>
  static double area(const Setting& s, Index n, const Between& between) {
    double all_positives = 0;
    double all_negatives = 0;
    for (Index b = 0; b < n; ++b) {
      all_positives += between(b).positives;
      all_negatives += between(b).negatives;
    }
    double sum = 0;
    double tp = 0;
    double fp = 0;
    for (Index b = n; b-- > 0;) {
      const double next_tp = tp + between(b).positives;
      const double next_fp = fp + between(b).negatives;
      if (s.p[1] == roc) {
        const double width = share(next_fp - fp, all_negatives);
        sum += width * height(s, share(tp, all_positives), share(next_tp, all_positives));
      } else if (s.p[2] == interpolation) {
        sum += share(interpolated(tp, fp, next_tp, next_fp), all_positives);
      } else {
        const double width = share(next_tp - tp, all_positives);
        sum += width * height(s, share(tp, tp + fp), share(next_tp, next_tp + next_fp));
      }
      tp = next_tp;
      fp = next_fp;
    }
    return sum;
  }
  static double height(const Setting& s, double a, double b) {
    if (s.p[2] == majoring) return std::max(a, b);
    return s.p[2] == minoring ? std::min(a, b) : (a + b) / 2;
  }
  /// The integral of precision over the true positives between two thresholds, both counts growing in
  /// proportion: slope (d_tp + intercept ln(p_next / p)), p = tp + fp  (Davis and Goadrich 2006).
  static double interpolated(double tp, double fp, double next_tp, double next_fp) {
    const double p = tp + fp;
    const double next_p = next_tp + next_fp;
    const double slope = share(next_tp - tp, next_p - p);
    const double intercept = tp - slope * p;
    return slope * (next_tp - tp + intercept * (p > 0 && next_p > 0 ? std::log(next_p / p) : 0));
  }
};

}  // namespace laminar::metrics
