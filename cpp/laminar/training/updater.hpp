// SPDX-License-Identifier: Apache-2.0
// An update of all weights from a buffer of gradients: what the fused step cannot do. It is for
// optimizers with options (weight decay, clipping, accumulation, averages) and for rules that take a
// whole tensor. Work is cut into chunks and tensors that do not depend on the number of threads, and
// norms are summed over chunks in their order, so the bits do not depend on it either.
#pragma once

#include <span>
#include <vector>

#include "laminar/execution/optimizer_state.hpp"
#include "laminar/execution/table_gradients.hpp"
#include "laminar/threads/parallel.hpp"

namespace laminar {

/// The update of a network's weights by one optimizer.
template <typename T>
class Updater {
 public:
  /// Throws std::invalid_argument where options do not go together, or where an exclusion from weight
  /// decay is no regular expression.
  Updater(const ParameterLayout& layout, const Optimizer& optimizer);

  /// Takes the gradients of one batch. Every thread of `team` calls it with the same arguments, after
  /// a barrier; when one returns, all have finished.
  ///
  /// `parameters` and `gradients` are in the layout's flat order, layout.size() elements each;
  /// gradients are scratch afterwards, tensors that are not trainable stay as they are. `state` was
  /// made for the same layout and optimizer, whose learning rate may have changed since; its counters
  /// advance here. Tables that change by rows are updated where `tables` has read them, from the gradients there.
  ///
  /// Returns whether weights may have changed: false while gradients are only accumulated.
  bool apply(std::span<T> parameters, std::span<T> gradients, OptimizerState<T>& state, const Team& team = Team(0, 1),
             TableGradients<T>* tables = nullptr);

  /// At the end of training: with use_ema the weights become their running average. Returns whether
  /// they did.
  bool finalize(std::span<T> parameters, const OptimizerState<T>& state) const;

 private:
  struct Place {  // a trainable tensor
    Tensor tensor;
    bool decays;        // weight decay takes it
    std::size_t chunk;  // its first, and the number of them; of a table that changes by rows the place of its square
    std::size_t chunks;
    AlignedBuffer<T> scratch;  // for a rule that takes it whole
  };
  struct Chunk {
    std::size_t place;
    Index offset;
    Index size;
  };
  struct Step;  // what one update needs to know

  double decay_of(const Place& place, const Optimizer& optimizer) const;
  T clip_factor(const Step& step, std::size_t place) const;
  void accumulate(const Chunk& chunk, T* gradients, OptimizerState<T>& state, bool last) const;
  void clip_and_update(std::size_t place, Index offset, Index size, T* gradients, const Step& step) const;
  void update_rows(TableRows<T>& table, const Step& step, const Team& team) const;
  void average(const Chunk& chunk, T* parameters, OptimizerState<T>& state) const;

  std::vector<Place> places_;
  std::vector<std::size_t> place_of_;  // by the tensor's number
  std::vector<Chunk> chunks_;
  std::vector<std::size_t> by_rows_;  // places of tables that change by rows
  std::vector<double> squares_;       // of gradients, summed over each chunk
};

}  // namespace laminar
