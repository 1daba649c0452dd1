// SPDX-License-Identifier: Apache-2.0
// What the system lets this process have of its processors. Internal.
#pragma once

namespace laminar {

/// Processors that this process may use: affinity, cgroup quota and OMP_NUM_THREADS, whichever is least.
int usable_processors();

/// Processors that nobody else is using at this moment, at least 1 and at most `most`; `most` where the
/// system does not tell.
int idle_processors(int most);

}  // namespace laminar
