// SPDX-License-Identifier: Apache-2.0
// Programs as JSON: {"inputs": [[-1, 3]], "weights": [[3, 2]], "steps": [{"op": "matmul", "reads": [0, 1],
// "integers": [0, 0]}, {"op": "activation", "reads": [2],
// "activation": {"name": "gelu"}}, …], "outputs": [3]}. Values are numbered: the inputs, the weights, then the steps.
// An axis of rows is -1. Internal.
#pragma once

#include "laminar/files/json_members.hpp"
#include "laminar/operations/program.hpp"

namespace laminar {

Program program_from(const Json& json, const std::string& owner);
Json json_of_program(const Program& program);

}  // namespace laminar
