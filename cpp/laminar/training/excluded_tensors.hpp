// SPDX-License-Identifier: Apache-2.0
// Tensors left out of something by their names. Apart from those who ask, as regular expressions are many
// instructions, and these are compiled for their size.
#pragma once

#include <string>
#include <vector>

#include "laminar/catalogue/parameters.hpp"

namespace laminar {

/// For each tensor whether its name holds a match of one of `patterns`, regular expressions as ECMAScript has
/// them. ValueError for one that is none.
std::vector<bool> excluded_from_weight_decay(const std::vector<std::string>& patterns,
                                             const std::vector<Tensor>& tensors);

}  // namespace laminar
