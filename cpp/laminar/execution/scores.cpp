// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/scores.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/kernels/table.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {
namespace {

constexpr double kWorkPerValue = 20;
constexpr Index kRowsInPlace = 1 << 16;

}  // namespace

template <typename T>
PartOfRow<T>::PartOfRow(const Goal& goal, const T* targets)
    : row_(targets),
      all_(goal.columns),
      stride_(padded_stride(goal.columns)),
      memory_(scratch<T>(Scratch::present, room(goal))) {
  T* to = memory_ + stride_;
  for (Index j = 0; j < all_; ++j) {
    if (there(j)) to[columns_++] = row_[j];
  }
  std::fill(to + columns_, to + stride_, T(0));
}

template <typename T>
void PartOfRow<T>::take_outputs(const T* row) {
  Index at = 0;
  for (Index j = 0; j < all_; ++j) {
    if (there(j)) memory_[at++] = row[j];
  }
  std::fill(memory_ + at, memory_ + stride_, T(0));
}

template <typename T>
void PartOfRow<T>::give_outputs(T* row) const {
  Index at = 0;
  for (Index j = 0; j < all_; ++j) {
    if (there(j)) row[j] = memory_[at++];
  }
}

template <typename T>
void PartOfRow<T>::give_delta(T* row) const {
  Index at = 0;
  for (Index j = 0; j < stride_; ++j) row[j] = j < all_ && there(j) ? delta()[at++] : T(0);
}

template <typename T>
void PartOfRow<T>::spread(double* values, Index each) const {
  Index at = columns_;
  for (Index j = all_; j-- > 0;) {
    if (there(j)) {
      --at;
      std::copy_n(values + at * each, each, values + j * each);
    } else {
      std::fill_n(values + j * each, each, Metric::kMissing);
    }
  }
}

template <typename T>
RowScores<T>::RowScores(const Goal& goal, Index rows)
    : stride_(padded_stride(goal.columns)),
      presence_(static_cast<std::size_t>(goal.may_skip() ? rows : 0)),
      probabilities_(goal.needs_link() ? rows * stride_ : 0) {
  Index size = 0;
  for (const Metric& metric : goal.metrics) {
    offsets_.push_back(size);
    widths_.push_back(metric.row_values(goal.columns));
    parts_.push_back(metric.parts(goal.columns));
    size += rows * widths_.back();
  }
  values_.resize(static_cast<std::size_t>(size));
}

template <typename T>
const Presence* RowScores<T>::look(const Goal& goal, const MeasuredRows<T>& rows, Index first) {
  if (presence_.empty()) return nullptr;
  Presence* to = presence_.data() + first;
  for (Index i = 0; i < rows.rows; ++i) {
    to[i] = rows.labels != nullptr ? presence(goal, rows.labels[i])
                                   : presence(goal, rows.targets + i * rows.targets_stride);
  }
  return to;
}

template <typename T>
void RowScores<T>::measure_run(const Goal& goal, const MeasuredRows<T>& rows, Index first, Run run) {
  if (run.begin == run.end) return;
  MeasuredRows<T> own = rows;
  own.outputs += run.begin * rows.outputs_stride;
  if (own.targets != nullptr) own.targets += run.begin * rows.targets_stride;
  if (own.labels != nullptr) own.labels += run.begin;
  own.rows = run.end - run.begin;
  MeasuredRows<T> shares = own;
  shares.outputs = probabilities_.data() + (first + run.begin) * stride_;
  shares.outputs_stride = stride_;
  for (std::size_t m = 0; m < goal.metrics.size(); ++m) {
    goal.metrics[m].measure(goal.of_probabilities[m] != 0 ? shares : own,
                            values_.data() + offsets_[m] + (first + run.begin) * widths_[m]);
  }
}

template <typename T>
void RowScores<T>::measure_part(const Goal& goal, const MeasuredRows<T>& rows, Index first, Index row) {
  PartOfRow<T> part(goal, rows.targets + row * rows.targets_stride);
  const MeasuredRows<T> own{part.outputs(), stride_, part.targets(), stride_, nullptr, 1, part.columns()};
  for (std::size_t m = 0; m < goal.metrics.size(); ++m) {
    if (parts_[m] == Parts::none) continue;
    part.take_outputs(goal.of_probabilities[m] != 0 ? probabilities_.data() + (first + row) * stride_
                                                    : rows.outputs + row * rows.outputs_stride);
    double* values = values_.data() + offsets_[m] + (first + row) * widths_[m];
    goal.metrics[m].measure(own, values);
    if (parts_[m] == Parts::as_columns) part.spread(values, widths_[m] / goal.columns);
  }
}

template <typename T>
void RowScores<T>::measure(const Goal& goal, const MeasuredRows<T>& rows, Index first) {
  if (goal.metrics.empty()) return;
  if (probabilities_.size() > 0) {
    const auto values = goal.link->values_as<T>();
    kernels::kernels<T>().activate({goal.link->kernel(), values.data(), rows.outputs, rows.outputs_stride,
                                    probabilities_.data() + first * stride_, stride_, rows.rows, rows.columns});
  }
  if (presence_.empty()) return measure_run(goal, rows, first, {0, rows.rows});
  const Presence* there = presence_.data() + first;
  Index begin = 0;
  for (Index i = 0; i < rows.rows; ++i) {
    if (there[i] == Presence::all) continue;
    measure_run(goal, rows, first, {begin, i});
    if (there[i] == Presence::some) measure_part(goal, rows, first, i);
    begin = i + 1;
  }
  measure_run(goal, rows, first, {begin, rows.rows});
}

template <typename T>
typename RowScores<T>::Run RowScores<T>::run(std::size_t metric, Index first, Index rows) const {
  if (presence_.empty()) return {first, rows};
  const Presence least = parts_[metric] == Parts::none ? Presence::all : Presence::some;
  const auto counts = [&](Index i) { return presence_[static_cast<std::size_t>(i)] >= least; };
  while (first < rows && !counts(first)) ++first;
  Index end = first;
  while (end < rows && counts(end)) ++end;
  return {first, end};
}

Scores::Scores(const Goal& goal) : metrics_(&goal.metrics), columns_(goal.columns) {
  for (const Metric& metric : goal.metrics) states_.emplace_back(metric.state_size(columns_));
}

template <typename T>
void Scores::fold(const RowScores<T>& scores, const T* weights, Index rows) {
  for (std::size_t m = 0; m < states_.size(); ++m) {
    const Metric& metric = (*metrics_)[m];
    for (auto run = scores.run(m, 0, rows); run.begin < rows; run = scores.run(m, run.end, rows)) {
      const T* run_weights = metric.weighted && weights != nullptr ? weights + run.begin : nullptr;
      metric.fold(scores.values(m, run.begin), run_weights, run.end - run.begin, columns_, states_[m]);
    }
  }
}

void Scores::clear() {
  for (std::size_t m = 0; m < states_.size(); ++m)
    states_[m].assign(static_cast<std::size_t>((*metrics_)[m].state_size(columns_)), 0.0);
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

template class PartOfRow<float>;
template class PartOfRow<double>;
template class RowScores<float>;
template class RowScores<double>;
template void Scores::fold(const RowScores<float>&, const float*, Index);
template void Scores::fold(const RowScores<double>&, const double*, Index);
template void RunningMetric::update(MatrixView<const float>, const Targets<float>&, std::span<const float>);
template void RunningMetric::update(MatrixView<const double>, const Targets<double>&, std::span<const double>);

}  // namespace laminar
