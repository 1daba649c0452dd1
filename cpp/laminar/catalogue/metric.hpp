// SPDX-License-Identifier: Apache-2.0
// Metrics by name. A metric writes some numbers for every row, which threads may do in any order,
// and folds the rows' numbers into its state in the order of rows: a result does not depend on
// threads. The list stands in metric.cpp, formulas in metrics/.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/choice.hpp"
#include "laminar/catalogue/loss.hpp"

namespace laminar {

/// The list of metrics.
const Family& metric_family();

/// Which targets a metric takes; where it takes either, a class number is its one-hot row.
enum class Takes { values, labels, either };

/// How a metric takes a row of which some targets are missing: not at all, as a row of the other columns, or
/// column by column, each with values of its own.
enum class Parts { none, as_row, as_columns };

/// Rows to be measured, of a padded block.
template <typename T>
struct MeasuredRows {
  T* outputs = nullptr;  // read only
  Index outputs_stride = 0;
  const T* targets = nullptr;  // padded; null where labels are given
  Index targets_stride = 0;
  const std::int32_t* labels = nullptr;
  Index rows = 0;
  Index columns = 0;
};

/// `Metric("accuracy")`, `Metric("precision", {{"thresholds", 0.3}})`. "accuracy" means the binary,
/// categorical or sparse form, by the loss and the width of the output, once the model is compiled.
struct Metric : Choice {
  Metric(const char* name) : Choice(metric_family(), name), key(Choice::name()) {}
  explicit Metric(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(metric_family(), name, values), key(Choice::name()) {}

  /// A metric of one's own: the mean of what a function says of rows.
  explicit Metric(std::shared_ptr<const OwnFunction> function) : Metric("mean_squared_error") {
    key = function->name();
    own = std::move(function);
  }

  std::shared_ptr<const OwnFunction> own = {};

  const char* name() const { return own != nullptr ? own->name().c_str() : Choice::name(); }
  std::string key;        // its name in logs
  bool weighted = false;  // rows count as much as their sample_weight says

  Takes takes() const;
  /// More is better.
  bool upwards() const;

  /// The form that fits such targets and so many outputs, `binary` telling that each output is a class
  /// of its own. Throws where the metric cannot serve them.
  Metric resolved(bool labels, bool binary, Index outputs) const;
  /// The form that fits this loss and output width.
  Metric resolved(const Loss& loss, Index outputs) const;
  /// The metric of probabilities, where `last` makes some and from_logits was asked for all the same.
  void ignore_logits(const Activation& last);
  /// Whether the metric is to see the probabilities that `link` makes of a model's logits. Not those that
  /// take logits: margins, what from_logits was asked of, and what computes the same more exactly so.
  bool takes_probabilities_of(const Activation& link, Index outputs);

  Parts parts(Index columns) const;

  /// Whether rows of this class do not count.
  bool ignores(std::int32_t label) const;

  /// Numbers that a row contributes, and numbers of the state before the first row.
  Index row_values(Index columns) const;
  Index state_size(Index columns) const;
  /// The most numbers that a state of `size` may have after so many more rows.
  Index state_bound(Index size, Index rows, Index columns) const;
  /// The states that begin with these numbers: their size, and whether they are any state at all.
  Index size_of(std::span<const double> states, Index columns) const;
  bool valid(std::span<const double> state, Index columns) const;
  /// values (rows, row_values) of the rows. A row in which something is NaN gives NaN.
  template <typename T>
  void measure(const MeasuredRows<T>& rows, double* values) const;
  /// What stands in place of the values of a column that is missing; see Parts::as_columns.
  static constexpr double kMissing = -1;
  /// Adds the values of rows to a state, which starts as zeros; without weights each row counts as 1.
  template <typename T>
  void fold(const double* values, const T* weights, Index rows, Index columns, std::vector<double>& state) const;
  /// The reported number; 0 where no row was folded. The state may change its order, not what it says.
  double result(std::vector<double>& state, Index columns) const;
};

}  // namespace laminar
