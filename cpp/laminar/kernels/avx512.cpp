// SPDX-License-Identifier: Apache-2.0
// The kernels for avx512: see implementation.hpp. Exports the functions below and nothing else.
#define LAMINAR_VECTOR_BYTES 64
#include "laminar/kernels/implementation.hpp"
#include "laminar/kernels/tables.hpp"

namespace laminar::kernels {

const Kernels<float>* avx512_table_float() {
  static constexpr Kernels<float> table = make_table<float>();
  return &table;
}

const Kernels<double>* avx512_table_double() {
  static constexpr Kernels<double> table = make_table<double>();
  return &table;
}

void avx512_table_take_bfloat16(Kernels<float>& table) { take_products<Pairs>(table); }

}  // namespace laminar::kernels
