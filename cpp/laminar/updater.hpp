// SPDX-License-Identifier: Apache-2.0
// An update of all weights from a buffer of gradients: what the fused step cannot do. It is for
// optimizers with options (weight decay, clipping, accumulation, averages) and for rules that take a
// whole tensor. Work is cut into chunks and tensors that do not depend on the number of threads, and
// norms are summed over chunks in their order, so the bits do not depend on it either.
#pragma once

#include <vector>

#include "laminar/optimizer_state.hpp"
#include "laminar/parallel.hpp"

namespace laminar {

template <typename T>
class Updater {
 public:
  /// Throws std::invalid_argument where an exclusion is no regular expression.
  Updater(const ParameterLayout& layout, const Optimizer& optimizer);

  /// Takes the gradients of one batch. All of `team` call it with the same arguments, and all have
  /// finished when one returns; it throws nothing and allocates nothing.
  ///
  /// `parameters` and `gradients` are in the layout's flat order, layout.size() elements each;
  /// gradients are scratch afterwards, tensors that are not trainable stay untouched.
  /// `state` was made for the same layout and optimizer; its learning rate may have changed since.
  /// Its counters advance here: `iterations` by one for an update.
  ///
  /// Returns whether there was an update: false while gradients are accumulated.
  bool apply(std::span<T> parameters, std::span<T> gradients, OptimizerState<T>& state,
             const Team& team = Team(0, 1));

  /// At the end of training: with use_ema the weights become their running average (Keras's
  /// finalize_variable_values). Returns whether they did.
  bool finalize(std::span<T> parameters, const OptimizerState<T>& state) const;

 private:
  struct Chunk {
    Index tensor;
    Index offset;
    Index size;
  };
  struct Step;  // what all threads of one apply share

  void add_norms(std::span<const T> gradients, const Team& team);
  void update(const Chunk& chunk, const Step& step) const;

  std::vector<Tensor> tensors_;   // the trainable ones
  std::vector<char> decays_;      // for each of them: weight decay takes it
  std::vector<Chunk> chunks_;
  std::vector<double> squares_;   // of gradients, summed over each chunk
  std::vector<AlignedBuffer<T>> scratch_;  // of each tensor, for rules that take it whole
};

}  // namespace laminar
