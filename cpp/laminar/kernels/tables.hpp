// SPDX-License-Identifier: Apache-2.0
// What the kernel objects export: of each instruction set its tables, and the same table of floats with
// products of bfloat16 in place of its own. AVX512-BF16 has instructions for these alone.
#pragma once

#include "laminar/kernels/table.hpp"

namespace laminar::kernels {

const Kernels<float>* baseline_table_float();
const Kernels<double>* baseline_table_double();
void baseline_table_take_bfloat16(Kernels<float>& table);
const Kernels<float>* avx2_table_float();
const Kernels<double>* avx2_table_double();
void avx2_table_take_bfloat16(Kernels<float>& table);
const Kernels<float>* avx512_table_float();
const Kernels<double>* avx512_table_double();
void avx512_table_take_bfloat16(Kernels<float>& table);
void avx512_bf16_table_take_bfloat16(Kernels<float>& table);

}  // namespace laminar::kernels
