// SPDX-License-Identifier: Apache-2.0
// How slopes of activations change, in operations: what gradients of gradients need.
#pragma once

#include <string_view>
#include <vector>

#include "laminar/operations/program.hpp"

namespace laminar {

/// Gradients of e times activation_gradient(z, a, d), an instruction of the program.
struct SlopeGradients {
  int z = -1;  // by z, of which a is a function; -1 also where the slope is the same everywhere nearby
  int d = -1;
};

/// The number of the kernel that computes an activation without arguments.
Index activation_kernel(std::string_view name);

/// Adds those that are wanted to the program.
SlopeGradients add_slope_gradients(Program& program, const Instruction& gradient, int e, bool by_z, bool by_d);

}  // namespace laminar
