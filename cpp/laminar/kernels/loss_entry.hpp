// SPDX-License-Identifier: Apache-2.0
// What every loss says about itself beside its name, and the option that all of them have. What a
// loss does not say, it takes from here.
#pragma once

#include "laminar/kernels/loss_views.hpp"

namespace laminar::kernels {
namespace {

// Probabilities and denominators are kept this far from 0, as in Keras (backend epsilon).
constexpr double kProbabilityMargin = 1e-7;

/// The last argument of every loss; no kernel reads it.
constexpr ParameterInfo kReduction{"reduction", 0, Range::word,
                                   "sum_over_batch_size sum mean mean_with_sample_weight none"};

/// Targets that a loss is for. Others it has no value for, or one without a lower bound, or it does not
/// tell them apart.
enum class TargetRange {
  any,
  non_negative,
  positive,
  share,  // from 0 to 1: a class or its probability
  sign,   // from -1 to 1: a class as -1 or 1
};

struct LossEntry {
  using Fused = void;                          // the activation that the loss absorbs, on logits
  static constexpr bool class_labels = false;  // targets are class numbers
  static constexpr bool whole_batch = false;   // the loss is a root of the mean over the batch
  static constexpr TargetRange targets(const double*) { return TargetRange::any; }
};

/// Value and slope of a loss at one output.
template <typename V>
struct Terms {
  V value;
  V slope;  // with respect to the output
};

template <typename L, typename View, typename T>
void elementwise_loss(const LossRows<T>& r, View& view) {
  using V = Vector<T>;
  const Index vectors = view.vectors();
  const V weight = view.weight();
  const T divisor = L::averaged ? static_cast<T>(view.columns()) : T(1);
  const V scale = weight * r.scale / divisor;
  V losses{};
  for (Index j = 0; j < vectors; ++j) {
    const Integer<V> valid = view.valid(j);
    const V y = view.target(j);
    const V output = view.output(j);
    Terms<V> t;
    if constexpr (requires(V a) { L::logit_terms(y, output, a, r.parameters); }) {
      V activation = output;
      t = r.logits ? L::logit_terms(y, output, activation, r.parameters) : L::terms(y, output, r.parameters);
      if (view.wants_output()) view.set_output(j, select<V>(valid, activation, V{}));
    } else {
      t = L::terms(y, output, r.parameters);
    }
    if (view.wants_loss()) losses += select<V>(valid, t.value, V{});
    if (view.wants_delta()) view.set_delta(j, select<V>(valid, t.slope * scale, V{}));
  }
  if (view.wants_loss()) view.set_loss(weight * (view.sum_of_row(losses) / divisor));
}

/// A loss with terms(y, p) of one output, averaged over a row's outputs, or else summed.
struct ElementwiseLoss : LossEntry {
  static constexpr bool averaged = true;
  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    elementwise_loss<L>(r, view);
  }
};

template <typename V>
inline V clipped_probability(V p) {
  const Scalar<V> margin = Scalar<V>(kProbabilityMargin);
  return minimum(maximum(p, broadcast<V>(margin)), broadcast<V>(1 - margin));
}

/// x^g for 0 <= x <= 1 and g >= 0: whole powers by multiplication, the rest by logarithm.
template <typename V>
inline V power(V x, Scalar<V> g) {
  const int whole = g < 16 ? static_cast<int>(g) : 0;
  const Scalar<V> rest = g - static_cast<Scalar<V>>(whole);
  V out = broadcast<V>(1);
  for (int i = 0; i < whole; ++i) out *= x;
  return rest > 0 ? out * exp_below(log(x) * rest) : out;
}

/// `size` with the sign of e; 0 where e is 0, NaN where it is NaN.
template <typename V>
inline V signed_as(V size, V e) {
  return select<V>(e == 0, V{}, e != e ? e : with_sign_of(size, e));
}

}  // namespace
}  // namespace laminar::kernels
