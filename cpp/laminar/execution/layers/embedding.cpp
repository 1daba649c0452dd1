// SPDX-License-Identifier: Apache-2.0
// a = the rows of the table that x names; d_row = sum of d_a over all places where it was read, in the order
// of the batch.
#include "laminar/graph/layers/embedding.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "laminar/base/copy_values.hpp"
#include "laminar/execution/layers/work.hpp"
#include "laminar/execution/table_gradients.hpp"

namespace laminar {
namespace {

constexpr Index kFarTable = 65536;  // elements: more than the second-level cache holds beside the batch
constexpr Index kShortRow = 64;     // values that are updated beside those of other rows
constexpr Index kAhead = 16;        // rows of the batch whose rows of the table are fetched meanwhile

/// Updates rows as one long row of a copy: each alone would take a call, and a vector that it does not fill.
template <typename T>
void update_together(TableRows<T>& table, Team::Share share, const GradientSink<T>& sink) {
  constexpr Index kTogether = 512;  // values
  constexpr std::size_t kArrays = 1 + kernels::kMaxSlots;
  const Index width = table.width();
  std::array<T*, kArrays> arrays{sink.parameters};
  std::copy(sink.slots.begin(), sink.slots.end(), arrays.begin() + 1);
  alignas(kAlignment) T copies[kArrays][kTogether];
  const auto for_each_row = [&](Index first, Index rows, const auto& take) {
    for (std::size_t a = 0; a < kArrays; ++a) {
      if (arrays[a] == nullptr) continue;
      for (Index i = 0; i < rows; ++i) take(arrays[a] + table.offset(first + i), copies[a] + i * width);
    }
  };
  for (Index first = share.begin; first < share.end;) {
    const Index rows = std::min(kTogether / width, share.end - first);
    for_each_row(first + rows, std::min(kTogether / width, share.end - first - rows),
                 [&](const T* row, const T*) { fetch_values(row, width); });
    for_each_row(first, rows, [&](const T* row, T* copy) { copy_values(row, width, copy); });
    kernels::Update<T> update;
    update.optimizer = sink.optimizer;
    update.coefficients = sink.coefficients.data();
    update.weights = copies[0];
    for (std::size_t s = 0; s < kernels::kMaxSlots; ++s) {
      update.slots[s] = sink.slots[s] == nullptr ? nullptr : copies[s + 1];
    }
    update.gradients = table.gradient(first);
    update.rows = 1;
    update.columns = rows * width;
    sink.kernels.update(update);
    for_each_row(first, rows, [&](T* row, const T* copy) { copy_values(copy, width, row); });
    first += rows;
  }
}

/// The gradient of a whole table, or a task's share of it.
template <typename T>
void scatter(const GradientTask& task, const Pass<T>& pass, Index rows, const GradientSink<T>& sink) {
  const Tensor& table = pass.network.parameters()[pass.node(task.node).tensors[0]];
  const Index all = most_table_rows(pass.network, task.node, pass.plan.rows());
  const Index width = table.shape[1];
  const Index begin = table.shape[0] * task.in_begin / all;
  const Index end = table.shape[0] * (task.in_begin + task.in_count) / all;
  T* const gradients = sink.gradients + table.offset + task.out_begin;
  for (Index row = begin; !sink.add && row < end; ++row) std::fill_n(gradients + row * width, task.out_count, T(0));
  for_each_read(pass, task.node, rows, [&](Index row, const T* delta) {
    if (row < begin || row >= end) return;
    T* sum = gradients + row * width;
    for (Index j = 0; j < task.out_count; ++j) sum[j] += delta[task.out_begin + j];
  });
}

}  // namespace

template <typename T>
void forward(const Embedding& layer, int node, const Pass<T>& pass, Rows rows) {
  const Node& n = pass.node(node);
  const int input = n.inputs[0];
  const Index reads = pass.node(input).width;
  const T* const table = pass.parameters + pass.network.parameters()[n.tensors[0]].offset;
  const Index width = layer.output_dim;
  const bool far = layer.input_dim * width > kFarTable;
  const Index tokens = layer.input_dim;
  const T* in = pass.output(input, rows.begin);
  const Index in_stride = pass.stride(input);
  T* out = pass.output_to_write(node, rows.begin);
  const Index out_stride = pass.plan[node].stride;
  const auto fetch_for = [=](Index row) {
    for (Index j = 0; j < reads; ++j) {
      if (const Index at = token_of(in[row * in_stride + j], tokens); at >= 0) fetch_values(table + at * width, width);
    }
  };
  for (Index row = 0; far && row < std::min(kAhead, rows.count()); ++row) fetch_for(row);
  for (Index row = 0; row < rows.count(); ++row) {
    if (far && row + kAhead < rows.count()) fetch_for(row + kAhead);
    for (Index j = 0; j < reads; ++j) {
      const Index at = token_of(in[row * in_stride + j], tokens);
      T* const to = out + row * out_stride + j * width;
      if (at >= 0) {
        copy_values(table + at * width, width, to);
      } else {
        std::fill_n(to, width, std::numeric_limits<T>::quiet_NaN());
      }
    }
  }
}

// d_x = 0: whole numbers have no slope.
template <typename T>
void backward(const Embedding&, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  for (Index row = rows.begin; row < rows.end; ++row) {
    std::fill_n(pass.back(node, 0, row), pass.node(input).width, T(0));
  }
}

void gradient_tasks(const Embedding& layer, int node, const Network& network, Index, Index rows,
                    std::vector<GradientTask>& tasks) {
  tasks.push_back({node, 0, most_table_rows(network, node, rows), 0, layer.output_dim});
}

template <typename T>
void parameter_gradient(const Embedding&, const GradientTask& task, const Pass<T>& pass, Index rows,
                        const GradientSink<T>& sink) {
  const Tensor& tensor = pass.network.parameters()[pass.node(task.node).tensors[0]];
  if (sink.tables == nullptr || !tensor.by_rows) {
    scatter(task, pass, rows, sink);
    return;
  }
  TableRows<T>& table = sink.tables->of(task.node);
  table.add(pass, task, rows);
  if (sink.gradients != nullptr) return;  // the update is made from there
  const Team::Share own = table.share(pass, task);
  if (task.out_count == table.width() && table.width() <= kShortRow) {
    update_together(table, own, sink);
    return;
  }
  for (Index i = own.begin; i < own.end; ++i) {
    sink.take(table.offset(i) + task.out_begin, table.width(), table.gradient(i) + task.out_begin, table.width(), 1,
              task.out_count);
  }
}

template void forward(const Embedding&, int, const Pass<float>&, Rows);
template void forward(const Embedding&, int, const Pass<double>&, Rows);
template void backward(const Embedding&, int, const Pass<float>&, Rows);
template void backward(const Embedding&, int, const Pass<double>&, Rows);
template void parameter_gradient(const Embedding&, const GradientTask&, const Pass<float>&, Index,
                                 const GradientSink<float>&);
template void parameter_gradient(const Embedding&, const GradientTask&, const Pass<double>&, Index,
                                 const GradientSink<double>&);

}  // namespace laminar
