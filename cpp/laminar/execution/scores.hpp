// SPDX-License-Identifier: Apache-2.0
// The metrics of a model at work: what each says of the rows of a batch, and the states into which
// rows are folded in their order. Both are sized once; a step allocates nothing.
#pragma once

#include <optional>
#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// The values of every metric for up to `rows` rows; threads write different rows.
template <typename T>
class RowScores {
 public:
  RowScores(const Objective& objective, Index columns, Index rows);

  /// Measures rows that follow each other, of which the first is number `first` here; rows of the
  /// ignored class count for nothing.
  void measure(const Objective& objective, const MeasuredRows<T>& rows, Index first);
  /// Of the first row.
  const double* values(std::size_t metric, Index row) const {
    return values_.data() + offsets_[metric] + row * widths_[metric];
  }
  /// The rows that count among [first, rows), from the first one on as far as they follow each other.
  struct Run {
    Index begin;
    Index end;
  };
  Run run(Index first, Index rows) const;

 private:
  std::vector<Index> offsets_;
  std::vector<Index> widths_;
  std::vector<double> values_;      // [metric][row][value]
  std::vector<char> counts_;        // of each row; empty unless a class is ignored
  AlignedBuffer<T> probabilities_;  // padded rows, where the outputs are logits and metrics see these
};

/// What the rows seen so far add up to.
class Scores {
 public:
  Scores(const std::vector<Metric>& metrics, Index columns);

  /// Adds the first `rows` rows; weights may be null, and only weighted metrics look at them.
  template <typename T>
  void fold(const RowScores<T>& scores, const T* weights, Index rows);
  /// Makes room for so many more rows.
  void reserve(Index rows);
  std::size_t size() const { return metrics_->size(); }
  double result(std::size_t metric);
  /// Of every metric; states may be replaced by those of equal sizes.
  const std::vector<std::vector<double>>& states() const { return states_; }
  void set_states(std::vector<std::vector<double>> states) { states_ = std::move(states); }

 private:
  const std::vector<Metric>* metrics_;
  Index columns_;
  std::vector<std::vector<double>> states_;
};

/// One metric over rows that come in pieces, for loops of one's own.
class RunningMetric {
 public:
  /// In the form that fits the first rows; exact: accuracy means equal answers, not probabilities.
  explicit RunningMetric(const Metric& metric, bool exact = false) : metric_(metric), exact_(exact) {}

  /// Adds rows of outputs with their targets; empty weights count each row as 1. Throws
  /// std::invalid_argument where they do not fit each other, the metric or earlier rows.
  template <typename T>
  void update(MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights = {});
  /// 0 before the first row.
  double result() const {
    std::vector<double> state = state_;
    return state.empty() ? 0 : metric_.result(state, columns_);
  }

 private:
  template <typename T>
  void check(MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights) const;

  Metric metric_;
  bool exact_;
  Index columns_ = 0;
  std::vector<double> state_;  // empty before the first row
};

}  // namespace laminar
