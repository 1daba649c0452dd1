// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace laminar::tests {

/// Calls of any operator new, by any thread, since the program started.
std::int64_t allocations();

}  // namespace laminar::tests
