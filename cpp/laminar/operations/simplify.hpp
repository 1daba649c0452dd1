// SPDX-License-Identifier: Apache-2.0
// Programs of gradients, written with fewer and smaller operations. Internal.
#pragma once

#include "laminar/operations/program.hpp"

namespace laminar {

/// A program written anew.
struct Simplified {
  Program program;
  std::vector<int> places;  // where each value of the old one is
};

/// Writes the values from `first` on, which are gradients, as nothing that has gradients itself could be: slopes of
/// tanh and sigmoid are one operation, those of activations read nothing that they do not look at, and nothing is
/// repeated that an operation on elements repeats itself. What is computed twice is computed once, powers of two
/// multiply the smaller of two factors, which changes no result, and what slices give back is put side by side.
Simplified simplify(const Program& program, int first);

}  // namespace laminar
