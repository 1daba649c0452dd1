// SPDX-License-Identifier: Apache-2.0
// Every optimizer: the update of one vector of weights. To add one, write a struct and put its name
// in the list at the end. `coefficients` turns hyper-parameters and the step number (1 for the first
// update) into the `numbers` that the update needs, once per step and in double; `slots` counts state
// arrays.
// Formulas and defaults are those of Keras 3.
#pragma once

#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

/// base^n by squaring: the same bits on every machine, which the library's pow does not promise.
inline double integer_power(double base, Index n) {
  double result = 1;
  for (; n > 0; n >>= 1) {
    if ((n & 1) != 0) result *= base;
    base *= base;
  }
  return result;
}

/// w -= lr g; with momentum v = m v - lr g, w += v; Nesterov: w += m v - lr g
/// (Sutskever et al. 2013)
struct Sgd {
  static constexpr EntryInfo info{
      "sgd",
      "",
      {{"learning_rate", 0.01, Range::non_negative}, {"momentum", 0, Range::fraction}, {"nesterov", 0, Range::flag}}};
  static constexpr int max_slots = 1;
  static constexpr int numbers = 3;
  static int slots(const double* p) { return p[1] > 0 ? 1 : 0; }
  static void coefficients(const double* p, Index, double* c) {
    c[0] = p[0];
    c[1] = p[1];
    c[2] = p[2];
  }
  template <typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    const V step = rounded(g * c[0]);
    if (c[1] == 0) return w - step;
    slot[0] = slot[0] * c[1] - step;
    return c[2] != 0 ? w + (slot[0] * c[1] - step) : w + slot[0];
  }
};

/// s = rho s + (1 - rho) g^2, d = lr g / sqrt(s + eps); centered: s - mean^2 under the root;
/// with momentum v = m v + d, w -= v  (Hinton 2012)
struct RmsProp {
  static constexpr EntryInfo info{"rmsprop",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"rho", 0.9, Range::fraction},
                                   {"momentum", 0, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative},
                                   {"centered", 0, Range::flag}}};
  static constexpr int max_slots = 3;
  static constexpr int numbers = 5;
  static int slots(const double* p) { return p[4] != 0 ? 3 : p[2] > 0 ? 2 : 1; }
  static void coefficients(const double* p, Index, double* c) {
    c[0] = p[0];
    c[1] = 1 - p[1];
    c[2] = p[2];
    c[3] = p[3];
    c[4] = p[4];
  }
  template <typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g * g - slot[0]) * c[1];
    V variance = slot[0] + c[3];
    if (c[4] != 0) {
      slot[2] += (g - slot[2]) * c[1];
      variance = variance - slot[2] * slot[2];
    }
    const V step = g * c[0] / square_root(variance);
    if (c[2] == 0) return w - step;
    slot[1] = slot[1] * c[2] + step;
    return w - slot[1];
  }
};

/// m += (1 - b1)(g - m), v += (1 - b2)(g^2 - v), w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
/// (Kingma & Ba 2015, the form of section 2's last paragraph, as in Keras)
struct Adam {
  static constexpr EntryInfo info{"adam",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative}}};
  static constexpr int max_slots = 2;
  static constexpr int numbers = 4;
  static int slots(const double*) { return 2; }
  static void coefficients(const double* p, Index step, double* c) {
    c[0] = p[0] * __builtin_sqrt(1 - integer_power(p[2], step)) / (1 - integer_power(p[1], step));
    c[1] = 1 - p[1];
    c[2] = 1 - p[2];
    c[3] = p[3];
  }
  template <typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g - slot[0]) * c[1];
    slot[1] += (g * g - slot[1]) * c[2];
    return w - quotient_by_root(slot[0] * c[0], slot[1], c[3]);
  }
};

/// The optimizers, in the order of their numbers.
using Optimizers = List<Sgd, RmsProp, Adam>;

/// The update of whole vectors, with the first `Slots` slots in use.
template <typename O, int Slots, typename T>
inline void update_vectors(T* weights, T* const* slots, const T* gradients, Index count, const T* c) {
  using V = Vector<T>;
  for (Index j = 0; j < count; j += kLanes<T>) {
    V slot[O::max_slots] = {};
    for (int s = 0; s < Slots; ++s) slot[s] = load(slots[s] + j);
    store(weights + j, O::update(load(weights + j), load(gradients + j), slot, c));
    for (int s = 0; s < Slots; ++s) store(slots[s] + j, slot[s]);
  }
}

// Pointers and coefficients are copied first: the compiler cannot know that storing a weight leaves
// them alone, and would load them every time.
template <typename O, int Slots, typename T>
void update_rows(const Update<T>& u) {
  using V = Vector<T>;
  T c[O::numbers];
  for (int i = 0; i < O::numbers; ++i) c[i] = u.coefficients[i];
  const Index columns = u.columns;
  const Index whole = columns / kLanes<T> * kLanes<T>;
  for (Index i = 0; i < u.rows; ++i) {
    const T* gradients = u.gradients + i * u.gradients_stride;
    T* weights = u.weights + i * u.stride;
    T* slots[Slots + 1];
    for (int s = 0; s < Slots; ++s) slots[s] = u.slots[s] + i * u.stride;
    update_vectors<O, Slots>(weights, slots, gradients, whole, c);
    if (const Index rest = columns - whole; rest > 0) {
      V slot[O::max_slots] = {};
      for (int s = 0; s < Slots; ++s) slot[s] = load_first(slots[s] + whole, rest);
      const V w = load_first(weights + whole, rest);
      store_first(weights + whole, O::update(w, load_first(gradients + whole, rest), slot, c), rest);
      for (int s = 0; s < Slots; ++s) store_first(slots[s] + whole, slot[s], rest);
    }
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
  static_assert(O::max_slots <= 3 && O::max_slots < kMaxSlots);
  const auto with = [&]<int Slots>(Sequence<Slots>) { Flat ? update_flat<O, Slots>(u) : update_rows<O, Slots>(u); };
  if constexpr (O::max_slots >= 3) {
    if (u.slots[2] != nullptr) return with(Sequence<3>{});
  }
  if constexpr (O::max_slots >= 2) {
    if (u.slots[1] != nullptr) return with(Sequence<2>{});
  }
  u.slots[0] != nullptr ? with(Sequence<1>{}) : with(Sequence<0>{});
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
