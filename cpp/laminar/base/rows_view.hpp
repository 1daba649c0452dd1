// SPDX-License-Identifier: Apache-2.0
// Rows that somebody else owns: dense ones, or the nonzero elements of each, "compressed sparse rows"
// (CSR). Sums over the elements of a row, in their order, are the same bits for both.
#pragma once

#include <cstdint>
#include <span>

#include "laminar/base/error.hpp"
#include "laminar/base/types.hpp"

namespace laminar {

/// The elements of one row; `places` are their columns, null for a dense row, which has them all.
template <typename T>
struct RowView {
  const T* values;
  const std::int32_t* places;
  Index count;

  /// Calls call(column, value) for each element.
  template <typename Call>
  void each(const Call& call) const {
    if (places == nullptr) {
      for (Index i = 0; i < count; ++i) call(i, values[i]);
    } else {
      for (Index i = 0; i < count; ++i) call(static_cast<Index>(places[i]), values[i]);
    }
  }
};

/// A matrix, dense or CSR.
template <typename T>
struct RowsView {
  const T* values = nullptr;  // dense: row-major; CSR: row by row
  Index rows = 0;
  Index columns = 0;
  std::span<const std::int32_t> places;  // CSR: the column of each value
  std::span<const std::int32_t> starts;  // CSR: where each row begins, and where the last one ends; dense: empty

  /// A matrix without rows.
  RowsView() = default;
  /// A dense matrix.
  RowsView(MatrixView<const T> dense) : values(dense.data), rows(dense.rows), columns(dense.columns) {}
  /// A CSR matrix of so many columns; `starts_` has one element more than there are rows. Throws
  /// std::invalid_argument where the sizes do not fit; the elements are looked at by whoever uses them.
  RowsView(std::span<const T> values_, std::span<const std::int32_t> places_, std::span<const std::int32_t> starts_,
           Index columns_)
      : values(values_.data()),
        rows(static_cast<Index>(starts_.size()) - 1),
        columns(columns_),
        places(places_),
        starts(starts_) {
    if (values_.size() != places_.size()) fail("CSR rows: ", values_.size(), " values in ", places_.size(), " places");
    if (starts_.empty()) fail("CSR rows: no starts");
  }

  bool sparse() const { return !starts.empty(); }
  /// The elements that are stored.
  Index size() const { return sparse() ? static_cast<Index>(places.size()) : rows * columns; }
  RowView<T> row(Index r) const {
    if (!sparse()) return {values + r * columns, nullptr, columns};
    const Index first = starts[static_cast<std::size_t>(r)];
    return {values + first, places.data() + first, starts[static_cast<std::size_t>(r) + 1] - first};
  }
};

}  // namespace laminar
