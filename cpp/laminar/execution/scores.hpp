// SPDX-License-Identifier: Apache-2.0
// The metrics of a model at work: what each says of the rows of a batch, and the states into which
// rows are folded in their order. Both are sized once; a step allocates nothing.
#pragma once

#include <cmath>
#include <optional>
#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/data/batch_rows.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// The values of every metric of a goal for up to `rows` rows; threads write different rows.
template <typename T>
class RowScores {
 public:
  RowScores(const Goal& goal, Index rows);

  /// Looks at what is there of the targets of rows that follow each other, of which the first is number `first`
  /// here; null where all count. Comes before measure().
  const Presence* look(const Goal& goal, const MeasuredRows<T>& rows, Index first);
  /// Measures them; rows that do not count are left out. Needs as much scratch as for compare().
  void measure(const Goal& goal, const MeasuredRows<T>& rows, Index first);
  /// Of the first row.
  const double* values(std::size_t metric, Index row) const {
    return values_.data() + offsets_[metric] + row * widths_[metric];
  }
  /// The rows that count for a metric among [first, rows), from the first one on as far as they follow each other.
  struct Run {
    Index begin;
    Index end;
  };
  Run run(std::size_t metric, Index first, Index rows) const;

 private:
  void measure_run(const Goal& goal, const MeasuredRows<T>& rows, Index first, Run run);
  void measure_part(const Goal& goal, const MeasuredRows<T>& rows, Index first, Index row);

  Index stride_;  // of probabilities
  std::vector<Index> offsets_;
  std::vector<Index> widths_;
  std::vector<Parts> parts_;        // how each metric takes rows with some of their targets
  std::vector<double> values_;      // [metric][row][value]
  std::vector<Presence> presence_;  // of each row; empty where all count
  AlignedBuffer<T> probabilities_;  // padded rows, where the outputs are logits and metrics see these
};

/// What the rows seen so far add up to.
class Scores {
 public:
  explicit Scores(const Goal& goal);

  /// Adds the first `rows` rows; weights may be null, and only weighted metrics look at them.
  template <typename T>
  void fold(const RowScores<T>& scores, const T* weights, Index rows);
  /// As before the first row.
  void clear();
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

/// Which targets of a row are there, and what of a row stands in their columns: for losses and metrics of these
/// alone. The memory is the thread's scratch.
template <typename T>
class PartOfRow {
 public:
  /// Elements of scratch.
  static Index room(const Goal& goal) { return goal.compares_parts ? 3 * padded_stride(goal.columns) : 0; }

  PartOfRow(const Goal& goal, const T* targets);

  Index columns() const { return columns_; }
  T* outputs() const { return memory_; }
  const T* targets() const { return memory_ + stride_; }
  T* delta() const { return memory_ + 2 * stride_; }
  /// Outputs of these columns from a row and to it, and the delta to it, 0 in the others.
  void take_outputs(const T* row);
  void give_outputs(T* row) const;
  void give_delta(T* row) const;
  /// values of a row with `each` numbers a column: from those of these columns at their front to all.
  void spread(double* values, Index each) const;

 private:
  bool there(Index column) const { return !std::isnan(row_[column]); }

  const T* row_;  // targets
  Index all_;
  Index stride_;
  Index columns_ = 0;
  T* memory_;
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
