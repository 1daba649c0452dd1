// SPDX-License-Identifier: Apache-2.0
// Every loss: value and gradient on vectors, per sample. To add one, write a struct and put its
// name in the list at the end. An elementwise loss has terms(y, p) -> value and slope of one output
// and is averaged over the outputs; the cross-entropies of a whole row have their own functions.
//
// `fused` names the activation that the loss absorbs: on logits, value and gradient stay finite and
// right where the probability itself would round to 0 or 1.
#pragma once

#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

// Probabilities are kept this far from 0 and 1, as in Keras (backend epsilon).
constexpr double kProbabilityMargin = 1e-7;

template <typename V>
struct Terms {
  V value;
  V slope;  // with respect to the output
};

struct ElementwiseLoss {
  using Fused = void;
  static constexpr bool element_wise = true;
  static constexpr bool class_labels = false;
};

/// (y - p)^2
struct Mse : ElementwiseLoss {
  static constexpr EntryInfo info{"mse", "mean_squared_error", {}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V e = p - y;
    return {e * e, e + e};
  }
};

/// |y - p|, slope 0 at 0
struct Mae : ElementwiseLoss {
  static constexpr EntryInfo info{"mae", "mean_absolute_error", {}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>*) {
    const V e = p - y;
    const V sign = with_sign_of(broadcast<V>(1), e);
    return {absolute(e), select<V>(e == 0, V{}, e != e ? e : sign)};
  }
};

/// e^2 / 2 if |e| <= delta else delta (|e| - delta / 2)  (Huber 1964)
struct Huber : ElementwiseLoss {
  static constexpr EntryInfo info{"huber", "", {{"delta", 1.0, Range::positive}}};
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>* q) {
    const V e = p - y;
    const V size = absolute(e);
    const V delta = broadcast<V>(q[0]);
    const auto outside = size > delta;
    return {select<V>(outside, delta * (size - delta * Scalar<V>(0.5)), e * e * Scalar<V>(0.5)),
            select<V>(outside, with_sign_of(delta, e), e)};
  }
};

template <typename V>
inline V clipped_probability(V p) {
  const Scalar<V> margin = Scalar<V>(kProbabilityMargin);
  return minimum(maximum(p, broadcast<V>(margin)), broadcast<V>(1 - margin));
}

/// -y ln p - (1 - y) ln(1 - p); from logits max(z, 0) - z y + ln(1 + e^-|z|)
struct BinaryCrossentropy : ElementwiseLoss {
  using Fused = Sigmoid;
  static constexpr EntryInfo info{
      "binary_crossentropy", "", {{"from_logits", 0, Range::flag}, {"label_smoothing", 0, Range::fraction}}};
  template <typename V>
  static V smooth(V y, const Scalar<V>* q) {
    return y * (1 - q[1]) + q[1] * Scalar<V>(0.5);
  }
  template <typename V>
  static Terms<V> terms(V y, V p, const Scalar<V>* q) {
    y = smooth(y, q);
    const V inside = clipped_probability(p);
    const V rest = Scalar<V>(1) - inside;
    const V value = -(y * log(inside) + (Scalar<V>(1) - y) * log(rest));
    const V slope = (inside - y) / (inside * rest);
    return {value, select<V>(inside == p, slope, p != p ? p : V{})};
  }
  template <typename V>
  static Terms<V> logit_terms(V y, V z, V& activation, const Scalar<V>* q) {
    y = smooth(y, q);
    const V one = broadcast<V>(1);
    const V e = exp(-absolute(z));
    activation = select<V>(z < 0, e, one) / (one + e);
    return {select<V>(z < 0, V{}, z) - z * y + log1p(e), activation - y};
  }
};

/// -sum_j y_j ln p_j, p scaled to sum 1; from logits sum_j y_j (ln sum_k e^z_k - z_j)
struct CategoricalCrossentropy {
  using Fused = Softmax;
  static constexpr bool element_wise = false;
  static constexpr bool class_labels = false;
  static constexpr EntryInfo info{
      "categorical_crossentropy", "", {{"from_logits", 0, Range::flag}, {"label_smoothing", 0, Range::fraction}}};
};

/// -ln p_y: the categorical cross-entropy of the one-hot row of class y
struct SparseCategoricalCrossentropy {
  using Fused = Softmax;
  static constexpr bool element_wise = false;
  static constexpr bool class_labels = true;
  static constexpr EntryInfo info{"sparse_categorical_crossentropy", "", {{"from_logits", 0, Range::flag}}};
};

/// The losses, in the order of their numbers.
using Losses = List<Mse, Mae, Huber, BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy>;

/// Target of a row as vectors: the (smoothed) dense target, or the one-hot row of a label.
template <typename L, typename T>
struct RowTarget {
  using V = Vector<T>;
  const T* dense;
  Index label;
  T keep;
  T spread;
  RowTarget(const LossRows<T>& r, Index i)
      : dense(L::class_labels ? nullptr : r.targets + i * r.targets_stride),
        label(L::class_labels ? r.labels[i] : 0),
        keep(1),
        spread(0) {
    if constexpr (!L::class_labels) {
      keep = 1 - r.parameters[1];
      spread = r.parameters[1] / static_cast<T>(r.columns);
    }
  }
  V at(Index j, Integer<V> valid) const {
    if constexpr (L::class_labels) {
      return select<V>(first_lanes<V>(label - j + 1) & ~first_lanes<V>(label - j), broadcast<V>(1), V{});
    } else {
      return select<V>(valid, load(dense + j) * keep + spread, V{});
    }
  }
};

template <typename T>
inline T row_weight(const LossRows<T>& r, Index i) {
  return r.weights != nullptr ? r.weights[i] : T(1);
}

/// Row-wise cross-entropy on logits: with s = sum e^(z - m), loss = sum_j y_j (ln s - (z_j - m)),
/// d_z = softmax(z) sum y - y.
template <typename L, typename T>
void crossentropy_on_logits(const LossRows<T>& r, Index i) {
  using V = Vector<T>;
  T* z = r.outputs + i * r.outputs_stride;
  T* delta = r.delta != nullptr ? r.delta + i * r.delta_stride : nullptr;
  const RowTarget<L, T> target(r, i);
  const T weight = row_weight(r, i);
  const T shift = row_maximum(z, r.columns);
  V powers{};
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    powers += select<V>(first_lanes<V>(r.columns - j), exp(load(z + j) - shift), V{});
  }
  const T total = sum(powers);
  const T log_total = log(broadcast<V>(total))[0];
  V losses{};
  V mass{};
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    const V y = target.at(j, first_lanes<V>(r.columns - j));
    mass += y;
    losses += select<V>(y == 0, V{}, y * (log_total - (load(z + j) - shift)));
  }
  r.losses[i] = weight * (sum(losses) + (total != total ? total : T(0)));
  const T target_mass = sum(mass);
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    const Integer<V> valid = first_lanes<V>(r.columns - j);
    const V a = exp(load(z + j) - shift) / total;
    if (delta != nullptr) {
      const V d = (a * target_mass - target.at(j, valid)) * (weight * r.scale);
      store(delta + j, select<V>(valid, d, V{}));
    }
    if (r.write_activation) store(z + j, select<V>(valid, a, V{}));
  }
}

/// Row-wise cross-entropy on probabilities p' = p / sum p, kept inside the margin:
/// d_p_j = -(y_j / p_j) + (sum y) / (sum p) over the outputs inside the margin.
template <typename L, typename T>
void crossentropy_on_probabilities(const LossRows<T>& r, Index i) {
  using V = Vector<T>;
  const T* p = r.outputs + i * r.outputs_stride;
  T* delta = r.delta != nullptr ? r.delta + i * r.delta_stride : nullptr;
  const RowTarget<L, T> target(r, i);
  const T weight = row_weight(r, i);
  V probability{};
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    probability += select<V>(first_lanes<V>(r.columns - j), load(p + j), V{});
  }
  const T total = sum(probability);
  V losses{};
  V mass{};
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    const V y = target.at(j, first_lanes<V>(r.columns - j));
    const V scaled = load(p + j) / total;
    const V inside = clipped_probability(scaled);
    losses += select<V>(y == 0, V{}, -y * log(inside));
    mass += select<V>(inside == scaled, y, V{});
  }
  r.losses[i] = weight * (sum(losses) + (total != total ? total : T(0)));
  if (delta == nullptr) return;
  const T target_mass = sum(mass);
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    const Integer<V> valid = first_lanes<V>(r.columns - j);
    const V y = target.at(j, valid);
    const V x = load(p + j);
    const V scaled = x / total;
    const V own = select<V>((clipped_probability(scaled) == scaled) & (y != 0), y / x, V{});
    store(delta + j, select<V>(valid, (target_mass / total - own) * (weight * r.scale), V{}));
  }
}

template <typename L, typename T>
void elementwise_loss(const LossRows<T>& r, Index i) {
  using V = Vector<T>;
  T* outputs = r.outputs + i * r.outputs_stride;
  const T* targets = r.targets + i * r.targets_stride;
  T* delta = r.delta != nullptr ? r.delta + i * r.delta_stride : nullptr;
  const T weight = row_weight(r, i);
  const T scale = weight * r.scale / static_cast<T>(r.columns);
  V losses{};
  for (Index j = 0; j < r.columns; j += kLanes<T>) {
    const Integer<V> valid = first_lanes<V>(r.columns - j);
    const V y = load(targets + j);
    const V output = load(outputs + j);
    Terms<V> t;
    if constexpr (requires(V a) { L::logit_terms(y, output, a, r.parameters); }) {
      V activation = output;
      t = r.logits ? L::logit_terms(y, output, activation, r.parameters) : L::terms(y, output, r.parameters);
      if (r.write_activation) store(outputs + j, select<V>(valid, activation, V{}));
    } else {
      t = L::terms(y, output, r.parameters);
    }
    losses += select<V>(valid, t.value, V{});
    if (delta != nullptr) store(delta + j, select<V>(valid, t.slope * scale, V{}));
  }
  r.losses[i] = weight * (sum(losses) / static_cast<T>(r.columns));
}

template <typename L, typename T>
void loss_rows(const LossRows<T>& r) {
  for (Index i = 0; i < r.rows; ++i) {
    if constexpr (L::element_wise) {
      elementwise_loss<L, T>(r, i);
    } else if (r.logits) {
      crossentropy_on_logits<L, T>(r, i);
    } else {
      crossentropy_on_probabilities<L, T>(r, i);
    }
  }
}

template <typename T, typename L>
struct LossTable;
template <typename T, typename... L>
struct LossTable<T, List<L...>> {
  static constexpr void (*functions[])(const LossRows<T>&) = {&loss_rows<L, T>...};
};

template <typename T>
void loss(const LossRows<T>& r) {
  LossTable<T, Losses>::functions[r.loss](r);
}

}  // namespace
}  // namespace laminar::kernels
