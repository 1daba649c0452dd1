// SPDX-License-Identifier: Apache-2.0
// Fills the table of one instruction set. Included once by each of baseline.cpp, avx2.cpp and
// avx512.cpp, which set LAMINAR_VECTOR_BYTES and are compiled with their own -m flags.
#pragma once

#include "laminar/kernels/groups.hpp"
#include "laminar/kernels/small.hpp"

namespace laminar::kernels {
namespace {

template <typename T>
constexpr Kernels<T> make_table(const char* isa) {
  return {isa,
          kLanes<T>,
          kPanel<T>,
          &product<T>,
          &weight_gradient<T>,
          &pack<T>,
          &pack_transposed<T>,
          &to_panels<T>,
          &tiles_of_columns<T>,
          &gather<T>,
          &activate<T>,
          &activation_gradient<T>,
          &loss<T>,
          &update<T>,
          &column_sums<T>,
          &column_products<T>,
          &column_affine<T>,
          &multiply<T>,
          &add_product<T>,
          &group_products<T>,
          &prelu<T>,
          &prelu_gradient<T>,
          &standardize<T>,
          &restore<T>,
          &rescale<T>,
          &normalize<T>,
          &normalize_gradient<T>,
          &largest_piece<T>,
          &largest_piece_gradient<T>,
          &small_step<T>,
          &small_run<T>,
          &all_finite<T>};
}

}  // namespace
}  // namespace laminar::kernels
