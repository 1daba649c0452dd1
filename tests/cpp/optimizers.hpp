// SPDX-License-Identifier: Apache-2.0
// The optimizers that kernels have, with every hyper-parameter moved: the others are the Updater's,
// and its tests'.
#pragma once

#include "laminar/catalogue/optimizer.hpp"
#include "support.hpp"

namespace laminar::tests {

inline std::vector<Optimizer> elementwise_optimizers() {
  auto all = variants<Optimizer>(optimizer_family());
  std::erase_if(all, [](const Optimizer& optimizer) { return optimizer.tensor_wise(); });
  return all;
}

}  // namespace laminar::tests
