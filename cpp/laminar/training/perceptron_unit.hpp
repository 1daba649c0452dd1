// SPDX-License-Identifier: Apache-2.0
// One unit of a perceptron while it is trained, as w = scale v, so that a penalty on squares costs one
// product a row, however few elements the row has.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "laminar/base/rows_view.hpp"

namespace laminar {

/// z = x w + b, summed in the order of the row's elements, in training and in use.
template <typename T>
T decision(const RowView<T>& x, const T* v, T scale, T bias) {
  T sum = 0;
  x.each([&](Index i, T value) { sum += value * v[i]; });
  return sum * scale + bias;
}

/// The weights of a unit, and what the penalties know of them.
template <typename T>
class PerceptronUnit {
 public:
  /// Trains what it is given; `settle` leaves the weights there.
  PerceptronUnit(std::span<T> v, T& bias, double l1, double l2) : v_(v), bias_(bias), l1_(l1), l2_(l2) {
    if (l1 > 0) paid_.resize(v.size());
    measure();
  }

  T bias() const { return bias_; }
  T decide(const RowView<T>& x) const { return decision(x, v_.data(), scale_, bias_); }
  /// The penalties' part of the objective. The norms are those after the last update, shrunk since.
  double penalty() const { return l2_ / 2 * squares_ + l1_ * absolutes_; }

  /// w *= 1 - eta l2
  void shrink(double eta) {
    if (l2_ == 0) return;
    const double factor = std::max(0.0, 1 - eta * l2_);
    scale_ *= static_cast<T>(factor);
    squares_ *= factor * factor;
    absolutes_ *= factor;
    if (scale_ < T(1e-6)) settle();
  }

  /// w += step x, b += step
  void add(const RowView<T>& x, T step, bool fit_intercept) {
    const T share = step / scale_;
    x.each([&](Index i, T value) { v_[static_cast<std::size_t>(i)] += share * value; });
    if (fit_intercept) bias_ += step;
    measure();
  }

  /// Brings every weight nearer to 0 by what all rows so far ask for, less what it has paid already:
  /// the cumulative penalty of Tsuruoka, Tsujii and Ananiadou (2009), "Stochastic gradient descent
  /// training for L1-regularized log-linear models with cumulative penalty", equations 5 to 7.
  void truncate(double eta) {
    if (l1_ == 0) return;
    asked_ += static_cast<T>(eta * l1_);
    for (std::size_t i = 0; i < v_.size(); ++i) {
      const T before = v_[i];
      if (before > 0) v_[i] = std::max(T(0), before - (asked_ + paid_[i]) / scale_);
      if (before < 0) v_[i] = std::min(T(0), before + (asked_ - paid_[i]) / scale_);
      paid_[i] += scale_ * (v_[i] - before);
    }
  }

  /// v = w
  void settle() {
    for (T& v : v_) v *= scale_;
    scale_ = 1;
  }

  bool finite() const {
    return std::isfinite(bias_) && std::all_of(v_.begin(), v_.end(), [](T v) { return std::isfinite(v); });
  }
  double norm() const {
    double squares = 0;
    for (const T v : v_) squares += static_cast<double>(v) * static_cast<double>(v);
    return std::sqrt(squares) * static_cast<double>(scale_);
  }
  Index nonzeros() const {
    return std::count_if(v_.begin(), v_.end(), [](T v) { return v != 0; });
  }

 private:
  void measure() {
    if (l1_ == 0 && l2_ == 0) return;
    double squares = 0;
    double absolutes = 0;
    for (const T value : v_) {
      const auto v = static_cast<double>(value);
      squares += v * v;
      absolutes += std::abs(v);
    }
    const auto scale = static_cast<double>(scale_);
    squares_ = squares * scale * scale;
    absolutes_ = absolutes * scale;
  }

  std::span<T> v_;
  T& bias_;
  double l1_;
  double l2_;
  T scale_ = 1;
  T asked_ = 0;          // of each |w| by the l1 penalty, so far
  std::vector<T> paid_;  // the sum of each weight's changes by it
  double squares_ = 0;
  double absolutes_ = 0;
};

}  // namespace laminar
