// SPDX-License-Identifier: Apache-2.0
// Rows of a table from columns, a few rows at a time: what is written stays in a processor's second cache
// until all columns have put their inputs there.
#include <algorithm>

#include "laminar/base/error.hpp"
#include "laminar/files/table_inputs.hpp"

namespace laminar {
namespace {

constexpr Index kPieceBytes = 1 << 18;

Index count_of(const TableCells& cells) {
  const auto size = []<typename Value>(std::span<const Value> values) { return static_cast<Index>(values.size()); };
  if (const auto* words = std::get_if<TableWords>(&cells)) return size(words->places);
  if (const auto* floats = std::get_if<std::span<const float>>(&cells)) return size(*floats);
  return size(std::get<std::span<const double>>(cells));
}

/// Where rows begin and how many values each has.
template <typename T>
struct Inputs {
  T* first;
  Index stride;
};

template <typename T, typename Value>
void put(const TableColumn& of, std::span<const Value> cells, Index row, Inputs<T> inputs) {
  const T mean = static_cast<T>(of.mean);
  const bool indicator = of.indicator;
  bool finite = true;
  T* into = inputs.first;
  for (const Value value : cells) {
    finite &= put_number(mean, indicator, value, into);
    into += inputs.stride;
  }
  if (finite) return;
  for (const Value value : cells) {
    if (std::abs(value) >= static_cast<Value>(kLargestCell)) {
      fail("column '", of.file_name(), "' must hold finite numbers, got ", value, " in row ", row);
    }
    ++row;
  }
}

template <typename T>
void put(const TableColumn& of, const TableWords& words, Index row, Inputs<T> inputs) {
  const auto categories = static_cast<Index>(of.categories.size());
  T* into = inputs.first;
  for (const std::int32_t place : words.places) {
    Index category = -1;
    if (place >= 0) {
      if (static_cast<std::size_t>(place) >= words.categories.size()) {
        fail("column '", of.name, "' has ", words.categories.size(), " words, got word ", place, " in row ", row);
      }
      category = words.categories[static_cast<std::size_t>(place)];
      if (category >= categories) {
        fail("column '", of.name, "' has ", categories, " categories, got category ", category, " in row ", row);
      }
    }
    put_category(of, category, into);
    into += inputs.stride;
    ++row;
  }
}

}  // namespace

template <typename T>
void Table::encode_rows(const TableBlock& block, MatrixView<T> inputs) const {
  if (block.columns.size() != columns_.size()) {
    fail("a block must have ", columns_.size(), " columns, got ", block.columns.size());
  }
  if (inputs.columns != width_) fail("a row has ", width_, " inputs, got room for ", inputs.columns);
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const TableColumn& of = columns_[i];
    const bool words = std::holds_alternative<TableWords>(block.columns[i]);
    if (words != (of.kind == TableColumn::Kind::category)) {
      fail("column '", of.name, "' must have ", words ? "numbers, got words" : "words, got numbers");
    }
    if (const Index count = count_of(block.columns[i]); count != inputs.rows) {
      fail("column '", of.name, "' must have ", inputs.rows, " cells, got ", count);
    }
  }
  const Index most = std::max<Index>(16, kPieceBytes / (width_ * static_cast<Index>(sizeof(T))));
  for (Index first = 0; first < inputs.rows; first += most) {
    const Index count = std::min(most, inputs.rows - first);
    const auto some = [&]<typename Value>(std::span<const Value> cells) {
      return cells.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
    };
    T* into = inputs.data + first * width_;
    std::fill_n(into, count * width_, T(0));
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const TableColumn& of = columns_[i];
      const Inputs<T> own{into, width_};
      if (const auto* words = std::get_if<TableWords>(&block.columns[i])) {
        put(of, TableWords{some(words->places), words->categories}, block.first + first, own);
      } else if (const auto* floats = std::get_if<std::span<const float>>(&block.columns[i])) {
        put(of, some(*floats), block.first + first, own);
      } else {
        put(of, some(std::get<std::span<const double>>(block.columns[i])), block.first + first, own);
      }
      into += of.width();
    }
  }
}

void Table::encode(const TableBlock& block, MatrixView<float> inputs) const { encode_rows(block, inputs); }
void Table::encode(const TableBlock& block, MatrixView<double> inputs) const { encode_rows(block, inputs); }

}  // namespace laminar
