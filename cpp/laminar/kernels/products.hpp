// SPDX-License-Identifier: Apache-2.0
// The functions of a table that know what products multiply, as one set.
#pragma once

#include "laminar/kernels/product.hpp"

namespace laminar::kernels {
namespace {

/// Puts the products of A into a table, with all that brings their operands into place.
template <typename A>
constexpr void take_products(Kernels<typename A::Scalar>& table) {
  table.depths = A::kDepths;
  table.product = &product<A>;
  table.weight_gradient = &weight_gradient<A>;
  table.pack = &pack<A>;
  table.pack_transposed = &pack_transposed<A>;
  table.to_panels = &to_panels<A>;
  table.tiles_of_columns = &tiles_of_columns<A>;
}

}  // namespace
}  // namespace laminar::kernels
