// SPDX-License-Identifier: Apache-2.0
// Phase B of layers whose parameters are vectors with one value a column. Internal.
#pragma once

#include <algorithm>

#include "laminar/execution/layers/work.hpp"

namespace laminar {

inline constexpr Index kColumnTask = 512;

/// Pieces of kColumnTask columns.
inline void column_tasks(int node, Index columns, std::vector<GradientTask>& tasks) {
  for (Index j = 0; j < columns; j += kColumnTask) {
    tasks.push_back({node, 0, 1, j, std::min(kColumnTask, columns - j)});
  }
}

/// Sums the products of a task's columns over the batch and all calls of its layer, and gives them away as the
/// gradient of `tensor`; products_of(node) says what stands in column 0.
template <typename T, typename ProductsOf>
void take_group_products(const GradientTask& task, const Pass<T>& pass, const GradientSink<T>& sink, std::size_t tensor,
                         const ProductsOf& products_of) {
  alignas(kAlignment) T sums[kColumnTask] = {};
  for (const int node : pass.network.calls_of(task.node)) {
    alignas(kAlignment) T own[kColumnTask] = {};
    kernels::GroupProducts<T> products = products_of(node);
    products.a += task.out_begin;
    if (products.b != nullptr) products.b += task.out_begin;
    products.columns = task.out_count;
    products.sums = node == task.node ? sums : own;
    pass.kernels.group_products(products);
    if (node != task.node) pass.kernels.add_product(own, kColumnTask, nullptr, 0, sums, kColumnTask, 1, task.out_count);
  }
  const Tensor& t = pass.network.parameters()[tensor];
  sink.take(t.offset + task.out_begin, t.size, sums, kColumnTask, 1, task.out_count);
}

}  // namespace laminar
