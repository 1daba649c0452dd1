// SPDX-License-Identifier: Apache-2.0
// An optimizer at work: its settings, its arrays in the parameters' layout, its one clock.
#pragma once

#include <array>

#include "laminar/optimizer.hpp"
#include "laminar/parameters.hpp"

namespace laminar {

template <typename T>
struct OptimizerState {
  OptimizerState(const Optimizer& optimizer_, const ParameterLayout& layout);

  Optimizer optimizer;
  std::array<AlignedBuffer<T>, kernels::kMaxSlots> slots;
  AlignedBuffer<T> accumulated;  // sum of gradients since the last update; empty without accumulation
  AlignedBuffer<T> average;      // running average of the weights; empty without use_ema
  Index iterations = 0;          // updates made
  Index waiting = 0;             // batches in `accumulated`
};

}  // namespace laminar
