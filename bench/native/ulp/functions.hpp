// SPDX-License-Identifier: Apache-2.0
// The vector functions over arrays, compiled once per instruction set like the kernels themselves.
// Ordinary code includes only what stands above LAMINAR_ULP_ISA.
#pragma once

struct VectorFunction {
  const char* name;
  void (*apply)(const float* in, float* out, long count);  // count: a multiple of 16
};

inline constexpr int kFunctions = 6;

const VectorFunction* functions_of_baseline();
const VectorFunction* functions_of_avx2();
const VectorFunction* functions_of_avx512();

#ifdef LAMINAR_ULP_ISA
#include "laminar/kernels/math.hpp"

namespace {

namespace lk = laminar::kernels;

#define LAMINAR_ULP_FUNCTION(name)                                       \
  void name(const float* in, float* out, long count) {                   \
    for (long i = 0; i < count; i += lk::kLanes<float>) {                \
      lk::store(out + i, lk::name<lk::Vector<float>>(lk::load(in + i))); \
    }                                                                    \
  }
LAMINAR_ULP_FUNCTION(exp)
LAMINAR_ULP_FUNCTION(expm1)
LAMINAR_ULP_FUNCTION(log)
LAMINAR_ULP_FUNCTION(log1p)
LAMINAR_ULP_FUNCTION(tanh)
LAMINAR_ULP_FUNCTION(sigmoid)
#undef LAMINAR_ULP_FUNCTION

constexpr VectorFunction kTable[kFunctions] = {{"exp", &exp},     {"expm1", &expm1}, {"log", &log},
                                               {"log1p", &log1p}, {"tanh", &tanh},   {"sigmoid", &sigmoid}};

}  // namespace

const VectorFunction* LAMINAR_ULP_ISA() { return kTable; }
#endif
