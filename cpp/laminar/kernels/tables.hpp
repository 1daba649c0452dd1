// SPDX-License-Identifier: Apache-2.0
// The accessors of the tables, one pair per instruction set: all that a kernel object exports.
#pragma once

#include "laminar/kernels/table.hpp"

namespace laminar::kernels {

const Kernels<float>* baseline_table_float();
const Kernels<double>* baseline_table_double();
const Kernels<float>* avx2_table_float();
const Kernels<double>* avx2_table_double();
const Kernels<float>* avx512_table_float();
const Kernels<double>* avx512_table_double();

}  // namespace laminar::kernels
