// SPDX-License-Identifier: Apache-2.0
#include "laminar/build_info.hpp"

#include <Eigen/Core>

#include "laminar/kernels/dispatch.hpp"
#include "laminar/threads/parallel.hpp"

namespace laminar {

BuildInfo build_info() {
#if defined(__clang__)
  const char* compiler = "clang " __clang_version__;
#else
  const char* compiler = "gcc " __VERSION__;
#endif
  const std::string eigen = std::to_string(EIGEN_WORLD_VERSION) + "." + std::to_string(EIGEN_MAJOR_VERSION) + "." +
                            std::to_string(EIGEN_MINOR_VERSION);
  return {LAMINAR_VERSION, kernels::active_isa(), kernels::available_isas(), get_num_threads(), compiler, eigen};
}

}  // namespace laminar
