// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/snapshot.hpp"

#include <algorithm>

#include "laminar/base/copy_values.hpp"

namespace laminar {

template <typename T>
template <typename Visit>
void Snapshot<T>::for_each_array(const Visit& visit) const {
  OptimizerState<T>& optimizer = *state_.optimizer;
  std::size_t number = 0;
  const auto show = [&](AlignedBuffer<T>& array) {
    if (array.size() > 0) visit(array.data(), number);
    ++number;
  };
  show(state_.parameters);
  for (AlignedBuffer<T>& slot : optimizer.slots) show(slot);
  show(optimizer.accumulated);
  show(optimizer.average);
}

template <typename T>
Index Snapshot<T>::take() {
  by_rows_ = by_rows(state_);
  const ParameterLayout& layout = state_.network.parameters();
  const Index size = by_rows_ ? layout.whole_size() : layout.size();
  Index copied = 0;
  for_each_array([&](const T* array, std::size_t i) {
    if (copies_[i].size() != size) copies_[i] = AlignedBuffer<T>(size);
    std::copy_n(array, size, copies_[i].data());
    copied += size;
  });
  optimizer_ = state_.optimizer->optimizer;
  iterations_ = state_.optimizer->iterations;
  waiting_ = state_.optimizer->waiting;
  for (Kept& kept : kept_) {
    for (const Index row : kept.rows) kept.marks[static_cast<std::size_t>(row / 64)] = 0;
    kept.rows.clear();
    kept.offsets.clear();
    kept.used = 0;
  }
  return copied * static_cast<Index>(sizeof(T));
}

template <typename T>
void Snapshot<T>::restore() {
  for_each_array([&](T* array, std::size_t i) { std::copy_n(copies_[i].data(), copies_[i].size(), array); });
  state_.optimizer->optimizer = *optimizer_;
  state_.optimizer->iterations = iterations_;
  state_.optimizer->waiting = waiting_;
  for (const Kept& kept : kept_) {
    const T* values = kept.values.data();
    for (const Index offset : kept.offsets) {
      for_each_array([&](T* array, std::size_t) {
        std::copy_n(values, kept.width, array + offset);
        values += kept.width;
      });
    }
  }
  state_.packed.refresh(state_.network, state_.parameters.data());
}

template <typename T>
void Snapshot<T>::reserve(TableGradients<T>& tables) {
  kept_.resize(state_.network.nodes().size());
  const auto arrays = static_cast<std::size_t>(1 + state_.optimizer->optimizer.slots());
  for (const TableRows<T>& table : tables.tables()) {
    Kept& kept = kept_[static_cast<std::size_t>(table.node())];
    const auto rows = static_cast<std::size_t>(most_table_rows(state_.network, table.node(), tables.batch_rows()));
    kept.width = table.width();
    kept.marks.resize(static_cast<std::size_t>(table.table().shape[0] / 64 + 1));
    kept.rows.reserve(rows);
    kept.offsets.reserve(rows);
    const std::size_t room = rows * arrays * static_cast<std::size_t>(kept.width);
    if (kept.values.size() < room) kept.values.resize(room);
  }
}

template <typename T>
void Snapshot<T>::keep(const TableRows<T>& table, Index first) {
  Kept& kept = kept_[static_cast<std::size_t>(table.node())];
  for (Index i = first; i < table.count(); ++i) {  // the update will read them, too
    for_each_array([&](const T* array, std::size_t) { fetch_values(array + table.offset(i), kept.width); });
    __builtin_prefetch(kept.marks.data() + table.row(i) / 64);
  }
  for (Index i = first; i < table.count(); ++i) {
    const Index row = table.row(i);
    std::uint64_t& marks = kept.marks[static_cast<std::size_t>(row / 64)];
    const std::uint64_t mark = std::uint64_t{1} << (row % 64);
    if ((marks & mark) != 0) continue;
    marks |= mark;
    kept.rows.push_back(row);
    kept.offsets.push_back(table.offset(i));
    for_each_array([&](const T* array, std::size_t) {
      const std::size_t end = kept.used + static_cast<std::size_t>(kept.width);
      if (end > kept.values.size()) kept.values.resize(2 * end);
      copy_values(array + kept.offsets.back(), kept.width, kept.values.data() + kept.used);
      kept.used = end;
    });
  }
}

template <typename T>
bool Snapshot<T>::finite() const {
  const kernels::Kernels<T>& k = kernels::kernels<T>();
  const ParameterLayout& layout = state_.network.parameters();
  const T* const weights = state_.parameters.data();
  if (!k.all_finite(weights, by_rows_ ? layout.whole_size() : layout.size())) return false;
  return std::all_of(kept_.begin(), kept_.end(), [&](const Kept& kept) {
    return std::all_of(kept.offsets.begin(), kept.offsets.end(),
                       [&](Index offset) { return k.all_finite(weights + offset, kept.width); });
  });
}

template class Snapshot<float>;
template class Snapshot<double>;

}  // namespace laminar
