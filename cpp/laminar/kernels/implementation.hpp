// SPDX-License-Identifier: Apache-2.0
// Fills the table of one instruction set. Included once by each of baseline.cpp, avx2.cpp and
// avx512.cpp, which set LAMINAR_VECTOR_BYTES and are compiled with their own -m flags.
#pragma once

#include "laminar/kernels/compact.hpp"
#include "laminar/kernels/dense_row.hpp"
#include "laminar/kernels/elementwise.hpp"
#include "laminar/kernels/groups.hpp"
#include "laminar/kernels/products.hpp"
#include "laminar/kernels/small.hpp"

namespace laminar::kernels {
namespace {

template <typename T>
constexpr Kernels<T> make_table() {
  Kernels<T> table{};
  table.lanes = kLanes<T>;
  table.panel = kPanel<T>;
  take_products<Numbers<T>>(table);
  if constexpr (sizeof(T) == sizeof(float)) table.compact_product = &compact_product;
  table.dense_row = &dense_row<T>;
  table.gather = &gather<T>;
  table.activate = &activate<T>;
  table.activation_gradient = &activation_gradient<T>;
  table.loss = &loss<T>;
  table.update = &update<T>;
  table.column_sums = &column_sums<Numbers<T>>;
  table.column_products = &column_products<T>;
  table.column_affine = &column_affine<T>;
  table.multiply = &multiply<T>;
  table.add_product = &add_product<T>;
  table.group_products = &group_products<T>;
  table.prelu = &prelu<T>;
  table.prelu_gradient = &prelu_gradient<T>;
  table.standardize = &standardize<T>;
  table.restore = &restore<T>;
  table.rescale = &rescale<T>;
  table.normalize = &normalize<T>;
  table.normalize_gradient = &normalize_gradient<T>;
  table.largest_piece = &largest_piece<T>;
  table.largest_piece_gradient = &largest_piece_gradient<T>;
  table.elementwise = &elementwise<T>;
  table.reduce = &reduce<T>;
  table.small_step = &small_step<T>;
  table.small_run = &small_run<T>;
  table.all_finite = &all_finite<T>;
  return table;
}

}  // namespace
}  // namespace laminar::kernels
