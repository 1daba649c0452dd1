// SPDX-License-Identifier: Apache-2.0
// The kernels for baseline: see implementation.hpp. Exports the functions below and nothing else.
#define LAMINAR_VECTOR_BYTES 16
#include "laminar/kernels/implementation.hpp"
#include "laminar/kernels/tables.hpp"

namespace laminar::kernels {

const Kernels<float>* baseline_table_float() {
  static constexpr Kernels<float> table = make_table<float>();
  return &table;
}

const Kernels<double>* baseline_table_double() {
  static constexpr Kernels<double> table = make_table<double>();
  return &table;
}

void baseline_table_take_bfloat16(Kernels<float>& table) { take_products<Pairs>(table); }

}  // namespace laminar::kernels
