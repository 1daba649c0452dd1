// SPDX-License-Identifier: Apache-2.0
#define LAMINAR_VECTOR_BYTES 16
#define LAMINAR_ULP_ISA functions_of_baseline
#include "functions.hpp"
