// SPDX-License-Identifier: Apache-2.0
// Losses of a row as a whole: the angle between two vectors, the overlap of two sets, and the margin
// between the right class and the best of the others.
#pragma once

#include "laminar/kernels/loss_entry.hpp"

namespace laminar::kernels {
namespace {

/// v(j) for every vector of a row, summed over the row's columns.
template <typename View, typename Of>
inline auto sum_over_row(const View& view, const Of& of) {
  using V = typename View::V;
  V sum{};
  for (Index j = 0; j < view.vectors(); ++j) sum += select<V>(view.valid(j), of(j), V{});
  return view.sum_of_row(sum);
}

template <typename View, typename Of>
inline auto largest_over_row(const View& view, const Of& of) {
  using V = typename View::V;
  const V lowest = broadcast<V>(-Scalar<V>(__builtin_inff()));
  V largest = lowest;
  for (Index j = 0; j < view.vectors(); ++j) largest = maximum(select<V>(view.valid(j), of(j), lowest), largest);
  return view.largest_of_row(largest);
}

/// Stores a row's loss, and slope(j) as its gradient.
template <typename T, typename View, typename Slope>
inline void store_row(const LossRows<T>& r, View& view, typename View::V value, const Slope& slope) {
  using V = typename View::V;
  const V weight = view.weight();
  if (view.wants_loss()) view.set_loss(weight * value);
  if (!view.wants_delta()) return;
  for (Index j = 0; j < view.vectors(); ++j) {
    view.set_delta(j, select<V>(view.valid(j), slope(j) * (weight * r.scale), V{}));
  }
}

/// -sum_j y'_j p'_j with y' = y / |y|, p' = p / |p|; lengths below the margin count as the margin.
/// d_p = -(y' - p' (y' p')) / |p|
struct CosineSimilarity : LossEntry {
  static constexpr EntryInfo info{"cosine_similarity", "", {kReduction}};

  /// Length of a row, its largest element taken out so that no square overflows.
  template <typename View, typename Of>
  static auto length(const View& view, const Of& of) {
    using V = typename View::V;
    const V largest = largest_over_row(view, [&](Index j) { return absolute(of(j)); });
    const V unit = select<V>(largest > 0, largest, broadcast<V>(1));
    return unit * square_root(sum_over_row(view, [&](Index j) {
             const V x = of(j) / unit;
             return x * x;
           }));
  }
  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    using V = Vector<T>;
    const V margin = broadcast<V>(T(kProbabilityMargin));
    const V length_y = maximum(length(view, [&](Index j) { return view.target(j); }), margin);
    const V own_length = length(view, [&](Index j) { return view.output(j); });
    const V length_p = maximum(own_length, margin);
    const V cosine =
        sum_over_row(view, [&](Index j) { return rounded(view.target(j) / length_y) * (view.output(j) / length_p); });
    const V turning = select<V>(own_length > margin, cosine, V{});
    store_row(r, view, -cosine,
              [&](Index j) { return (view.output(j) / length_p * turning - view.target(j) / length_y) / length_p; });
  }
};

/// 1 - 2 sum y p / (sum y + sum p + margin)
struct Dice : LossEntry {
  static constexpr EntryInfo info{"dice", "", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }
  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    using V = Vector<T>;
    const V common = sum_over_row(view, [&](Index j) { return view.target(j) * view.output(j); });
    const V both = sum_over_row(view, [&](Index j) { return view.target(j) + view.output(j); }) + T(kProbabilityMargin);
    const V share = (common + common) / both;
    store_row(r, view, T(1) - share, [&](Index j) { return (share - view.target(j) * T(2)) / both; });
  }
};

/// 1 - c / (c + alpha sum y (1 - p) + beta sum (1 - y) p + margin) with c = sum y p
struct Tversky : LossEntry {
  static constexpr EntryInfo info{
      "tversky", "", {{"alpha", 0.5, Range::non_negative}, {"beta", 0.5, Range::non_negative}, kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::share; }
  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    using V = Vector<T>;
    const T alpha = r.parameters[0];
    const T beta = r.parameters[1];
    const V common = sum_over_row(view, [&](Index j) { return view.target(j) * view.output(j); });
    const V missed = sum_over_row(view, [&](Index j) { return view.target(j) * (T(1) - view.output(j)); });
    const V wrong = sum_over_row(view, [&](Index j) { return (T(1) - view.target(j)) * view.output(j); });
    const V all = common + rounded(missed * alpha) + rounded(wrong * beta) + T(kProbabilityMargin);
    const V share = common / all;
    store_row(r, view, T(1) - share, [&](Index j) {
      const V y = view.target(j);
      const V d_all = rounded(y * (1 - alpha)) + (T(1) - y) * beta;
      return (share * d_all - y) / all;
    });
  }
};

/// max(max_j (1 - y_j) p_j - sum_j y_j p_j + 1, 0); outputs that share the maximum share its slope
struct CategoricalHinge : LossEntry {
  static constexpr EntryInfo info{"categorical_hinge", "", {kReduction}};
  static constexpr TargetRange targets(const double*) { return TargetRange::sign; }
  template <typename L, typename View, typename T>
  static void compare(const LossRows<T>& r, View& view) {
    using V = Vector<T>;
    const V one = broadcast<V>(1);
    const auto other = [&](Index j) { return rounded((one - view.target(j)) * view.output(j)); };
    const V right = sum_over_row(view, [&](Index j) { return view.target(j) * view.output(j); });
    const V best = largest_over_row(view, other);
    const V ties = sum_over_row(view, [&](Index j) { return select<V>(other(j) == best, one, V{}); });
    const V short_of = best - right + T(1);
    store_row(r, view, maximum(short_of, V{}), [&](Index j) {
      const V y = view.target(j);
      const V slope = select<V>(other(j) == best, (one - y) / ties, V{}) - y;
      return select<V>(short_of > 0, slope, V{});
    });
  }
};

}  // namespace
}  // namespace laminar::kernels
