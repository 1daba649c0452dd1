// SPDX-License-Identifier: Apache-2.0
// The one statement of layout: matrices are row-major, a row is a sample, a column a feature.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

namespace laminar {

/// Counts and positions; signed, so that differences need no care.
using Index = std::int64_t;

/// Extents of one sample, without the batch axis.
using Shape = std::vector<Index>;

namespace detail {
/// Says what is wrong with a view of so many rows and columns.
[[noreturn]] void refuse_matrix(Index rows, Index columns);
/// Rows that so many values make; throws unless they fill whole ones.
Index whole_rows(std::size_t values, Index columns);
/// Throws unless the rows are among those of the argument, which has `held`.
void check_range(const char* argument, Index first, Index count, Index held);
}  // namespace detail

/// A row-major matrix that somebody else owns; rows follow each other without gaps.
template <typename T>
struct MatrixView {
  T* data = nullptr;  // the first element
  Index rows = 0;
  Index columns = 0;

  /// A matrix without rows.
  MatrixView() = default;
  /// rows_ * columns_ elements from data_ on. Throws std::invalid_argument where a size is negative, or
  /// data_ null although there are elements.
  MatrixView(T* data_, Index rows_, Index columns_) : data(data_), rows(rows_), columns(columns_) {
    if (rows < 0 || columns < 0 || (data == nullptr && rows > 0 && columns > 0)) detail::refuse_matrix(rows, columns);
  }
  /// A vector of samples with `columns_` features each. Throws std::invalid_argument where they do not
  /// fill whole rows.
  MatrixView(std::span<T> values, Index columns_)
      : data(values.data()), rows(detail::whole_rows(values.size(), columns_)), columns(columns_) {}
  /// What may be written may be read.
  template <typename U>
    requires std::is_same_v<const U, T>
  MatrixView(const MatrixView<U>& other) : data(other.data), rows(other.rows), columns(other.columns) {}
};

/// What a network is trained towards: one row of values per sample, or one class number per sample.
template <typename T>
struct Targets {
  MatrixView<const T> values;            // (rows, outputs), or empty
  std::span<const std::int32_t> labels;  // one a row, or empty

  /// No targets.
  Targets() = default;
  /// Rows of values.
  Targets(MatrixView<const T> values_) : values(values_) {}
  /// Class numbers, from 0 on.
  Targets(std::span<const std::int32_t> labels_) : labels(labels_) {}
};

/// Samples with their targets and, where they differ from 1, their weights.
template <typename T>
struct Dataset {
  MatrixView<const T> x;             // (rows, features)
  Targets<T> y;                      // of as many rows
  std::span<const T> sample_weight;  // one a row or one a goal of each, not negative; empty: 1 for each

  /// Weights of one row; 0 where there are none.
  Index weights_per_row() const { return x.rows > 0 ? static_cast<Index>(sample_weight.size()) / x.rows : 0; }
};

/// Some consecutive rows of a data set. Throws std::invalid_argument where it does not have them all.
template <typename T>
Dataset<T> rows_of(const Dataset<T>& data, Index first, Index count) {
  const auto part = [&](const char* argument, auto values, Index width) {
    if (values.empty()) return values;
    detail::check_range(argument, first, count, static_cast<Index>(values.size()) / width);
    return values.subspan(static_cast<std::size_t>(first * width), static_cast<std::size_t>(count * width));
  };
  const MatrixView<const T>& x = data.x;
  const MatrixView<const T>& y = data.y.values;
  detail::check_range("x", first, count, x.rows);
  Dataset<T> rows{{x.data + first * x.columns, count, x.columns},
                  {},
                  part("sample_weight", data.sample_weight, std::max<Index>(1, data.weights_per_row()))};
  if (y.data != nullptr) {
    detail::check_range("y", first, count, y.rows);
    rows.y = Targets<T>(MatrixView<const T>(y.data + first * y.columns, count, y.columns));
  }
  if (!data.y.labels.empty()) rows.y = Targets<T>(part("y", data.y.labels, 1));
  return rows;
}

/// A named number: a loss or a metric after an epoch.
struct Log {
  const char* name;
  double value;
};

}  // namespace laminar
