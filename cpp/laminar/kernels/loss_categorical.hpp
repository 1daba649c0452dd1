// SPDX-License-Identifier: Apache-2.0
// Cross-entropies of whole rows, whose outputs are the probabilities of classes, plain and focal (Lin et
// al. 2017). On logits, value and gradient stay finite and right where a probability itself would round
// to 0 or 1: what is left of 1 is never computed as 1 - p there.
#pragma once

#include "laminar/kernels/loss_entry.hpp"

namespace laminar::kernels {
namespace {

/// (Smoothed) target of a cross-entropy over rows: y (1 - s) + s / columns.
template <typename L, typename View, typename T>
inline Vector<T> smoothed_target(const LossRows<T>& r, const View& view, Index j) {
  if constexpr (L::class_labels) {
    return view.target(j);
  } else {
    const T smoothing = r.parameters[L::smoothing];
    return select<Vector<T>>(
        view.valid(j), view.target(j) * (1 - smoothing) + smoothing / static_cast<T>(view.columns()), Vector<T>{});
  }
}

/// softmax of a row of logits: a_j = e^(z_j - m) / s with the largest logit m and s = 1 + rest. A class
/// that has m knows what it leaves of 1 from `rest`.
template <typename V>
struct SoftmaxOfRow {
  V largest;
  V rest{};
  V total;
  V log_total{};  // where it is wanted

  template <typename View>
  SoftmaxOfRow(const View& view, bool log_wanted) {
    const Index vectors = view.vectors();
    const V lowest = broadcast<V>(-Scalar<V>(__builtin_inff()));
    largest = lowest;
    for (Index j = 0; j < vectors; ++j) largest = maximum(select<V>(view.valid(j), view.output(j), lowest), largest);
    largest = view.largest_of_row(largest);
    V tops{};
    for (Index j = 0; j < vectors; ++j) {
      const V z = view.output(j);
      const Integer<V> valid = view.valid(j);
      const Integer<V> top = z == largest;
      tops += select<V>(valid & top, broadcast<V>(1), V{});
      rest += select<V>(valid & ~top, exp_below(z - largest), V{});
    }
    rest = view.sum_of_row(rest) + (view.sum_of_row(tops) - Scalar<V>(1));
    total = rest + Scalar<V>(1);
    if (log_wanted) log_total = log1p(rest);
  }
  V activation(V z) const { return exp_below(z - largest) / total; }
  V log_activation(V z) const { return (z - largest) - log_total; }
  /// 1 - a
  V left(V z) const { return select<V>(z == largest, rest, total - exp_below(z - largest)) / total; }
  /// a x - y; where a may be near 1 from what it leaves
  V product_less(V z, V a, V x, V y) const { return select<V>(z == largest, (x - y) - x * (rest / total), a * x - y); }
  V nan_or_zero() const { return select<V>(total == total, V{}, total); }
};

/// Row-wise cross-entropy on logits: loss = sum_j y_j (ln s - (z_j - m)), d_z = softmax(z) sum y - y.
template <typename L, typename View, typename T>
void crossentropy_on_logits(const LossRows<T>& r, View& view) {
  using V = Vector<T>;
  const Index vectors = view.vectors();
  const SoftmaxOfRow<V> softmax(view, view.wants_loss());
  V losses{};
  V mass{};
  for (Index j = 0; j < vectors; ++j) {
    const V y = smoothed_target<L>(r, view, j);
    mass += y;
    if (view.wants_loss()) losses += select<V>(y == 0, V{}, -y * softmax.log_activation(view.output(j)));
  }
  const V weight = view.weight();
  if (view.wants_loss()) view.set_loss(weight * (view.sum_of_row(losses) + softmax.nan_or_zero()));
  const V target_mass = view.sum_of_row(mass);
  for (Index j = 0; j < vectors; ++j) {
    const Integer<V> valid = view.valid(j);
    const V z = view.output(j);
    const V a = softmax.activation(z);
    if (view.wants_delta()) {
      const V d = softmax.product_less(z, a, target_mass, smoothed_target<L>(r, view, j)) * (weight * r.scale);
      view.set_delta(j, select<V>(valid, d, V{}));
    }
    if (view.wants_output()) view.set_output(j, select<V>(valid, a, V{}));
  }
}

template <typename View>
inline auto sum_of_outputs(const View& view) {
  using V = typename View::V;
  V sum{};
  for (Index j = 0; j < view.vectors(); ++j) sum += select<V>(view.valid(j), view.output(j), V{});
  return view.sum_of_row(sum);
}

/// Row-wise cross-entropy on probabilities p' = p / sum p, kept inside the margin:
/// d_p_j = -(y_j / p_j) + (sum y) / (sum p) over the outputs inside the margin.
template <typename L, typename View, typename T>
void crossentropy_on_probabilities(const LossRows<T>& r, View& view) {
  using V = Vector<T>;
  const Index vectors = view.vectors();
  const V total = sum_of_outputs(view);
  V losses{};
  V mass{};
  for (Index j = 0; j < vectors; ++j) {
    const V y = smoothed_target<L>(r, view, j);
    const V scaled = view.output(j) / total;
    const V inside = clipped_probability(scaled);
    if (view.wants_loss()) losses += select<V>(y == 0, V{}, -y * log(inside));
    mass += select<V>(inside == scaled, y, V{});
  }
  const V weight = view.weight();
  if (view.wants_loss()) view.set_loss(weight * (view.sum_of_row(losses) + select<V>(total == total, V{}, total)));
  if (!view.wants_delta()) return;
  const V target_mass = view.sum_of_row(mass);
  for (Index j = 0; j < vectors; ++j) {
    const V y = smoothed_target<L>(r, view, j);
    const V p = view.output(j);
    const V scaled = p / total;
    const V own = select<V>((clipped_probability(scaled) == scaled) & (y != 0), y / p, V{});
    view.set_delta(j, select<V>(view.valid(j), (target_mass / total - own) * (weight * r.scale), V{}));
  }
}

/// -sum_j y_j ln p_j, p scaled to sum 1; from logits sum_j y_j (ln sum_k e^z_k - z_j)
struct CategoricalCrossentropy : LossEntry {
  using Fused = Softmax;
  static constexpr int smoothing = 1;
  static constexpr EntryInfo info{
      "categorical_crossentropy",
      "",
      {{"from_logits", 0, Range::flag}, {"label_smoothing", 0, Range::fraction}, kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }
  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    r.logits ? crossentropy_on_logits<L>(r, view) : crossentropy_on_probabilities<L>(r, view);
  }
};

/// -ln p_y: the categorical cross-entropy of the one-hot row of class y; a row of the ignored class has
/// a target of zeros, whose loss and gradient are 0.
struct SparseCategoricalCrossentropy : CategoricalCrossentropy {
  static constexpr bool class_labels = true;
  static constexpr EntryInfo info{
      "sparse_categorical_crossentropy",
      "",
      {{"from_logits", 0, Range::flag}, {"ignore_class", kAbsent, Range::integer}, kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::any; }
  template <typename T>
  static std::int32_t label(std::int32_t given, const T* q) {
    return static_cast<T>(given) == q[1] ? -1 : given;
  }
};

/// sum_j alpha (1 - p_j)^gamma times y_j (-ln p_j)
struct CategoricalFocalCrossentropy : LossEntry {
  using Fused = Softmax;
  static constexpr int smoothing = 3;
  static constexpr EntryInfo info{"categorical_focal_crossentropy",
                                  "",
                                  {{"alpha", 0.25, Range::non_negative},
                                   {"gamma", 2.0, Range::non_negative},
                                   {"from_logits", 0, Range::flag},
                                   {"label_smoothing", 0, Range::fraction},
                                   kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }

  /// Value of one class, and p times its derivative by p: alpha y (gamma (1 - p)^(gamma - 1) p ln p - (1 - p)^gamma).
  template <typename V>
  static Terms<V> focused(V y, V p, V left, V log_p, const Scalar<V>* q) {
    const V factor = power(left, q[1]);
    const V relative = select<V>(left > 0, factor / left, V{});  // where nothing is left, ln p is 0
    const V scaled = y * q[0];
    return {select<V>(y == 0, V{}, -scaled * factor * log_p),
            select<V>(y == 0, V{}, scaled * (q[1] * relative * p * log_p - factor))};
  }

  /// d_z_k = g_k - a_k sum_j g_j with g_j = a_j times the derivative by a_j
  template <typename L, typename View, typename T>
  static void on_logits(const LossRows<T>& r, View& view) {
    using V = Vector<T>;
    const Index vectors = view.vectors();
    const SoftmaxOfRow<V> softmax(view, true);
    const auto of_class = [&](Index j) {
      const V z = view.output(j);
      return focused(smoothed_target<L>(r, view, j), softmax.activation(z), softmax.left(z), softmax.log_activation(z),
                     r.parameters);
    };
    V losses{};
    V slopes{};
    for (Index j = 0; j < vectors; ++j) {
      const Terms<V> t = of_class(j);
      losses += t.value;
      slopes += t.slope;
    }
    const V weight = view.weight();
    if (view.wants_loss()) view.set_loss(weight * (view.sum_of_row(losses) + softmax.nan_or_zero()));
    const V sum = view.sum_of_row(slopes);
    for (Index j = 0; j < vectors; ++j) {
      const Integer<V> valid = view.valid(j);
      const V z = view.output(j);
      const V a = softmax.activation(z);
      if (view.wants_delta()) {
        const V d = -softmax.product_less(z, a, sum, of_class(j).slope) * (weight * r.scale);
        view.set_delta(j, select<V>(valid, d, V{}));
      }
      if (view.wants_output()) view.set_output(j, select<V>(valid, a, V{}));
    }
  }

  /// Outputs scaled to sum 1 and kept inside the margin: d_p_k = (g_k / p'_k - sum_j g_j) / sum p
  template <typename L, typename View, typename T>
  static void on_probabilities(const LossRows<T>& r, View& view) {
    using V = Vector<T>;
    const Index vectors = view.vectors();
    const V total = sum_of_outputs(view);
    const auto of_class = [&](Index j) {
      const V scaled = view.output(j) / total;
      const V p = clipped_probability(scaled);
      Terms<V> t = focused(smoothed_target<L>(r, view, j), p, Scalar<V>(1) - p, log(p), r.parameters);
      t.slope = select<V>(p == scaled, t.slope, V{});
      return t;
    };
    V losses{};
    V slopes{};
    for (Index j = 0; j < vectors; ++j) {
      const Terms<V> t = of_class(j);
      losses += select<V>(view.valid(j), t.value, V{});
      slopes += select<V>(view.valid(j), t.slope, V{});
    }
    const V weight = view.weight();
    if (view.wants_loss()) {
      view.set_loss(weight * (view.sum_of_row(losses) + select<V>(total == total, V{}, total)));
    }
    if (!view.wants_delta()) return;
    const V sum = view.sum_of_row(slopes);
    for (Index j = 0; j < vectors; ++j) {
      const V p = clipped_probability(view.output(j) / total);
      const V d = (of_class(j).slope / p - sum) / total * (weight * r.scale);
      view.set_delta(j, select<V>(view.valid(j), d, V{}));
    }
  }

  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    r.logits ? on_logits<L>(r, view) : on_probabilities<L>(r, view);
  }
};

}  // namespace
}  // namespace laminar::kernels
