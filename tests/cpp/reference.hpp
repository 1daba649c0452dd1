// SPDX-License-Identifier: Apache-2.0
// What the core computes, written a second time: Eigen, double precision, whole matrices, libm, no
// fusing. An entry that a family has and this file lacks is an error, so that nothing new goes
// untested. Formulas are those of spec and Keras 3, not copies of the kernels'.
#pragma once

#include <Eigen/Core>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/graph/network.hpp"

namespace laminar::reference {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

template <typename Values>
Matrix matrix(const Values& values, Index rows, Index columns) {
  Matrix m(rows, columns);
  for (Index i = 0; i < m.size(); ++i) m.data()[i] = static_cast<double>(values[static_cast<std::size_t>(i)]);
  return m;
}

/// An elementwise activation and its slope at a number.
using Function = std::function<long double(long double)>;
Function elementwise(const Activation& f);
Function elementwise_slope(const Activation& f);

/// a = f(z)
Matrix activate(const Activation& f, const Matrix& z);

/// d_z from z and d_a
Matrix activation_gradient(const Activation& f, const Matrix& z, const Matrix& d_a);

/// Where probabilities are clipped: 1e-7 from 0 and 1, in the precision under test.
struct Clip {
  double low;
  double high;
};
template <typename T>
constexpr Clip kClip{static_cast<double>(T(1e-7)), static_cast<double>(T(1) - T(1e-7))};

struct LossRows {
  Eigen::VectorXd values;  // one per row
  Matrix slopes;           // of a row's value with respect to its outputs
};

/// Targets are one-hot rows where the loss takes labels. Logits of a moderate size only.
LossRows loss(const Loss& loss, const Matrix& outputs, const Matrix& targets, bool logits, Clip clip);

Matrix one_hot(std::span<const std::int32_t> labels, Index classes);

/// An optimizer's arrays, by the names of the literature.
using Slots = std::map<std::string, std::vector<double>>;

/// Update number `step`, 1 for the first.
void update(const Optimizer& optimizer, Index step, std::span<double> weights, std::span<const double> gradients,
            Slots& slots);

struct Batch {
  Matrix x;
  Matrix y;
  Eigen::VectorXd weights;  // empty: all 1
  double mean_weight = 1;   // of the rows that this batch is one of
};

struct Run {
  Matrix outputs;
  Eigen::VectorXd losses;         // of rows, times their weights
  double loss;                    // their sum through the rows times their mean weight
  std::vector<double> gradients;  // of the loss, in the parameters' layout
};

/// Outputs for x at prediction: no dropout.
Matrix predict(const Network& network, std::span<const double> parameters, const Matrix& x);

/// A batch under training: forward, loss, backward. `step` counts the updates made before.
Run run(const Network& network, std::span<const double> parameters, const Batch& batch, const Loss& loss, Clip clip,
        std::uint64_t seed, Index step);

}  // namespace laminar::reference
