// SPDX-License-Identifier: Apache-2.0
// Weights and optimizer state as they were, to come back to. Tables that change by rows are not copied:
// of them each row is kept that is about to change.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "laminar/execution/state.hpp"
#include "laminar/execution/table_gradients.hpp"

namespace laminar {

/// Whether tables are updated by the rows that batches read.
template <typename T>
bool by_rows(const State<T>& state) {
  const ParameterLayout& layout = state.network.parameters();
  return layout.whole_size() < layout.size() && state.optimizer->optimizer.by_rows();
}

/// A moment of a State that training can come back to.
template <typename T>
class Snapshot {
 public:
  explicit Snapshot(State<T>& state) : state_(state) {}

  /// Takes this moment. Tables that change by rows are not copied. Returns the bytes that were.
  Index take();
  /// Brings the moment back.
  void restore();

  /// Makes room for the rows of one batch.
  void reserve(TableGradients<T>& tables);
  /// Keeps a table's rows from number `first` on, which are about to change. Threads may do so for different tables.
  void keep(const TableRows<T>& table, Index first);

  /// All weights that may have changed since are finite.
  bool finite() const;

 private:
  /// Rows of one table as they were at the moment, weights and slots.
  struct Kept {
    Index width = 0;
    std::vector<std::uint64_t> marks;  // a bit for each row of the table
    std::vector<Index> rows;
    std::vector<Index> offsets;
    std::vector<T> values;  // the first used of them, so that none is written twice
    std::size_t used = 0;
  };

  static constexpr std::size_t kArrays = 3 + kernels::kMaxSlots;

  /// Calls visit(array, its number) for weights and all that the optimizer keeps in their layout.
  template <typename Visit>
  void for_each_array(const Visit& visit) const;

  State<T>& state_;
  bool by_rows_ = false;
  std::array<AlignedBuffer<T>, kArrays> copies_;
  std::optional<Optimizer> optimizer_;
  Index iterations_ = 0;
  Index waiting_ = 0;
  std::vector<Kept> kept_;  // by position of the tensor
};

}  // namespace laminar
