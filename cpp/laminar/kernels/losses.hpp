// SPDX-License-Identifier: Apache-2.0
// Every loss: value and gradient on vectors, per row. To add one, write a struct in the file of its kin
// and put its name in the list. An elementwise loss has terms(y, p) -> value and slope of one output;
// others compare a whole row: see loss_entry.hpp for what each may say, loss_views.hpp for rows.
#pragma once

#include "laminar/kernels/loss_binary.hpp"
#include "laminar/kernels/loss_categorical.hpp"
#include "laminar/kernels/loss_deviances.hpp"
#include "laminar/kernels/loss_errors.hpp"
#include "laminar/kernels/loss_overlap.hpp"

namespace laminar::kernels {
namespace {

/// The losses, in the order of their numbers.
using Losses =
    List<Mse, Mae, Rmse, Huber, LogCosh, Mape, Msle, Quantile, Hinge, SquaredHinge, CategoricalHinge, Poisson,
         KlDivergence, Tweedie, Gamma, CosineSimilarity, Dice, Tversky, BinaryCrossentropy, BinaryFocalCrossentropy,
         CategoricalCrossentropy, CategoricalFocalCrossentropy, SparseCategoricalCrossentropy>;

template <typename L, typename View, typename T>
void loss_of_rows(const LossRows<T>& r) {
  for (Index i = 0; i < r.rows; i += View::kRows) {
    View view(r, i);
    L::template compare<L>(r, view);
    view.finish();
  }
}

template <typename L, typename T>
void loss_rows(const LossRows<T>& r) {
  if (r.columns == 1) {
    loss_of_rows<L, LaneView<L, T, 1>>(r);
  } else if (r.columns <= kLanes<T>) {
    loss_of_rows<L, LaneView<L, T, kLanes<T>>>(r);
  } else {
    loss_of_rows<L, RowView<L, T>>(r);
  }
}

/// The gradient of the first row where it has one output, given and returned in all lanes.
template <typename L, typename T>
Vector<T> loss_gradient_of_one(const LossRows<T>& r, Vector<T> output) {
  SingleView<L, T> view(r, output);
  L::template compare<L>(r, view);
  return view.delta();
}

template <typename T, typename L>
struct LossTable;
template <typename T, typename... L>
struct LossTable<T, List<L...>> {
  static constexpr void (*rows[])(const LossRows<T>&) = {&loss_rows<L, T>...};
  static constexpr Vector<T> (*gradient_of_one[])(const LossRows<T>&, Vector<T>) = {&loss_gradient_of_one<L, T>...};
};

template <typename T>
void loss(const LossRows<T>& r) {
  LossTable<T, Losses>::rows[r.loss](r);
}

}  // namespace
}  // namespace laminar::kernels
