// SPDX-License-Identifier: Apache-2.0
#define LAMINAR_VECTOR_BYTES 32
#define LAMINAR_ULP_ISA functions_of_avx2
#include "functions.hpp"
