// SPDX-License-Identifier: Apache-2.0
// Rosenblatt's perceptron (1958): units with a step activation, trained by w += eta (y - p) x on one
// row after the other. It finds a separating plane where there is one and never rests where there is
// none. The rule is no gradient of any loss, so it stands beside Model, not in it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "laminar/types.hpp"

namespace laminar {

/// How a perceptron is trained.
struct PerceptronOptions {
  double eta0 = 1;                  // the factor eta, above 0
  Index max_epochs = 1000;          // at least 1
  std::optional<double> tol = {};   // an epoch whose mean of max(0, -+z) is not lower by this is in vain …
  Index patience = 5;               // … and so many of them in a row are the end; without tol only mistakes count
  bool shuffle = true;              // draw a new order of the rows every epoch
  bool fit_intercept = true;        // learn the biases too
  std::function<bool()> poll = {};  // asked now and then; true stops after the row at hand
};

/// How a training ended; for several units the longest of theirs, and all their mistakes.
struct PerceptronEnd {
  Index epochs = 0;
  Index mistakes = 0;  // updates made in the last epoch; 0: every row is right
};

/// One unit for two classes, one unit a class against all others for more. Instantiated for float
/// and double.
template <typename T>
class Perceptron {
 public:
  /// All weights 0. Throws unless there is a feature and there are two classes.
  Perceptron(Index features, Index classes, std::uint64_t seed = 0);

  /// Values a row, classes, and units to tell them apart.
  Index features() const { return features_; }
  Index classes() const { return classes_; }
  Index units() const { return classes_ == 2 ? 1 : classes_; }
  /// (units, features) and (units): what was learnt so far; training goes on from there.
  std::vector<T>& weights() { return weights_; }
  const std::vector<T>& weights() const { return weights_; }
  std::vector<T>& biases() { return biases_; }
  const std::vector<T>& biases() const { return biases_; }

  /// Trains until an epoch has no mistakes. `y` has a class number for each row of x; sample_weight,
  /// where given, multiplies eta. Throws std::invalid_argument before anything changes.
  PerceptronEnd fit(MatrixView<const T> x, std::span<const std::int32_t> y, std::span<const T> sample_weight,
                    const PerceptronOptions& options);
  /// z (rows, units) = x w + b; above 0 a unit says yes.
  void decide(MatrixView<const T> x, MatrixView<T> z) const;

 private:
  struct Task;  // the data as one unit sees them

  PerceptronEnd fit_unit(Index unit, const Task& task, const PerceptronOptions& options);
  T sum(const T* row, Index unit) const;

  Index features_;
  Index classes_;
  std::uint64_t seed_;
  std::uint32_t epochs_ = 0;  // seen so far: the orders of the next ones are drawn with these numbers
  std::vector<T> weights_;
  std::vector<T> biases_;
};

}  // namespace laminar
