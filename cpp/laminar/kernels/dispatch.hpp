// SPDX-License-Identifier: Apache-2.0
// Which kernel tables run on this processor, and which one is used. The choice is made once, at the
// first use; the environment variable LAMINAR_ISA overrides it.
#pragma once

#include <string>
#include <vector>

#include "laminar/kernels/table.hpp"

namespace laminar::kernels {

/// Names of the instruction sets that run here, best first.
std::vector<std::string> available_isas();

/// Name of the instruction set in use.
std::string active_isa();

/// The table of one instruction set by name; throws std::invalid_argument where it cannot run here.
template <typename T>
const Kernels<T>& kernels_for(const std::string& isa, ProductPrecision precision = ProductPrecision::full);

}  // namespace laminar::kernels
