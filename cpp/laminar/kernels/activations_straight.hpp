// SPDX-License-Identifier: Apache-2.0
// Activations made of pieces of straight lines and parabolas, and their slopes. Where two pieces meet
// the slope is that of the lower one, as in Keras: relu'(0) = 0.
#pragma once

#include "laminar/kernels/activation_entry.hpp"

namespace laminar::kernels {
namespace {

/// f(z) = z
struct Linear : Elementwise {
  static constexpr EntryInfo info{"linear", "identity", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return z;
  }
  template <typename V>
  static V slope(V, V, const Scalar<V>*) {
    return broadcast<V>(1);
  }
};

/// f(z) = 1 if z > 0 else 0; forward only
struct Step : Elementwise {
  static constexpr EntryInfo info{"step", "heaviside", {}};
  static constexpr bool has_gradient = false;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    const V one_or_zero = select<V>(z > 0, broadcast<V>(1), V{});
    return select<V>(z == z, one_or_zero, z);
  }
  template <typename V>
  static V slope(V, V, const Scalar<V>*) {
    return V{};
  }
};

/// f(z) = min(z, max_value) if z > threshold else negative_slope (z - threshold). Nearly always it is
/// called without arguments: see PlainRelu.
struct Relu : Elementwise {
  static constexpr EntryInfo info{"relu",
                                  "",
                                  {{"negative_slope", 0.0, Range::non_negative},
                                   {"max_value", kAbsent, Range::non_negative},
                                   {"threshold", 0.0, Range::non_negative}}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    const V below = p[0] > 0 ? (z - p[2]) * p[0] : V{};  // 0 times -infinity would be NaN
    const V a = select<V>(z <= p[2], below, z);
    return select<V>(a > p[1], broadcast<V>(p[1]), a);  // a comparison with an absent maximum is false
  }
  template <typename V>
  static V slope(V z, V, const Scalar<V>* p) {
    const V above = select<V>(z >= p[1], V{}, broadcast<V>(1));
    return select<V>(z > p[2], above, broadcast<V>(p[0]));
  }
};

/// relu without arguments: f(z) = max(0, z), f'(0) = 0
struct PlainRelu : Elementwise {
  using Of = Relu;
  static constexpr bool serves(const double* p) { return p[0] == 0 && p[1] != p[1] && p[2] == 0; }
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return select<V>(z < 0, V{}, z);  // not max(0, z): that would lose NaN
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return select<V>(a > 0, broadcast<V>(1), V{});
  }
};

/// f(z) = z if z >= 0 else alpha z, alpha >= 0; the slope at 0 is alpha
struct LeakyRelu : Elementwise {
  static constexpr EntryInfo info{"leaky_relu", "", {{"negative_slope", 0.2, Range::non_negative}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return select<V>(z < 0, z * p[0], z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>* p) {
    return select<V>(a > 0, broadcast<V>(1), broadcast<V>(p[0]));
  }
};

/// `slope` where low < a < high, else 0.
template <typename V>
inline V between(V a, Scalar<V> low, Scalar<V> high, Scalar<V> slope) {
  return select<V>((a > low) & (a < high), broadcast<V>(slope), V{});
}

/// f(z) = min(max(0, z), 6)
struct Relu6 : Elementwise {
  static constexpr EntryInfo info{"relu6", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return clip(z, 0, 6);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return between(a, 0, 6, 1);
  }
};

/// f(z) = min(max(0, z / 6 + 1 / 2), 1)
struct HardSigmoid : Elementwise {
  static constexpr EntryInfo info{"hard_sigmoid", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return clip(z + Scalar<V>(3), 0, 6) * Scalar<V>(1.0 / 6);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return between(a, 0, 1, Scalar<V>(1.0 / 6));
  }
};

/// f(z) = min(max(-1, z), 1)
struct HardTanh : Elementwise {
  static constexpr EntryInfo info{"hard_tanh", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return clip(z, -1, 1);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return between(a, -1, 1, 1);
  }
};

/// f(z) = z hard_sigmoid(z)
struct HardSilu : Elementwise {
  static constexpr EntryInfo info{"hard_silu", "hard_swish", {}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    // z stops at -3, so that -infinity is not multiplied by 0
    return maximum(z, broadcast<V>(-3)) * HardSigmoid::value(z, nullptr);
  }
  template <typename V>
  static V slope(V z, V, const Scalar<V>*) {
    const V inside = (z + z + Scalar<V>(3)) * Scalar<V>(1.0 / 6);
    return select<V>(z <= -3, V{}, select<V>(z >= 3, broadcast<V>(1), inside));
  }
};

/// f(z) = z if |z| > threshold else 0
struct HardShrink : Elementwise {
  static constexpr EntryInfo info{"hard_shrink", "", {{"threshold", 0.5, Range::non_negative}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return select<V>(absolute(z) <= p[0], V{}, z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return select<V>(a == 0, V{}, broadcast<V>(1));
  }
};

/// f(z) = z moved towards 0 by the threshold, at most to 0
struct SoftShrink : Elementwise {
  static constexpr EntryInfo info{"soft_shrink", "", {{"threshold", 0.5, Range::non_negative}}};
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return with_sign_of(maximum(absolute(z) - p[0], V{}), z);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return select<V>(a == 0, V{}, broadcast<V>(1));
  }
};

/// f(z) = z if z > threshold else default_value
struct Threshold : Elementwise {
  static constexpr EntryInfo info{
      "threshold", "", {{"threshold", 0.0, Range::any}, {"default_value", 0.0, Range::any}}};
  static constexpr bool keeps_input = true;
  template <typename V>
  static V value(V z, const Scalar<V>* p) {
    return select<V>(z <= p[0], broadcast<V>(p[1]), z);
  }
  template <typename V>
  static V slope(V z, V, const Scalar<V>* p) {
    return select<V>(z > p[0], broadcast<V>(1), V{});
  }
};

/// f(z) = 0 below -1, (z + 1)^2 / 4 below 1, then z; f' = sqrt(a), at most 1
struct SparsePlus : Elementwise {
  static constexpr EntryInfo info{"sparse_plus", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    const V above = maximum(z + Scalar<V>(1), V{});
    return select<V>(z >= 1, z, above * above * Scalar<V>(0.25));
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return minimum(square_root(a), broadcast<V>(1));
  }
};

/// f(z) = min(max(0, (z + 1) / 2), 1)
struct SparseSigmoid : Elementwise {
  static constexpr EntryInfo info{"sparse_sigmoid", "", {}};
  template <typename V>
  static V value(V z, const Scalar<V>*) {
    return clip(z + Scalar<V>(1), 0, 2) * Scalar<V>(0.5);
  }
  template <typename V>
  static V slope(V, V a, const Scalar<V>*) {
    return between(a, 0, 1, Scalar<V>(0.5));
  }
};

}  // namespace
}  // namespace laminar::kernels
