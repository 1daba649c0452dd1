// SPDX-License-Identifier: Apache-2.0
// Operands for the tests of products, of numbers and of pairs of bfloat16.
#pragma once

#include "block.hpp"

namespace laminar::tests {

/// The right operand as a table's products read it.
template <typename T>
std::vector<T> packed(const kernels::Kernels<T>& k, const std::vector<T>& w, Index depth, Index columns) {
  std::vector<T> panels(as_size(k.packed_size(depth, columns)));
  k.pack(w.data(), columns, depth, columns, panels.data());
  return panels;
}

/// The product of these operands, with neither tiles nor an epilogue.
template <typename T>
kernels::Product<T> product_of(const std::vector<T>& left, const std::vector<T>& right,
                               std::type_identity_t<const T*> bias, Block<T>& out, Index rows, Index depth,
                               Index columns) {
  kernels::Product<T> p;
  p.left = left.data();
  p.left_stride = depth;
  p.right = right.data();
  p.bias = bias;
  p.out = out.data();
  p.out_stride = out.stride();
  p.rows = rows;
  p.depth = depth;
  p.columns = columns;
  return p;
}

/// values (rows x columns) with rows and columns exchanged.
template <typename T>
std::vector<T> transposed(const std::vector<T>& values, Index rows, Index columns) {
  std::vector<T> out(values.size());
  for (Index i = 0; i < rows * columns; ++i) out[as_size(i % columns * rows + i / columns)] = values[as_size(i)];
  return out;
}

}  // namespace laminar::tests
