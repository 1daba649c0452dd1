// SPDX-License-Identifier: Apache-2.0
// The list of layers. To add one: its struct in layers/<name>.hpp, its work in layers/<name>.cpp
// (see pass.hpp for what that is), one word here, and its reading and writing in config.cpp.
#pragma once

#include <variant>

#include "laminar/layers/activate.hpp"
#include "laminar/layers/dense.hpp"
#include "laminar/layers/dropout.hpp"

namespace laminar {

using Layer = std::variant<Dense, Activate, Dropout>;

}  // namespace laminar
