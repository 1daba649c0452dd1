// SPDX-License-Identifier: Apache-2.0
// Gradients of tables by the rows that a batch has read, and by no others: time and memory follow the
// batch, whatever the size of a table.
#pragma once

#include <cstdint>
#include <vector>

#include "laminar/base/token.hpp"
#include "laminar/execution/pass.hpp"

namespace laminar {

/// The rows of one table that a batch reads, in the order in which they are first read, and their gradients.
template <typename T>
class TableRows {
 public:
  /// For the table of a layer, given the layer's first node, and batches of so many rows.
  TableRows(const Network& network, int node, Index batch_rows);

  int node() const { return node_; }
  const Tensor& table() const { return *table_; }
  /// Its number among the network's tensors.
  std::size_t tensor() const { return tensor_; }
  /// Values of one row of the table.
  Index width() const { return width_; }

  /// Forgets all rows.
  void clear();
  /// Takes in what the rows of a workspace read, in all calls of the layer.
  void read(const Pass<T>& pass, Index rows);
  /// Adds a task's share of the gradients of those reads, each row's in the order of the batch.
  void add(const Pass<T>& pass, const GradientTask& task, Index rows);

  Index count() const { return static_cast<Index>(rows_.size()); }
  /// Where row i begins in the flat buffers of all parameters.
  Index offset(Index i) const { return table_->offset + rows_[static_cast<std::size_t>(i)] * width_; }
  Index row(Index i) const { return rows_[static_cast<std::size_t>(i)]; }
  T* gradient(Index i) { return gradients_.data() + i * width_; }
  /// The share of a task in the rows.
  Team::Share share(const Pass<T>& pass, const GradientTask& task) const;

 private:
  /// Of a row; where it is new, the next one, as ~number.
  std::int32_t number(Index row);

  const Tensor* table_;
  std::size_t tensor_;
  int node_;
  Index width_;
  std::vector<Index> rows_;            // by number
  std::vector<std::int32_t> numbers_;  // of what was read, read by read: n, or ~n the first time
  std::vector<std::int32_t> places_;   // numbers by a hash of their rows; -1 where there is none
  bool direct_;                        // … or by the rows themselves
  std::vector<std::size_t> taken_;     // of these
  AlignedBuffer<T> gradients_;
};

/// The tables of a network that training changes by rows.
template <typename T>
class TableGradients {
 public:
  TableGradients(const Network& network, Index batch_rows);

  /// Rows of a batch that there is room for.
  Index batch_rows() const { return batch_rows_; }
  std::vector<TableRows<T>>& tables() { return tables_; }
  /// That of a layer's first node.
  TableRows<T>& of(int node) { return tables_[static_cast<std::size_t>(by_node_[static_cast<std::size_t>(node)])]; }

 private:
  Index batch_rows_;
  std::vector<TableRows<T>> tables_;
  std::vector<int> by_node_;
};

/// Rows of a layer's table that so many rows of a batch read at most, and that its tasks share.
Index most_table_rows(const Network& network, int node, Index batch_rows);

/// Calls take(row of the table, gradient) for all that the rows of a workspace read, call by call.
template <typename T, typename Take>
void for_each_read(const Pass<T>& pass, int first_call, Index rows, const Take& take) {
  for (const int node : pass.network.calls_of(first_call)) {
    const Node& n = pass.node(node);
    const Tensor& table = pass.network.parameters()[n.tensors[0]];
    const int input = n.inputs[0];
    const Index reads = pass.node(input).width;
    const Index tokens = table.shape[0];
    const Index width = table.shape[1];
    const T* values = pass.output(input, 0);
    const Index values_stride = pass.stride(input);
    const T* deltas = pass.delta(node, 0);
    const Index deltas_stride = pass.plan[node].stride;
    for (Index row = 0; row < rows; ++row, values += values_stride, deltas += deltas_stride) {
      for (Index j = 0; j < reads; ++j) take(token_of(values[j], tokens), deltas + j * width);
    }
  }
}

}  // namespace laminar
