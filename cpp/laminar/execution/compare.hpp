// SPDX-License-Identifier: Apache-2.0
// Outputs against targets: the loss and the metrics of every row of a padded block.
#pragma once

#include "laminar/execution/scores.hpp"
#include "laminar/graph/objective.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {

template <typename T>
struct Compared {
  T* outputs = nullptr;  // padded; replaced by the activation where the loss took it upon itself
  Index outputs_stride = 0;
  const T* targets = nullptr;  // padded; null where labels are given
  Index targets_stride = 0;
  const std::int32_t* labels = nullptr;
  const T* weights = nullptr;
  T scale = 1;         // of the gradient
  T* delta = nullptr;  // null: no gradient
  Index delta_stride = 0;
  T* losses = nullptr;             // one per row; as they were where the goal has no loss
  RowScores<T>* scores = nullptr;  // of the metrics
  Index first_score = 0;           // the number of the first row there
  Index rows = 0;
  Index columns = 0;
};

template <typename T>
void compare(const kernels::Kernels<T>& kernels, const Goal& goal, const Compared<T>& c);

/// What a thread needs of Scratch::program for a goal's functions of one's own.
Index own_room(const Goal& goal);

/// Whether a class number is one of `outputs` classes or the ignored one. It was when the rows were
/// checked, but another thread may have written it since: its loss is NaN then.
inline bool may_be_label(const Goal& goal, std::int32_t label, Index outputs) {
  return (label >= 0 && label < outputs) || label == goal.ignored;
}

}  // namespace laminar
