// SPDX-License-Identifier: Apache-2.0
// The step of a network so small that packing, tiles and calls would cost more than the arithmetic:
// dense layers only, on the calling thread, one kernel a step, one flat update. It computes the same
// bits as the general step (kernels/small.hpp), so when it is used is a matter of speed.
#pragma once

#include <array>
#include <vector>

#include "laminar/data/batch_rows.hpp"
#include "laminar/execution/scores.hpp"
#include "laminar/execution/state.hpp"

namespace laminar {

/// A small network in training, with weights and optimizer state in a layout of its own.
template <typename T>
class SmallNetwork {
 public:
  /// Whether batches of so many rows are faster this way, and the network is of the kind.
  static bool suits(const Network& network, const Objective& objective, Index rows);

  /// For batches of up to `rows` rows.
  SmallNetwork(const Network& network, const Objective& objective, Index rows);

  Index rows() const { return rows_; }
  /// Takes weights and optimizer state over, in its own layout, …
  void load(const State<T>& state);
  /// … and gives them back.
  void save(State<T>& state) const;
  /// All weights are finite.
  bool finite() const;

  /// One batch, its losses divided by `divisor`; iteration 0 is the first. Without `optimizer`
  /// the weights stay as they are and gradients() has the gradients.
  /// Returns the sum of the losses; where it is not finite, nothing was updated.
  double step(const BatchRows<T>& batch, double divisor, const Optimizer* optimizer, Index iteration);
  /// Batches of one row each, at most kRun of them, the first with number `iteration`. Returns false
  /// where a loss is not finite; then nothing was updated.
  static constexpr Index kRun = 16;
  bool run(const BatchRows<T>& rows, const Optimizer& optimizer, Index iteration);
  /// The last run's losses, one for each row, and the rows' weights.
  const T* losses() const { return losses_.data(); }
  const std::array<double, kRun>& row_weights() const { return row_weights_; }
  /// The last batch's gradients, written in the parameters' layout.
  void gradients(T* out) const;
  /// Measures the rows of the last batch or run, and folds them into the metrics' states.
  void score(Scores& scores);

 private:
  /// A tensor's rows in the parameters' layout and here, where they stand `stride` apart.
  struct Place {
    Index offset;
    Index place;
    Index rows;
    Index columns;
    Index stride;
  };

  Index add(const Tensor& tensor, Index rows, Index columns);
  /// From the parameters' layout to the one here, and back.
  void spread(const T* flat, AlignedBuffer<T>& own) const;
  void collect(const AlignedBuffer<T>& own, T* flat) const;
  /// Both return false where a label is no class.
  bool gather(const BatchRows<T>& batch);
  bool gather_targets(const BatchRows<T>& batch);

  const Goal& goal_;
  const kernels::Kernels<T>& kernels_;
  Index rows_;
  Index features_;
  Index size_ = 0;  // of parameters and gradients here
  std::vector<Place> places_;
  std::vector<kernels::SmallLayer<T>> layers_;
  std::vector<std::array<T, kMaxParameters>> activation_parameters_;
  std::array<T, kMaxParameters> loss_parameters_;
  std::array<T, kRun * kernels::kMaxCoefficients> coefficients_{};
  std::array<T, kRun> scales_{};
  std::array<double, kRun> row_weights_{};
  AlignedBuffer<T> parameters_;
  AlignedBuffer<T> gradients_;
  std::array<AlignedBuffer<T>, kernels::kMaxSlots> slots_;
  AlignedBuffer<T> saved_parameters_;  // as before the run
  std::array<AlignedBuffer<T>, kernels::kMaxSlots> saved_slots_;
  AlignedBuffer<T> memory_;  // outputs and deltas of all layers
  AlignedBuffer<T> inputs_;
  AlignedBuffer<T> targets_;
  AlignedBuffer<T> weights_;
  AlignedBuffer<T> losses_;
  AlignedBuffer<T> scratch_;
  std::vector<std::int32_t> labels_;
  RowScores<T> scores_;
  kernels::SmallStep<T> step_;
};

}  // namespace laminar
