// SPDX-License-Identifier: Apache-2.0
// Metrics of values: means of a loss, which the kernel of the loss computes, and R^2.
#pragma once

#include "laminar/catalogue/entries.hpp"
#include "laminar/catalogue/metrics/row.hpp"
#include "laminar/kernels/losses.hpp"

namespace laminar::metrics {
namespace {

/// Without what becomes of the row losses, which stands last where a loss has it: a metric is a mean.
constexpr EntryInfo without_reduction(EntryInfo info) {
  const int last = info.count() - 1;
  if (last >= 0 && std::string_view(info.parameters[last].name) == "reduction") info.parameters[last] = {};
  return info;
}

/// The mean over rows of the loss L, with the loss's name and hyper-parameters. A row's values are its
/// loss and whether it counts: rows of the class that L ignores do not.
template <typename L>
struct MeanOf : MeanMetric {
  static constexpr EntryInfo info = without_reduction(L::info);
  static constexpr Takes takes = L::class_labels ? Takes::labels : Takes::values;
  static constexpr int loss = position_of<L>(kernels::Losses{});
  using Link = typename L::Fused;
  static Parts parts(const Setting&) {
    if constexpr (requires { L::averaged; }) return L::averaged ? Parts::as_row : Parts::none;
    return Parts::none;
  }
  static Index row_values(const Setting&) { return 2; }
  static void fold(const Setting&, const double* values, double weight, double* state) {
    state[0] += weight * values[0];
    state[1] += weight * values[1];
  }
};

/// The mean of a loss of margins, which are no probabilities: logits stay as they are.
template <typename L>
struct MeanOfMargins : MeanOf<L> {
  static bool of_probabilities(const Setting&, bool) { return false; }
};

/// Root of the mean of the squared error over all rows and outputs.
struct RootMeanSquaredError : MeanOf<kernels::Mse> {
  static constexpr EntryInfo info{"rmse", "root_mean_squared_error", {}};
  static double finish(const Setting& s, const double* state) { return std::sqrt(MeanOf::finish(s, state)); }
};

/// The mean cosine of the angle between y and p: the loss without its minus.
struct CosineSimilarity : MeanOf<kernels::CosineSimilarity> {
  static constexpr bool upwards = true;
  static double finish(const Setting& s, const double* state) { return -MeanOf::finish(s, state); }
};

/// R^2 = 1 - sum (y - p)^2 / sum (y - mean y)^2 of every output, averaged plainly or weighted by the
/// variance of its targets; with q regressors 1 - (1 - R^2) (n - 1) / (n - q - 1).
struct R2Score {
  static constexpr EntryInfo info{"r2_score",
                                  "r2",
                                  {{"class_aggregation", 0, Range::word, "uniform_average variance_weighted_average"},
                                   {"num_regressors", 0, Range::whole}}};
  static constexpr Takes takes = Takes::values;
  static constexpr bool upwards = true;

  static Index row_values(const Setting& s) { return 2 * s.columns; }
  // Rows, their weight; then for every output mean and squared deviation of y, squared error.
  static Index state_size(const Setting& s) { return 2 + 3 * s.columns; }

  template <typename T>
  static void measure(const Setting& s, const Row<T>& row, double* out) {
    for (Index j = 0; j < s.columns; ++j) {
      const double e = row.target(j) - row.output(j);
      out[2 * j] = row.target(j);
      out[2 * j + 1] = e * e;
    }
  }
  // The mean moves with every row (Welford 1962): sums of squares would lose what a far mean takes.
  static void fold(const Setting& s, const double* values, double weight, double* state) {
    state[0] += 1;
    state[1] += weight;
    for (Index j = 0; j < s.columns; ++j) {
      double* of = state + 2 + 3 * j;
      const double before = values[2 * j] - of[0];
      of[0] += share(weight, state[1]) * before;
      of[1] += weight * before * (values[2 * j] - of[0]);
      of[2] += weight * values[2 * j + 1];
    }
  }
  /// Constant targets leave nothing to explain: 1 for exact answers, else 0.
  static double score(double deviation, double error) {
    if (deviation == 0) return error == 0 ? 1 : std::isnan(error) ? error : 0;
    return 1 - error / deviation;
  }
  static double finish(const Setting& s, const double* state) {
    if (state[1] == 0) return 0;
    double sum = 0;
    double total = 0;
    for (Index j = 0; j < s.columns; ++j) {
      const double* of = state + 2 + 3 * j;
      const double weight = s.p[0] == 0 ? 1 : of[1];
      sum += weight * score(of[1], of[2]);
      total += weight;
    }
    const double r2 = share(sum, total);
    const double rest = state[0] - s.p[1] - 1;
    return s.p[1] > 0 && rest > 0 ? 1 - (1 - r2) * (state[0] - 1) / rest : r2;
  }
};

}  // namespace
}  // namespace laminar::metrics
