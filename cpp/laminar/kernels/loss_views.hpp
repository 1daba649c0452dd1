// SPDX-License-Identifier: Apache-2.0
// The rows that a loss is computed on. A loss is one text over two views of rows. RowView: one row,
// lanes are its columns. LaneView: as many rows as a vector has lanes, one vector a column, for rows
// no wider than a vector; a network with one output would otherwise take a whole logarithm for each
// row. Which view is taken depends on the width alone, so the bits of a row do not depend on its
// neighbours. SingleView: the one output of one row, in a register.
#pragma once

#include "laminar/kernels/rows.hpp"

namespace laminar::kernels {
namespace {

// Not inlined: these squares would be half of every loss's code.

/// Loads `count` rows of `columns` values, lane i of vector j being column j of row i.
template <typename T, Index Most>
__attribute__((noinline)) void load_columns(const T* rows, Index stride, Index count, Index columns,
                                            Vector<T> (&out)[Most]) {
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
__attribute__((noinline)) void store_columns(Vector<T> (&columns_of_rows)[Most], Index columns, T* rows, Index stride,
                                             Index count) {
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

/// One row with one output, which is in all lanes, for its gradient: nobody is interested in its loss.
template <typename L, typename T>
class SingleView {
 public:
  using V = Vector<T>;
  SingleView(const LossRows<T>& r, V output) : r_(r), output_(output) {}

  static constexpr bool wants_loss() { return false; }
  static constexpr bool wants_delta() { return true; }
  static constexpr bool wants_output() { return false; }
  Index columns() const { return 1; }
  Index vectors() const { return 1; }
  static Integer<V> valid(Index) { return Integer<V>{} == 0; }
  V output(Index) const { return output_; }
  V target(Index) const {
    if constexpr (L::class_labels) {
      return broadcast<V>(L::label(*r_.labels, r_.parameters) == 0 ? 1 : 0);
    } else {
      return broadcast<V>(*r_.targets);
    }
  }
  V weight() const { return broadcast<V>(r_.weights == nullptr ? T(1) : *r_.weights); }
  static V sum_of_row(V v) { return v; }
  static V largest_of_row(V v) { return v; }
  void set_output(Index, V) {}
  void set_delta(Index, V v) { delta_ = v; }
  void set_loss(V) {}
  V delta() const { return delta_; }

 private:
  const LossRows<T>& r_;
  V output_;
  V delta_{};
};

/// One row.
template <typename L, typename T>
class RowView {
 public:
  using V = Vector<T>;
  static constexpr Index kRows = 1;

  RowView(const LossRows<T>& r, Index row) : r_(r), row_(row) {}

  bool wants_loss() const { return r_.losses != nullptr; }
  bool wants_delta() const { return r_.delta != nullptr; }
  bool wants_output() const { return r_.write_activation; }

  Index columns() const { return r_.columns; }
  Index vectors() const { return (r_.columns + kLanes<T> - 1) / kLanes<T>; }
  Integer<V> valid(Index j) const { return first_lanes<V>(r_.columns - j * kLanes<T>); }
  V output(Index j) const { return load(r_.outputs + row_ * r_.outputs_stride + j * kLanes<T>); }
  V target(Index j) const {
    if constexpr (L::class_labels) {
      const Index label = L::label(r_.labels[row_], r_.parameters) - j * kLanes<T>;
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
template <typename L, typename T, Index Most>
class LaneView {
 public:
  using V = Vector<T>;
  static constexpr Index kRows = kLanes<T>;

  LaneView(const LossRows<T>& r, Index row) : r_(r), row_(row), rest_(r.rows - row) {
    load_columns<T>(r.outputs + row * r.outputs_stride, r.outputs_stride, count(), columns(), outputs_);
    if constexpr (L::class_labels) {
      for (Index i = 0; i < count(); ++i) labels_[i] = L::label(r.labels[row + i], r.parameters);
    } else {
      load_columns<T>(r.targets + row * r.targets_stride, r.targets_stride, count(), columns(), targets_);
    }
  }

  bool wants_loss() const { return r_.losses != nullptr; }
  bool wants_delta() const { return r_.delta != nullptr; }
  bool wants_output() const { return r_.write_activation; }
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
    return load_first(r_.weights + row_, count());
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
  Index count() const { return rest_ < kRows ? rest_ : kRows; }

  const LossRows<T>& r_;
  Index row_;
  Index rest_;
  V outputs_[Most];
  V targets_[L::class_labels ? 1 : Most];
  V deltas_[Most];
  Integer<V> labels_{};
};

}  // namespace
}  // namespace laminar::kernels
