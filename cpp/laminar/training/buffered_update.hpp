// SPDX-License-Identifier: Apache-2.0
// The update that is made once all gradients are known, where it cannot be made tile by tile: for
// penalties on weights, constraints, losses that are functions of a batch's mean, batches that go
// through in parts, and optimizers with options or rules for whole tensors.
#pragma once

#include "laminar/execution/batch.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/training/updater.hpp"

namespace laminar {

/// The gradient buffer of a model and the update made from it.
template <typename T>
class BufferedUpdate {
 public:
  /// Throws std::invalid_argument where the optimizer's options do not suit the network.
  BufferedUpdate(State<T>& state, const Optimizer& optimizer);

  /// Every update must be made here, penalties on weights or not.
  bool needed() const;
  /// Makes room for gradients; where `tables` is not null, not for those of tables that change by rows.
  void reserve(TableGradients<T>* tables);
  T* gradients() { return gradients_.data(); }

  /// One update from gradients(); constraints and packed weights follow. All of a team call it.
  void apply(const BatchMemory<T>& memory, const Team& team);

  /// At the end of training: what the optimizer's options do to the weights then.
  void finalize();

 private:
  State<T>& state_;
  Updater<T> updater_;
  bool fused_;  // the optimizer has no options that need all gradients, and no later change gives it any
  bool constrains_;
  AlignedBuffer<T> gradients_;
  TableGradients<T>* tables_ = nullptr;
};

}  // namespace laminar
