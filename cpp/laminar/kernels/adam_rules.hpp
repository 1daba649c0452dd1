// SPDX-License-Identifier: Apache-2.0
// Adam and its kin: steps from running means of g and g^2; see optimizers.hpp. Corrections for the
// start at 0 are folded into the coefficients. Formulas and defaults are those of Keras 3 but for
// RAdam, which Keras has not: there PyTorch's.
#pragma once

#include "laminar/base/family.hpp"
#include "laminar/kernels/simd.hpp"

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

/// m += (1 - b1)(g - m), v += (1 - b2)(g^2 - v), w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
/// (Kingma & Ba 2015, the form of section 2's last paragraph, as in Keras).
/// amsgrad: the largest v so far in place of v (Reddi, Kale & Kumar 2018).
struct Adam {
  static constexpr EntryInfo info{"adam",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative},
                                   {"amsgrad", 0, Range::flag}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 3;
  static constexpr int numbers = 4;
  static constexpr int together = 4;
  static int slots(const double* p) { return p[4] != 0 ? 3 : 2; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, Index step, double* c) {
    c[0] = p[0] * __builtin_sqrt(1 - integer_power(p[2], step)) / (1 - integer_power(p[1], step));
    c[1] = 1 - p[1];
    c[2] = 1 - p[2];
    c[3] = p[3];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g - slot[0]) * c[1];
    slot[1] += (g * g - slot[1]) * c[2];
    if constexpr (Slots == 3) slot[2] = maximum(slot[1], slot[2]);
    return w - quotient_by_root(slot[0] * c[0], slot[Slots - 1], c[3]);
  }
};

/// w -= lr decay w, then Adam's update  (Loshchilov & Hutter 2019)
struct AdamW {
  static constexpr EntryInfo info{"adamw",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"weight_decay", 0.004, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative},
                                   {"amsgrad", 0, Range::flag}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 3;
  static constexpr int numbers = 5;
  static constexpr int together = 4;
  static int slots(const double* p) { return p[5] != 0 ? 3 : 2; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, Index step, double* c) {
    const double adam[] = {p[0], p[2], p[3], p[4]};
    Adam::coefficients(adam, step, c);
    c[4] = 1 - p[0] * p[1];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    return Adam::update<Slots>(rounded(w * c[4]), g, slot, c);
  }
};

/// m += (1 - b1)(g - m), u = max(b2 u, |g|), w -= lr / (1 - b1^t) m / (u + eps)
/// (Kingma & Ba 2015, section 7.1)
struct Adamax {
  static constexpr EntryInfo info{"adamax",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 2;
  static constexpr int numbers = 4;
  static int slots(const double*) { return 2; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, Index step, double* c) {
    c[0] = p[0] / (1 - integer_power(p[1], step));
    c[1] = 1 - p[1];
    c[2] = p[2];
    c[3] = p[3];
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g - slot[0]) * c[1];
    slot[1] = maximum(absolute(g), slot[1] * c[2]);
    return w - slot[0] * c[0] / (slot[1] + c[3]);
  }
};

/// Adam with Nesterov momentum: with b1's schedule u_t = b1 (1 - 0.96^t / 2) and its product U_t,
/// w -= lr (u_t+1 m / (1 - U_t+1) + (1 - u_t) g / (1 - U_t)) / (sqrt(v / (1 - b2^t)) + eps)
/// (Dozat 2016)
struct Nadam {
  static constexpr EntryInfo info{"nadam",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-7, Range::non_negative}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 2;
  static constexpr int numbers = 5;
  static int slots(const double*) { return 2; }
  static double initial(const double*, int) { return 0; }

  /// The product of 1 - 0.96^i / 2 for i to n; from kLast on factors are 1 in double.
  struct Products {
    static constexpr int kLast = 1024;
    double values[kLast + 1] = {1};
    constexpr Products() {
      double decay = 1;
      for (int i = 1; i <= kLast; ++i) values[i] = values[i - 1] * (1 - 0.5 * (decay *= 0.96));
    }
  };
  static double product(double beta_1, Index n) {
    static constexpr Products products;
    return integer_power(beta_1, n) * products.values[n < Products::kLast ? n : Products::kLast];
  }
  static void coefficients(const double* p, Index step, double* c) {
    const double now = p[1] * (1 - 0.5 * integer_power(0.96, step));
    const double next = p[1] * (1 - 0.5 * integer_power(0.96, step + 1));
    const double root = __builtin_sqrt(1 - integer_power(p[2], step));
    const double u = product(p[1], step);
    c[0] = p[0] * root * next / (1 - u * next);
    c[1] = p[0] * root * (1 - now) / (1 - u);
    c[2] = 1 - p[1];
    c[3] = 1 - p[2];
    c[4] = p[3] * root;
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g - slot[0]) * c[2];
    slot[1] += (g * g - slot[1]) * c[3];
    return w - quotient_by_root(rounded(slot[0] * c[0]) + g * c[1], slot[1], c[4]);
  }
};

/// Adam whose step is rectified, by r_t, for the variance of 1 / sqrt(v), which is large at first;
/// while that is unknown, w -= lr m / (1 - b1^t)  (Liu et al. 2020)
struct Radam {
  static constexpr EntryInfo info{"radam",
                                  "",
                                  {{"learning_rate", 0.001, Range::non_negative},
                                   {"beta_1", 0.9, Range::fraction},
                                   {"beta_2", 0.999, Range::fraction},
                                   {"epsilon", 1e-8, Range::non_negative}}};
  static constexpr int min_slots = 2;
  static constexpr int max_slots = 2;
  static constexpr int numbers = 5;
  static int slots(const double*) { return 2; }
  static double initial(const double*, int) { return 0; }
  static void coefficients(const double* p, Index step, double* c) {
    const double power = integer_power(p[2], step);
    const double limit = 2 / (1 - p[2]) - 1;
    const double length = limit - 2 * static_cast<double>(step) * power / (1 - power);
    c[0] = p[0] / (1 - integer_power(p[1], step));
    c[1] = 1 - p[1];
    c[2] = 1 - p[2];
    c[3] = p[3];
    c[4] = length > 5 ? 1 : 0;
    if (length > 5) {
      // r_t^2 = (l_t - 4)(l_t - 2) l / ((l - 4)(l - 2) l_t)
      const double square = (length - 4) * (length - 2) * limit / ((limit - 4) * (limit - 2) * length);
      c[0] *= __builtin_sqrt(square * (1 - power));
    }
  }
  template <int Slots, typename V>
  static V update(V w, V g, V* slot, const Scalar<V>* c) {
    slot[0] += (g - slot[0]) * c[1];
    slot[1] += (g * g - slot[1]) * c[2];
    const V step = rounded(slot[0] * c[0]);
    return c[4] != 0 ? w - quotient_by_root(step, slot[1], c[3]) : w - step;
  }
};

}  // namespace
}  // namespace laminar::kernels
