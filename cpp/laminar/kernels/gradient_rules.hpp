// SPDX-License-Identifier: Apache-2.0
// Update rules that follow the gradient, its running square or its sign; see optimizers.hpp.
// Formulas and defaults are those of Keras 3 but for Rprop, which Keras has not: there PyTorch's.
#pragma once

#include "laminar/base/family.hpp"
#include "laminar/kernels/math.hpp"

namespace laminar::kernels {
namespace {

/// w -= lr d g; with momentum v = m v - lr d g, w += v; Nesterov: w += m v - lr d g
/// (Sutskever et al. 2013). d is `dampening`, 1 unless set: 1 - m makes v an average of gradients.
struct Sgd {
  static constexpr EntryInfo info{"sgd",
                                  "",
                                  {{"learning_rate", 0.01, Range::non_negative},
                                   {"momentum", 0, Range::fraction},
                                   {"nesterov", 0, Range::flag},
                                   {"dampening", 1, Range::share}}};
  static constexpr int min_slots = 0;
  static constexpr int max_slots = 1;
  static constexpr int numbers = 3;
  static int slots(const double* p) { return p[1] > 0 ? 1 : 0; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0] * p[3];
    c[1] = p[1];
    c[2] = p[2];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    const V step = rounded(g * c[0]);
    if constexpr (Slots == 0) return w - step;
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
  static constexpr int min_slots = 1;
  static constexpr int max_slots = 3;
  static constexpr int numbers = 5;
  static int slots(const double* p) { return p[4] != 0 ? 3 : p[2] > 0 ? 2 : 1; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0];
    c[1] = 1 - p[1];
    c[2] = p[2];
    c[3] = p[3];
    c[4] = p[4];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g * g - slot[0]) * c[1];
    V variance = slot[0] + c[3];
    if constexpr (Slots == 3) {
      slot[2] += (g - slot[2]) * c[1];
      variance = variance - slot[2] * slot[2];
    }
    const V step = g * c[0] / square_root(variance);
    if constexpr (Slots == 1) return w - step;
    slot[1] = slot[1] * c[2] + step;
    return w - slot[1];
  }
};

/// s += g^2, w -= lr g / sqrt(s + eps)  (Duchi, Hazan & Singer 2011)
struct Adagrad {
  static constexpr EntryInfo info{"adagrad",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"initial_accumulator_value", 0.1, Range::non_negative},
                                   {"epsilon", 1e-7, Range::non_negative}}};
  static constexpr int min_slots = 1;
  static constexpr int max_slots = 1;
  static constexpr int numbers = 2;
  static int slots(const double*) { return 1; }
  static double initial(const double* p, int) { return p[1]; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0];
    c[1] = p[2];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += g * g;
    return w - g * c[0] / square_root(slot[0] + c[1]);
  }
};

/// s = rho s + (1 - rho) g^2, step = sqrt(d + eps) / sqrt(s + eps) g, d = rho d + (1 - rho) step^2,
/// w -= lr step  (Zeiler 2012)
struct Adadelta {
  static constexpr EntryInfo info{"adadelta",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"rho", 0.95, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 2;
  static constexpr int numbers = 3;
  static int slots(const double*) { return 2; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0];
    c[1] = 1 - p[1];
    c[2] = p[2];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g * g - slot[0]) * c[1];
    const V step = square_root(slot[1] + c[2]) * g / square_root(slot[0] + c[2]);
    slot[1] += (step * step - slot[1]) * c[1];
    return w - step * c[0];
  }
};

/// With g' = g + 2 shrinkage w and a = s^-power before the update, b = (s + g^2)^-power after it:
/// z += g' - (b - a) / lr w, w = (clip(z, -l1, l1) - z) / ((b + beta) / lr + 2 l2)
/// (McMahan et al. 2013). Before any gradient came, 0 / 0 is 0; a rate of 0 leaves all as it is.
struct Ftrl {
  static constexpr EntryInfo info{"ftrl",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"learning_rate_power", -0.5, Range::any},
                                   {"initial_accumulator_value", 0.1, Range::non_negative},
                                   {"l1_regularization_strength", 0, Range::non_negative},
                                   {"l2_regularization_strength", 0, Range::non_negative},
                                   {"l2_shrinkage_regularization_strength", 0, Range::non_negative},
                                   {"beta", 0, Range::non_negative}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 2;
  static constexpr int numbers = 6;
  static int slots(const double*) { return 2; }
  static double initial(const double* p, int slot) { return slot == 0 ? p[2] : 0; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0] > 0 ? 1 / p[0] : 0;
    c[1] = -p[1];
    c[2] = p[3];
    c[3] = 2 * p[4];
    c[4] = 2 * p[5];
    c[5] = p[6];
  }
  /// s^power for s >= 0; NaN stays.
  template <typename V>
  static V power(V s, Scalar<V> power) {
    if (power == Scalar<V>(0.5)) return square_root(s);
    if (power == 0) return broadcast<V>(1);
    return select<V>(s == 0, V{}, exp(log(s) * power));
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    if (c[0] == 0) return w;
    const V before = power(slot[0], c[1]);
    slot[0] += g * g;
    const V after = power(slot[0], c[1]);
    const V pull = rounded((after - before) * c[0] * w);
    slot[1] += g + w * c[4] - pull;
    const V z = slot[1];
    const V bound = broadcast<V>(c[2]);
    const V inside = maximum(minimum(z, bound), -bound);
    const V quadratic = (after + c[5]) * c[0] + c[3];
    return select<V>(quadratic == 0, V{}, (inside - z) / quadratic);
  }
};

/// w -= lr sign(m + (1 - b1)(g - m)), m += (1 - b2)(g - m)  (Chen et al. 2023)
struct Lion {
  static constexpr EntryInfo info{"lion",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.99, Range::fraction}}};
  static constexpr int min_slots = 1;
  static constexpr int max_slots = 1;
  static constexpr int numbers = 3;
  static int slots(const double*) { return 1; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0];
    c[1] = 1 - p[1];
    c[2] = 1 - p[2];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    const V change = g - slot[0];
    const V direction = slot[0] + change * c[1];
    slot[0] += change * c[2];
    return w - sign_of(direction) * c[0];
  }
};

/// A step length d for each weight, the learning rate at first: times eta_plus where the gradient
/// keeps its sign, times eta_minus where it turns, which also skips the update; w -= d sign(g).
/// For gradients of all rows at once (Riedmiller & Braun 1993, the form without weight-backtracking).
/// A rate of 0 leaves everything as it is.
struct Rprop {
  static constexpr EntryInfo info{"rprop",
                                  "",
                                  {{"learning_rate", 0.01, Range::non_negative},
                                   {"eta_minus", 0.5, Range::fraction},
                                   {"eta_plus", 1.2, Range::positive},
                                   {"step_min", 1e-6, Range::non_negative},
                                   {"step_max", 50, Range::positive}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 2;
  static constexpr int numbers = 5;
  static int slots(const double*) { return 2; }
  static double initial(const double* p, int slot) { return slot == 1 ? p[0] : 0; }
  static void coefficients(const double* p, double* c) {
    c[0] = p[0];
    for (int i = 1; i < numbers; ++i) c[i] = p[i];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    if (c[0] == 0) return w;
    const V agreement = sign_of(g) * slot[0];
    const V one = broadcast<V>(1);
    const V factor = select<V>(agreement > 0, one * c[2], select<V>(agreement < 0, one * c[1], one));
    slot[1] = maximum(minimum(slot[1] * factor, one * c[4]), one * c[3]);
    slot[0] = select<V>(agreement < 0, V{}, sign_of(g));
    return w - slot[0] * slot[1];
  }
};

}  // namespace
}  // namespace laminar::kernels
