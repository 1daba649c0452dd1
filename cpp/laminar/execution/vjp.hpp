// SPDX-License-Identifier: Apache-2.0
// The way back through a network from gradients that the caller gives: a vector times the Jacobian of the
// outputs by the weights and by the inputs; and the outputs that belong to it, where layers do as in training.
// Internal: Model::backward and Model::outputs_in_training are its public face.
#pragma once

#include <span>
#include <vector>

#include "laminar/execution/pass.hpp"
#include "laminar/execution/state.hpp"

namespace laminar {

/// d_parameters, in the layout of the parameters, and d_x become the gradients of sum d_out * outputs. Either
/// may be empty where nobody asks for it. With `training` layers draw and look at all rows as in the update
/// that comes next, or in the one of number `step` if that is not negative, else they do as in prediction. Changes
/// nothing: any number of threads may run one model.
template <typename T>
void backward(const State<T>& state, MatrixView<const T> x, MatrixView<const T> d_out, std::span<T> d_parameters,
              MatrixView<T> d_x, bool training, Index step = -1);

/// A way forward in training that is kept for the way back: what all layers have made of a batch's rows. Of one State,
/// which must not change in between, and of one thread at a time. Its gradients are those that backward() computes
/// with `training`, which goes forward once more.
template <typename T>
class Passage {
 public:
  /// For batches of so many rows.
  Passage(const State<T>& state, Index rows);

  Index rows() const { return plan_.rows(); }
  Index bytes() const { return plan_.size() * static_cast<Index>(sizeof(T)); }
  /// What outputs_in_training() does.
  void forward(const State<T>& state, MatrixView<const T> x, MatrixView<T> out, Index step, T* statistics = nullptr);
  /// At most once after each forward(): d_parameters become the gradients of sum d_out * outputs.
  void backward(const State<T>& state, MatrixView<const T> d_out, std::span<T> d_parameters);

 private:
  Pass<T> pass(const State<T>& state, StopScope* stop);

  Plan plan_;
  std::vector<int> whole_batch_;
  std::vector<GradientTask> tasks_;
  AlignedBuffer<T> memory_;  // from the first forward() on
  Index step_ = 0;
};

/// out = the outputs whose gradients backward() computes with `training` and the same step. `statistics`: the
/// parameters, where running statistics are to follow the batch's as in an update; else null. `passage`: keeps what its
/// backward() needs; it is for as many rows.
template <typename T>
void outputs_in_training(const State<T>& state, MatrixView<const T> x, MatrixView<T> out, Index step,
                         T* statistics = nullptr, Passage<T>* passage = nullptr);

}  // namespace laminar
