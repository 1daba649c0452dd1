// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/scores.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {
namespace {

constexpr double kWorkPerValue = 20;
constexpr Index kRowsInPlace = 1 << 16;

}  // namespace

template <typename T>
RowScores<T>::RowScores(const Objective& objective, Index columns, Index rows)
    : counts_(static_cast<std::size_t>(objective.ignored.has_value() ? rows : 0)),
      probabilities_(objective.needs_link() ? rows * padded_stride(columns) : 0) {
  Index size = 0;
  for (const Metric& metric : objective.metrics) {
    offsets_.push_back(size);
    widths_.push_back(metric.row_values(columns));
    size += rows * widths_.back();
  }
  values_.resize(static_cast<std::size_t>(size));
}

template <typename T>
void RowScores<T>::measure(const Objective& objective, const MeasuredRows<T>& rows, Index first) {
  const std::vector<Metric>& metrics = objective.metrics;
  const Index stride = padded_stride(rows.columns);
  T* probabilities = probabilities_.size() > 0 ? probabilities_.data() + first * stride : nullptr;
  if (probabilities != nullptr) {
    const auto values = objective.link->values_as<T>();
    kernels::kernels<T>().activate({objective.link->kernel(), values.data(), rows.outputs, rows.outputs_stride,
                                    probabilities, stride, rows.rows, rows.columns});
  }
  const auto measure_run = [&](Index begin, Index end) {
    if (begin == end) return;
    MeasuredRows<T> run = rows;
    run.outputs += begin * rows.outputs_stride;
    if (run.targets != nullptr) run.targets += begin * rows.targets_stride;
    if (run.labels != nullptr) run.labels += begin;
    run.rows = end - begin;
    MeasuredRows<T> shares = run;
    shares.outputs = probabilities + begin * stride;
    shares.outputs_stride = stride;
    for (std::size_t m = 0; m < metrics.size(); ++m) {
      metrics[m].measure(objective.of_probabilities[m] != 0 ? shares : run,
                         values_.data() + offsets_[m] + (first + begin) * widths_[m]);
    }
  };
  const std::optional<std::int32_t> ignored = objective.ignored;
  if (!ignored.has_value()) return measure_run(0, rows.rows);
  Index begin = 0;
  for (Index i = 0; i < rows.rows; ++i) {
    const bool counts = rows.labels[i] != *ignored;
    counts_[static_cast<std::size_t>(first + i)] = counts ? 1 : 0;
    if (counts) continue;
    measure_run(begin, i);
    begin = i + 1;
  }
  measure_run(begin, rows.rows);
}

template <typename T>
typename RowScores<T>::Run RowScores<T>::run(Index first, Index rows) const {
  if (counts_.empty()) return {first, rows};
  const auto counts = [&](Index i) { return counts_[static_cast<std::size_t>(i)] != 0; };
  while (first < rows && !counts(first)) ++first;
  Index end = first;
  while (end < rows && counts(end)) ++end;
  return {first, end};
}

Scores::Scores(const std::vector<Metric>& metrics, Index columns) : metrics_(&metrics), columns_(columns) {
  for (const Metric& metric : metrics) states_.emplace_back(metric.state_size(columns));
}

template <typename T>
void Scores::fold(const RowScores<T>& scores, const T* weights, Index rows) {
  for (typename RowScores<T>::Run run = scores.run(0, rows); run.begin < rows; run = scores.run(run.end, rows)) {
    for (std::size_t m = 0; m < states_.size(); ++m) {
      const Metric& metric = (*metrics_)[m];
      const T* run_weights = metric.weighted && weights != nullptr ? weights + run.begin : nullptr;
      metric.fold(scores.values(m, run.begin), run_weights, run.end - run.begin, columns_, states_[m]);
    }
  }
}

void Scores::reserve(Index rows) {
  for (std::size_t m = 0; m < states_.size(); ++m) {
    const auto size = static_cast<Index>(states_[m].size());
    states_[m].reserve(static_cast<std::size_t>((*metrics_)[m].state_bound(size, rows, columns_)));
  }
}

double Scores::result(std::size_t metric) { return (*metrics_)[metric].result(states_[metric], columns_); }

template <typename T>
void RunningMetric::check(MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights) const {
  const bool labels = targets.values.data == nullptr;
  const char* name = metric_.name();
  if (outputs.columns < 1) fail(name, ": y_pred needs at least one column");
  if (!state_.empty() && outputs.columns != columns_) {
    fail(name, ": y_pred has ", outputs.columns, " columns, earlier rows had ", columns_);
  }
  if (labels == (metric_.takes() == Takes::values) && metric_.takes() != Takes::either) {
    fail(name, ": y_true must be ", labels ? "rows of values" : "class numbers");
  }
  const Index rows = labels ? static_cast<Index>(targets.labels.size()) : targets.values.rows;
  if (rows != outputs.rows) fail(name, ": y_pred has ", outputs.rows, " rows, y_true has ", rows);
  if (!labels && targets.values.columns != outputs.columns) {
    fail(name, ": y_pred has ", outputs.columns, " columns, y_true has ", targets.values.columns);
  }
  for (std::size_t i = 0; i < targets.labels.size(); ++i) {
    if (targets.labels[i] >= 0 && targets.labels[i] < outputs.columns) continue;
    if (metric_.ignores(targets.labels[i])) continue;
    fail(name, ": y_true must hold class numbers from 0 to ", outputs.columns - 1, ", but row ", i, " is ",
         targets.labels[i]);
  }
  if (!weights.empty() && static_cast<Index>(weights.size()) != outputs.rows) {
    fail(name, ": y_pred has ", outputs.rows, " rows, sample_weight has ", weights.size());
  }
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (std::isfinite(weights[i]) && weights[i] >= 0) continue;
    fail(name, ": sample_weight must be finite and not negative, but row ", i, " is ", weights[i]);
  }
}

template <typename T>
void RunningMetric::update(MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights) {
  check(outputs, targets, weights);
  const Index columns = outputs.columns;
  const bool labels = targets.values.data == nullptr;
  const Metric metric = exact_ ? metric_ : metric_.resolved(labels, false, columns);
  if (state_.empty()) {
    columns_ = columns;
    metric_ = metric;
    state_.resize(static_cast<std::size_t>(metric.state_size(columns)));
  }
  // Rows so many that the caller may end this go into a copy, so that the state is with all of them or none.
  std::vector<double> copy;
  if (StopScope::current() != nullptr && outputs.rows > kRowsInPlace) copy = state_;
  std::vector<double>& state = copy.empty() ? state_ : copy;
  const Index stride = padded_stride(columns);
  AlignedBuffer<T> padded(2 * kBlockRows * stride);
  std::vector<double> values(static_cast<std::size_t>(kBlockRows * metric.row_values(columns)));
  MeasuredRows<T> block;
  block.outputs = padded.data();
  block.outputs_stride = block.targets_stride = stride;
  block.columns = columns;
  for (Index first = 0; first < outputs.rows; first += kBlockRows) {
    block.rows = std::min(kBlockRows, outputs.rows - first);
    if (!copy.empty()) leave_if_stopped(kWorkPerValue * static_cast<double>(block.rows * columns));
    for (Index i = 0; i < block.rows; ++i) {
      std::copy_n(outputs.data + (first + i) * columns, columns, padded.data() + i * stride);
      if (labels) continue;
      std::copy_n(targets.values.data + (first + i) * columns, columns, padded.data() + (kBlockRows + i) * stride);
    }
    if (labels) {
      block.labels = targets.labels.data() + first;
    } else {
      block.targets = padded.data() + kBlockRows * stride;
    }
    metric.measure(block, values.data());
    metric.fold(values.data(), weights.empty() ? nullptr : weights.data() + first, block.rows, columns, state);
  }
  if (!copy.empty()) state_ = std::move(copy);
}

template class RowScores<float>;
template class RowScores<double>;
template void Scores::fold(const RowScores<float>&, const float*, Index);
template void Scores::fold(const RowScores<double>&, const double*, Index);
template void RunningMetric::update(MatrixView<const float>, const Targets<float>&, std::span<const float>);
template void RunningMetric::update(MatrixView<const double>, const Targets<double>&, std::span<const double>);

}  // namespace laminar
