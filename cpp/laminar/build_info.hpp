// SPDX-License-Identifier: Apache-2.0
// What this build is and what of it runs here.
#pragma once

#include <string>
#include <vector>

namespace laminar {

struct BuildInfo {
  std::string version;
  std::string isa;                // of the kernels in use
  std::vector<std::string> isas;  // that run on this processor, best first
  int threads;
  std::string compiler;
  bool openmp;
  std::string eigen;
};

BuildInfo build_info();

}  // namespace laminar
