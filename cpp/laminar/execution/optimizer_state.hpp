// SPDX-License-Identifier: Apache-2.0
// An optimizer at work: its settings, its arrays in the parameters' layout, its one clock.
#pragma once

#include <array>

#include "laminar/catalogue/optimizer.hpp"
#include "laminar/catalogue/parameters.hpp"

namespace laminar {

/// What an optimizer remembers from step to step.
template <typename T>
struct OptimizerState {
  OptimizerState(const Optimizer& optimizer_, const ParameterLayout& layout) : optimizer(optimizer_) {
    for (int i = 0; i < optimizer.slots(); ++i) {
      AlignedBuffer<T>& slot = slots[static_cast<std::size_t>(i)];
      slot = AlignedBuffer<T>(layout.size());
      std::fill_n(slot.data(), slot.size(), static_cast<T>(optimizer.initial(i)));
    }
    if (optimizer.options.accumulation() > 1) accumulated = AlignedBuffer<T>(layout.size());
    if (optimizer.options.value("use_ema") != 0) average = AlignedBuffer<T>(layout.size());
  }

  /// Gives back the arrays of a model that is not trained any more.
  void forget() {
    for (AlignedBuffer<T>& slot : slots) slot = AlignedBuffer<T>();
    accumulated = AlignedBuffer<T>();
    average = AlignedBuffer<T>();
    waiting = 0;
  }
  /// Batches whose gradients were taken.
  Index batches() const { return iterations * optimizer.options.accumulation() + waiting; }
  /// Arrays that are kept in the parameters' layout.
  Index arrays() const { return optimizer.slots() + (accumulated.size() > 0 ? 1 : 0) + (average.size() > 0 ? 1 : 0); }
  /// Of the update that comes next.
  double learning_rate() const { return optimizer.learning_rate(batches()); }

  Optimizer optimizer;
  std::array<AlignedBuffer<T>, kernels::kMaxSlots> slots;
  AlignedBuffer<T> accumulated;  // sum of gradients since the last update; empty without accumulation
  AlignedBuffer<T> average;      // running average of the weights; empty without use_ema
  Index iterations = 0;          // updates made
  Index waiting = 0;             // batches in `accumulated`
};

}  // namespace laminar
