// SPDX-License-Identifier: Apache-2.0
// The one statement of layout: matrices are row-major, a row is a sample, a column a feature.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace laminar {

using Index = std::int64_t;

/// Extents of one sample, without the batch axis.
using Shape = std::vector<Index>;

/// A row-major matrix that somebody else owns; rows follow each other without gaps.
template <typename T>
struct MatrixView {
  T* data = nullptr;
  Index rows = 0;
  Index columns = 0;

  MatrixView() = default;
  MatrixView(T* data_, Index rows_, Index columns_) : data(data_), rows(rows_), columns(columns_) {}
  /// A vector of samples with `columns_` features each; a rest that fills no row is left out.
  MatrixView(std::span<T> values, Index columns_)
      : data(values.data()), rows(static_cast<Index>(values.size()) / columns_), columns(columns_) {}
};

/// What a network is trained towards: one row of values per sample, or one class number per sample.
template <typename T>
struct Targets {
  MatrixView<const T> values;
  std::span<const std::int32_t> labels;

  Targets() = default;
  Targets(MatrixView<const T> values_) : values(values_) {}
  Targets(std::span<const std::int32_t> labels_) : labels(labels_) {}
};

/// Samples with their targets and, where they differ from 1, their weights.
template <typename T>
struct Dataset {
  MatrixView<const T> x;
  Targets<T> y;
  std::span<const T> sample_weight;
};

/// A named number: a loss or a metric after an epoch.
struct Log {
  const char* name;
  double value;
};

}  // namespace laminar
