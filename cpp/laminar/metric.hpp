// SPDX-License-Identifier: Apache-2.0
// Metrics by name: a value per sample, averaged over all samples, then finished (a root for rmse).
// The list stands in metric.cpp.
#pragma once

#include "laminar/choice.hpp"
#include "laminar/loss.hpp"
#include "laminar/types.hpp"

namespace laminar {

const Family& metric_family();

/// `Metric("accuracy")`. "accuracy" means the binary, categorical or sparse form, by the loss and
/// the width of the output, once the model is compiled.
struct Metric : Choice {
  Metric(const char* name) : Choice(metric_family(), name) {}
  explicit Metric(std::string_view name, std::initializer_list<NamedValue> values = {})
      : Choice(metric_family(), name, values) {}

  /// The form that fits this loss and output width. Throws where the metric cannot serve it.
  Metric resolved(const Loss& loss, Index outputs) const;
  /// The metric of one sample; `target` is null where the target is a label.
  template <typename T>
  double sample(const T* output, const T* target, std::int32_t label, Index columns) const;
  /// From the mean over samples to the reported number.
  double finish(double mean) const;
};

}  // namespace laminar
