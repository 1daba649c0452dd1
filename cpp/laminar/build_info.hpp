// SPDX-License-Identifier: Apache-2.0
// What this build is and what of it runs here.
#pragma once

#include <string>
#include <vector>

namespace laminar {

/// What build_info() says.
struct BuildInfo {
  std::string version;
  std::string isa;                // of the kernels in use
  std::vector<std::string> isas;  // that run on this processor, best first
  int threads;                    // get_num_threads()
  std::string compiler;           // name and version
  std::string eigen;              // the version inside
};

/// Asks the processor, the environment and the build itself. Throws std::invalid_argument where
/// LAMINAR_ISA names no instruction set that runs here.
BuildInfo build_info();

}  // namespace laminar
