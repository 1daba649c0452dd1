// SPDX-License-Identifier: Apache-2.0
// The products of bfloat16 for avx512_bf16, whose other kernels are those of avx512. Exports the function
// below and nothing else.
#define LAMINAR_VECTOR_BYTES 64
#include "laminar/kernels/products.hpp"
#include "laminar/kernels/tables.hpp"

namespace laminar::kernels {

void avx512_bf16_table_take_bfloat16(Kernels<float>& table) { take_products<Pairs>(table); }

}  // namespace laminar::kernels
