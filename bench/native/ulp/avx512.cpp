// SPDX-License-Identifier: Apache-2.0
#define LAMINAR_VECTOR_BYTES 64
#define LAMINAR_ULP_ISA functions_of_avx512
#include "functions.hpp"
