// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/table_gradients.hpp"

#include <algorithm>
#include <bit>
#include <limits>

#include "laminar/base/copy_values.hpp"

namespace laminar {
namespace {

constexpr std::size_t kDirect = 4;  // a table so many times as large as the hash's needs none
constexpr std::int32_t kNoRow = std::numeric_limits<std::int32_t>::min();

Index reads_of(const Network& network, int node, Index batch_rows) {
  Index reads = 0;
  for (const int call : network.calls_of(node)) {
    const int input = network.nodes()[static_cast<std::size_t>(call)].inputs[0];
    reads += batch_rows * network.nodes()[static_cast<std::size_t>(input)].width;
  }
  return reads;
}

const Tensor& table_of(const Network& network, int node) {
  return network.parameters()[network.nodes()[static_cast<std::size_t>(node)].tensors[0]];
}

}  // namespace

Index most_table_rows(const Network& network, int node, Index batch_rows) {
  return std::min(table_of(network, node).shape[0], reads_of(network, node, batch_rows));
}

template <typename T>
TableRows<T>::TableRows(const Network& network, int node, Index batch_rows)
    : table_(&table_of(network, node)),
      tensor_(network.nodes()[static_cast<std::size_t>(node)].tensors[0]),
      node_(node),
      width_(table_->shape[1]) {
  const Index most = most_table_rows(network, node, batch_rows);
  rows_.reserve(static_cast<std::size_t>(most));
  taken_.reserve(static_cast<std::size_t>(most));
  numbers_.reserve(static_cast<std::size_t>(reads_of(network, node, batch_rows)));
  const std::size_t hashed = std::bit_ceil(static_cast<std::size_t>(2 * most));
  direct_ = static_cast<std::size_t>(table_->shape[0]) <= kDirect * hashed;
  places_.assign(direct_ ? static_cast<std::size_t>(table_->shape[0]) : hashed, -1);
  gradients_ = AlignedBuffer<T>(most * width_);
}

template <typename T>
void TableRows<T>::clear() {
  for (const std::size_t place : taken_) places_[place] = -1;
  taken_.clear();
  rows_.clear();
}

// Open addressing, one place after the other.
template <typename T>
std::int32_t TableRows<T>::number(Index row) {
  auto place = static_cast<std::size_t>(row);
  if (direct_) {
    if (places_[place] >= 0) return places_[place];
  } else {
    const std::size_t mask = places_.size() - 1;
    place = static_cast<std::size_t>((static_cast<std::uint64_t>(row) * 0x9E3779B97F4A7C15U) >> 32) & mask;
    for (; places_[place] >= 0; place = (place + 1) & mask) {
      if (rows_[static_cast<std::size_t>(places_[place])] == row) return places_[place];
    }
  }
  const auto number = static_cast<std::int32_t>(rows_.size());
  places_[place] = number;
  taken_.push_back(place);
  rows_.push_back(row);
  return ~number;
}

template <typename T>
void TableRows<T>::read(const Pass<T>& pass, Index rows) {
  numbers_.clear();
  for_each_read(pass, node_, rows, [&](Index row, const T*) { numbers_.push_back(row < 0 ? kNoRow : number(row)); });
}

template <typename T>
Team::Share TableRows<T>::share(const Pass<T>& pass, const GradientTask& task) const {
  const Index all = most_table_rows(pass.network, node_, pass.plan.rows());  // that all tasks have together
  return {count() * task.in_begin / all, count() * (task.in_begin + task.in_count) / all};
}

template <typename T>
void TableRows<T>::add(const Pass<T>& pass, const GradientTask& task, Index rows) {
  const Team::Share own = share(pass, task);
  const std::int32_t* number = numbers_.data();
  for_each_read(pass, node_, rows, [&](Index, const T* delta) {
    const std::int32_t read = *number++;
    const Index at = read >= 0 || read == kNoRow ? read : ~read;
    if (at < own.begin || at >= own.end) return;
    T* sum = gradient(at) + task.out_begin;
    if (read < 0) {
      copy_values(delta + task.out_begin, task.out_count, sum);
    } else {
      for (Index j = 0; j < task.out_count; ++j) sum[j] += delta[task.out_begin + j];
    }
  });
}

template <typename T>
TableGradients<T>::TableGradients(const Network& network, Index batch_rows)
    : batch_rows_(batch_rows), by_node_(network.nodes().size(), -1) {
  for (std::size_t i = 1; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    const int at = static_cast<int>(i);
    if (!has_table(node.layer) || node.first_call != at || !network.trains(node)) continue;
    if (!table_of(network, at).by_rows) continue;
    by_node_[i] = static_cast<int>(tables_.size());
    tables_.emplace_back(network, at, batch_rows);
  }
}

template class TableRows<float>;
template class TableRows<double>;
template class TableGradients<float>;
template class TableGradients<double>;

}  // namespace laminar
