// SPDX-License-Identifier: Apache-2.0
// The list of elementwise optimizers and how an update finds its rule. The rules stand in
// gradient_rules.hpp and adam_rules.hpp. To add one, write a struct there and put its name in the
// list below. In it
//   `info`          names the entry and its hyper-parameters, the learning rate first;
//   `slots`         counts state arrays, `initial` is what one of them starts with;
//   `coefficients`  turns hyper-parameters, and the step number (1 for the first update) where it takes
//                   one, into the `numbers` that the update needs, once per step and in double;
//   `update`        is the rule for one vector of weights, with the first `Slots` slots in use;
//   `together`      may say how many vectors to take at a time, where a rule is a long chain of operations.
#pragma once

#include "laminar/kernels/adam_rules.hpp"
#include "laminar/kernels/gradient_rules.hpp"
#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

/// The optimizers, in the order of their numbers.
using Optimizers = List<Sgd, RmsProp, Adagrad, Adadelta, Adam, AdamW, Adamax, Nadam, Radam, Ftrl, Lion, Rprop>;

/// The update of N vectors, their chains of operations side by side. For rules that ask for it: in one
/// more copy of ftrl, GCC fuses other products than in the rest, and the bits would depend on the place.
template <typename O, int Slots, int N, typename T>
inline void update_together(T* weights, T* const* slots, const T* gradients, const T* c) {
  using V = Vector<T>;
  V w[N];
  V g[N];
  V slot[N][O::max_slots];
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n) {
    w[n] = load(weights + n * kLanes<T>);
    g[n] = load(gradients + n * kLanes<T>);
#pragma GCC unroll 4
    for (int s = 0; s < Slots; ++s) slot[n][s] = load(slots[s] + n * kLanes<T>);
  }
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n) w[n] = O::template update<Slots>(w[n], g[n], slot[n], c);
#pragma GCC unroll 4
  for (int n = 0; n < N; ++n) {
    store(weights + n * kLanes<T>, w[n]);
#pragma GCC unroll 4
    for (int s = 0; s < Slots; ++s) store(slots[s] + n * kLanes<T>, slot[n][s]);
  }
}

/// The update of whole vectors, with the first `Slots` slots in use.
template <typename O, int Slots, typename T>
inline void update_vectors(T* weights, T* const* slots, const T* gradients, Index count, const T* c) {
  using V = Vector<T>;
  Index j = 0;
  if constexpr (requires { O::together; }) {
    constexpr Index step = O::together * kLanes<T>;
    for (; j + step <= count; j += step) {
      T* at[Slots];
      for (int s = 0; s < Slots; ++s) at[s] = slots[s] + j;
      update_together<O, Slots, O::together>(weights + j, at, gradients + j, c);
    }
  }
  for (; j < count; j += kLanes<T>) {
    V slot[O::max_slots] = {};
    for (int s = 0; s < Slots; ++s) slot[s] = load(slots[s] + j);
    store(weights + j, O::template update<Slots>(load(weights + j), load(gradients + j), slot, c));
    for (int s = 0; s < Slots; ++s) store(slots[s] + j, slot[s]);
  }
}

/// The update of one row.
template <typename O, int Slots, typename T>
inline void update_row(T* weights, T* const* slots, const T* gradients, Index columns, const T* c) {
  using V = Vector<T>;
  const Index whole = columns / kLanes<T> * kLanes<T>;
  update_vectors<O, Slots>(weights, slots, gradients, whole, c);
  if (const Index rest = columns - whole; rest > 0) {
    V slot[O::max_slots] = {};
    for (int s = 0; s < Slots; ++s) slot[s] = load_first(slots[s] + whole, rest);
    const V w = load_first(weights + whole, rest);
    const V g = load_first(gradients + whole, rest);
    store_first(weights + whole, O::template update<Slots>(w, g, slot, c), rest);
    for (int s = 0; s < Slots; ++s) store_first(slots[s] + whole, slot[s], rest);
  }
}

/// Rows [first, first + rows), one after the other, or as one whose gradients are given.
template <typename O, int Slots, typename T>
inline void update_part(const Update<T>& u, Index first, Index rows, Index columns, const T* gradients, const T* c) {
  for (Index i = first; i < first + rows; ++i, gradients += u.gradients_stride) {
    T* slots[Slots + 1];
    for (int s = 0; s < Slots; ++s) slots[s] = u.slots[s] + i * u.stride;
    update_row<O, Slots>(u.weights + i * u.stride, slots, gradients, columns, c);
  }
}

// Pointers and coefficients are copied first: the compiler cannot know that storing a weight leaves
// them alone, and would load them every time.
template <typename O, int Slots, typename T>
void update_rows(const Update<T>& u) {
  constexpr Index lanes = kLanes<T>;
  T c[O::numbers];
  for (int i = 0; i < O::numbers; ++i) c[i] = u.coefficients[i];
  if (u.columns >= lanes || u.stride != u.columns || u.gradients_stride < lanes) {
    return update_part<O, Slots>(u, 0, u.rows, u.columns, u.gradients, c);
  }
  // Rows narrower than a vector, without gaps: each one's vector would be read where the last one's has
  // just been written in part, and wait for it. Gradients are brought together instead.
  constexpr Index room = 32 * lanes;
  T together[room + lanes];
  const Index most = room / u.columns / lanes * lanes;
  for (Index i = 0; i < u.rows; i += most) {
    const Index rows = most < u.rows - i ? most : u.rows - i;
    const T* from = u.gradients + i * u.gradients_stride;
    for (Index r = 0; r < rows; ++r) store(together + r * u.columns, load(from + r * u.gradients_stride));
    update_part<O, Slots>(u, i, 1, rows * u.columns, together, c);
  }
}

/// One row of whole vectors.
template <typename O, int Slots, typename T>
void update_flat(const Update<T>& u) {
  T c[O::numbers];
  for (int i = 0; i < O::numbers; ++i) c[i] = u.coefficients[i];
  T* slots[Slots + 1];
  for (int s = 0; s < Slots; ++s) slots[s] = u.slots[s];
  update_vectors<O, Slots>(u.weights, slots, u.gradients, u.columns, c);
}

/// The update for the number of slots that the optimizer was given.
template <typename O, bool Flat, typename T>
void update_with(const Update<T>& u) {
  static_assert(O::min_slots <= O::max_slots && O::max_slots <= 3 && O::max_slots < kMaxSlots);
  const auto with = [&]<int Slots>(Sequence<Slots>) { Flat ? update_flat<O, Slots>(u) : update_rows<O, Slots>(u); };
  if constexpr (O::max_slots >= 3 && O::min_slots < 3) {
    if (u.slots[2] != nullptr) return with(Sequence<3>{});
  }
  if constexpr (O::max_slots >= 2 && O::min_slots < 2) {
    if (u.slots[1] != nullptr) return with(Sequence<2>{});
  }
  if constexpr (O::max_slots >= 1 && O::min_slots < 1) {
    if (u.slots[0] != nullptr) return with(Sequence<1>{});
  }
  with(Sequence<O::min_slots>{});
}

template <typename T, typename L>
struct UpdateTable;
template <typename T, typename... O>
struct UpdateTable<T, List<O...>> {
  static constexpr void (*rows[])(const Update<T>&) = {&update_with<O, false, T>...};
  static constexpr void (*flat[])(const Update<T>&) = {&update_with<O, true, T>...};
};

template <typename T>
void update(const Update<T>& u) {
  UpdateTable<T, Optimizers>::rows[u.optimizer](u);
}

}  // namespace
}  // namespace laminar::kernels
