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
  [[gnu::always_inline]] static Terms<V> logit_terms(V y, V z, V& activation, const Scalar<V>* q) {
    y = smooth(y, q);
    const V e = exp_below(-absolute(z));
    activation = sigmoid(z, e);
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

// A loss is one text over two views of rows. RowView: one row, lanes are its columns. LaneView: as
// many rows as a vector has lanes, one vector a column, for rows no wider than a vector; a network
// with one output would otherwise take a whole logarithm for each row. Which view is taken depends on
// the width alone, so the bits of a row do not depend on its neighbours.

/// Loads `count` rows of `columns` values, lane i of vector j being column j of row i.
template <typename T, Index Most>
inline void load_columns(const T* rows, Index stride, Index count, Index columns, Vector<T> (&out)[Most]) {
  if (count == 1) {
    for (Index j = 0; j < columns; ++j) out[j] = broadcast<Vector<T>>(rows[j]);
  } else if constexpr (Most == 1) {
    out[0] = Vector<T>{};
    for (Index i = 0; i < count; ++i) out[0][i] = rows[i * stride];
  } else {
    for (Index i = 0; i < kLanes<T>; ++i) out[i] = i < count ? load(rows + i * stride) : Vector<T>{};
    transpose<T>(out);
  }
}

/// The reverse; zero in the padding of the rows.
template <typename T, Index Most>
inline void store_columns(Vector<T> (&columns_of_rows)[Most], Index columns, T* rows, Index stride, Index count) {
  if (Most == 1 && count == 1) {
    store(rows, select<Vector<T>>(first_lanes<Vector<T>>(1), columns_of_rows[0], Vector<T>{}));
  } else if constexpr (Most == 1) {
    for (Index i = 0; i < count; ++i) {
      Vector<T> row{};
      row[0] = columns_of_rows[0][i];
      store(rows + i * stride, row);
    }
  } else if (count == 1) {
    store(rows, Vector<T>{});
    for (Index j = 0; j < columns; ++j) rows[j] = columns_of_rows[j][0];
  } else {
    for (Index j = columns; j < kLanes<T>; ++j) columns_of_rows[j] = Vector<T>{};
    transpose<T>(columns_of_rows);
    for (Index i = 0; i < count; ++i) store(rows + i * stride, columns_of_rows[i]);
  }
}

// A view for a gradient is of one row, in whose loss nobody is interested.

/// One row.
template <typename L, typename T, bool Gradient>
class RowView {
 public:
  using V = Vector<T>;
  static constexpr Index kRows = 1;
  static constexpr bool values = !Gradient;

  RowView(const LossRows<T>& r, Index row) : r_(r), row_(row) {}

  bool wants_delta() const { return Gradient || r_.delta != nullptr; }
  bool wants_output() const { return !Gradient && r_.write_activation; }

  Index columns() const { return r_.columns; }
  Index vectors() const { return (r_.columns + kLanes<T> - 1) / kLanes<T>; }
  Integer<V> valid(Index j) const { return first_lanes<V>(r_.columns - j * kLanes<T>); }
  V output(Index j) const { return load(r_.outputs + row_ * r_.outputs_stride + j * kLanes<T>); }
  V target(Index j) const {
    if constexpr (L::class_labels) {
      const Index label = r_.labels[row_] - j * kLanes<T>;
      return select<V>(first_lanes<V>(label + 1) & ~first_lanes<V>(label), broadcast<V>(1), V{});
    } else {
      return load(r_.targets + row_ * r_.targets_stride + j * kLanes<T>);
    }
  }
  V weight() const { return broadcast<V>(r_.weights != nullptr ? r_.weights[row_] : T(1)); }
  static V sum_of_row(V v) { return sum_lanes(v); }
  static V largest_of_row(V v) { return largest_lane(v); }
  void set_output(Index j, V v) { store(r_.outputs + row_ * r_.outputs_stride + j * kLanes<T>, v); }
  void set_delta(Index j, V v) { store(r_.delta + row_ * r_.delta_stride + j * kLanes<T>, v); }
  void set_loss(V v) { r_.losses[row_] = v[0]; }
  void finish() {}

 private:
  const LossRows<T>& r_;
  Index row_;
};

/// Up to kLanes rows of at most kLanes columns, or, with Most 1, of one.
template <typename L, typename T, bool Gradient, Index Most>
class LaneView {
 public:
  using V = Vector<T>;
  static constexpr Index kRows = kLanes<T>;
  static constexpr bool values = !Gradient;

  LaneView(const LossRows<T>& r, Index row) : r_(r), row_(row), rest_(r.rows - row) {
    load_columns<T>(r.outputs + row * r.outputs_stride, r.outputs_stride, count(), columns(), outputs_);
    if constexpr (L::class_labels) {
      for (Index i = 0; i < count(); ++i) labels_[i] = static_cast<IntegerScalar<V>>(r.labels[row + i]);
    } else {
      load_columns<T>(r.targets + row * r.targets_stride, r.targets_stride, count(), columns(), targets_);
    }
  }

  bool wants_delta() const { return Gradient || r_.delta != nullptr; }
  bool wants_output() const { return !Gradient && r_.write_activation; }
  Index columns() const { return Most == 1 ? 1 : r_.columns; }
  Index vectors() const { return columns(); }
  static Integer<V> valid(Index) { return Integer<V>{} == 0; }
  V output(Index j) const { return outputs_[j]; }
  V target(Index j) const {
    if constexpr (L::class_labels) {
      return select<V>(labels_ == static_cast<IntegerScalar<V>>(j), broadcast<V>(1), V{});
    } else {
      return targets_[j];
    }
  }
  V weight() const {
    if (r_.weights == nullptr) return broadcast<V>(1);
    return Gradient ? broadcast<V>(*r_.weights) : load_first(r_.weights + row_, count());
  }
  static V sum_of_row(V v) { return v; }
  static V largest_of_row(V v) { return v; }
  void set_output(Index j, V v) { outputs_[j] = v; }
  void set_delta(Index j, V v) { deltas_[j] = v; }
  void set_loss(V v) { store_first(r_.losses + row_, v, count()); }
  void finish() {
    if (wants_output()) {
      store_columns<T>(outputs_, columns(), r_.outputs + row_ * r_.outputs_stride, r_.outputs_stride, count());
    }
    if (wants_delta()) {
      store_columns<T>(deltas_, columns(), r_.delta + row_ * r_.delta_stride, r_.delta_stride, count());
    }
  }

 private:
  Index count() const { return Gradient ? 1 : rest_ < kRows ? rest_ : kRows; }

  const LossRows<T>& r_;
  Index row_;
  Index rest_;
  V outputs_[Most];
  V targets_[L::class_labels ? 1 : Most];
  V deltas_[Most];
  Integer<V> labels_{};
};

/// (Smoothed) target of a cross-entropy over rows: y (1 - s) + s / columns.
template <typename L, typename View, typename T>
inline Vector<T> smoothed_target(const LossRows<T>& r, const View& view, Index j) {
  if constexpr (L::class_labels) {
    return view.target(j);
  } else {
    const T smoothing = r.parameters[1];
    return select<Vector<T>>(
        view.valid(j), view.target(j) * (1 - smoothing) + smoothing / static_cast<T>(view.columns()), Vector<T>{});
  }
}

/// Row-wise cross-entropy on logits: with s = sum e^(z - m), loss = sum_j y_j (ln s - (z_j - m)),
/// d_z = softmax(z) sum y - y.
template <typename L, typename View, typename T>
void crossentropy_on_logits(const LossRows<T>& r, View& view) {
  using V = Vector<T>;
  const Index vectors = view.vectors();
  const V lowest = broadcast<V>(-T(__builtin_inff()));
  V shift = lowest;
  for (Index j = 0; j < vectors; ++j) shift = maximum(select<V>(view.valid(j), view.output(j), lowest), shift);
  shift = view.largest_of_row(shift);
  V powers{};
  for (Index j = 0; j < vectors; ++j) powers += select<V>(view.valid(j), exp_below(view.output(j) - shift), V{});
  const V total = view.sum_of_row(powers);
  const V log_total = log(total);
  V losses{};
  V mass{};
  for (Index j = 0; j < vectors; ++j) {
    const V y = smoothed_target<L>(r, view, j);
    mass += y;
    losses += select<V>(y == 0, V{}, y * (log_total - (view.output(j) - shift)));
  }
  const V weight = view.weight();
  if constexpr (View::values) view.set_loss(weight * (view.sum_of_row(losses) + select<V>(total == total, V{}, total)));
  const V target_mass = view.sum_of_row(mass);
  for (Index j = 0; j < vectors; ++j) {
    const Integer<V> valid = view.valid(j);
    const V a = exp_below(view.output(j) - shift) / total;
    if (view.wants_delta()) {
      const V d = (a * target_mass - smoothed_target<L>(r, view, j)) * (weight * r.scale);
      view.set_delta(j, select<V>(valid, d, V{}));
    }
    if (view.wants_output()) view.set_output(j, select<V>(valid, a, V{}));
  }
}

/// Row-wise cross-entropy on probabilities p' = p / sum p, kept inside the margin:
/// d_p_j = -(y_j / p_j) + (sum y) / (sum p) over the outputs inside the margin.
template <typename L, typename View, typename T>
void crossentropy_on_probabilities(const LossRows<T>& r, View& view) {
  using V = Vector<T>;
  const Index vectors = view.vectors();
  V probability{};
  for (Index j = 0; j < vectors; ++j) probability += select<V>(view.valid(j), view.output(j), V{});
  const V total = view.sum_of_row(probability);
  V losses{};
  V mass{};
  for (Index j = 0; j < vectors; ++j) {
    const V y = smoothed_target<L>(r, view, j);
    const V scaled = view.output(j) / total;
    const V inside = clipped_probability(scaled);
    losses += select<V>(y == 0, V{}, -y * log(inside));
    mass += select<V>(inside == scaled, y, V{});
  }
  const V weight = view.weight();
  if constexpr (View::values) view.set_loss(weight * (view.sum_of_row(losses) + select<V>(total == total, V{}, total)));
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

template <typename L, typename View, typename T>
void elementwise_loss(const LossRows<T>& r, View& view) {
  using V = Vector<T>;
  const Index vectors = view.vectors();
  const V weight = view.weight();
  const V scale = weight * r.scale / static_cast<T>(view.columns());
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
    losses += select<V>(valid, t.value, V{});
    if (view.wants_delta()) view.set_delta(j, select<V>(valid, t.slope * scale, V{}));
  }
  if constexpr (View::values) view.set_loss(weight * (view.sum_of_row(losses) / static_cast<T>(view.columns())));
}

template <typename L, typename View, typename T>
inline void loss_through(const LossRows<T>& r, Index row) {
  View view(r, row);
  if constexpr (L::element_wise) {
    elementwise_loss<L>(r, view);
  } else if (r.logits) {
    crossentropy_on_logits<L>(r, view);
  } else {
    crossentropy_on_probabilities<L>(r, view);
  }
  view.finish();
}

template <typename L, typename View, typename T>
void loss_of_rows(const LossRows<T>& r) {
  for (Index i = 0; i < r.rows; i += View::kRows) loss_through<L, View>(r, i);
}

template <typename L, typename T>
void loss_rows(const LossRows<T>& r) {
  if (r.columns == 1) {
    loss_of_rows<L, LaneView<L, T, false, 1>>(r);
  } else if (r.columns <= kLanes<T>) {
    loss_of_rows<L, LaneView<L, T, false, kLanes<T>>>(r);
  } else {
    loss_of_rows<L, RowView<L, T, false>>(r);
  }
}

template <typename L, typename T>
void loss_gradient_row(const LossRows<T>& r) {
  if (r.columns == 1) {
    loss_through<L, LaneView<L, T, true, 1>>(r, 0);
  } else if (r.columns <= kLanes<T>) {
    loss_through<L, LaneView<L, T, true, kLanes<T>>>(r, 0);
  } else {
    loss_through<L, RowView<L, T, true>>(r, 0);
  }
}

template <typename T, typename L>
struct LossTable;
template <typename T, typename... L>
struct LossTable<T, List<L...>> {
  static constexpr void (*rows[])(const LossRows<T>&) = {&loss_rows<L, T>...};
  static constexpr void (*gradient_row[])(const LossRows<T>&) = {&loss_gradient_row<L, T>...};
};

template <typename T>
void loss(const LossRows<T>& r) {
  LossTable<T, Losses>::rows[r.loss](r);
}

/// The gradient alone, of the first row.
template <typename T>
inline void loss_gradient(const LossRows<T>& r) {
  LossTable<T, Losses>::gradient_row[r.loss](r);
}

}  // namespace
}  // namespace laminar::kernels
