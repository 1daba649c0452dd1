// SPDX-License-Identifier: Apache-2.0
// Rosenblatt's perceptron (1958): units with a step activation, trained by w += eta (y - p) x on one
// row after the other. It finds a separating plane where there is one and never rests where there is
// none. The rule is no gradient of any loss, so it stands beside Model, not in it. Penalties, stopping
// and weights of classes are those of scikit-learn's Perceptron.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "laminar/base/rows_view.hpp"
#include "laminar/base/types.hpp"

namespace laminar {

/// What an epoch of one unit came to.
struct PerceptronEpoch {
  Index unit = 0;
  Index epoch = 0;     // from 1
  double norm = 0;     // sqrt(sum of w^2)
  Index nonzeros = 0;  // weights that are not 0
  double bias = 0;
  Index rows = 0;               // seen in all epochs so far
  double loss = 0;              // the mean of |z| over rows, 0 for those that are right
  double objective = 0;         // with the penalties
  std::optional<double> score;  // the share of held-out rows that are right, where there are some
  bool last = false;            // it ended the training, before max_epochs did
};

/// How a perceptron is trained.
struct PerceptronOptions {
  double eta0 = 1;                  // the factor eta, above 0
  double l2 = 0;                    // each row multiplies w by 1 - eta l2, or by 0 …
  double l1 = 0;                    // … and takes eta l1 off |w|, down to 0
  Index max_epochs = 1000;          // at least 1
  std::optional<double> tol = {};   // an epoch whose objective is not lower, or score higher, by this is in vain …
  Index patience = 5;               // … and so many of them in a row are the end
  bool strict = false;              // a row with z = 0 is mistaken whatever its class
  bool shuffle = true;              // draw a new order of the rows every epoch
  bool fit_intercept = true;        // learn the biases too
  std::function<bool()> poll = {};  // asked now and then; true stops after the row at hand, as a StopScope
  std::function<void(const PerceptronEpoch&)> report = {};  // told of each epoch of each unit
};

/// How a training ended; for several units the longest of theirs, and all their mistakes.
struct PerceptronEnd {
  Index epochs = 0;
  Index mistakes = 0;    // updates made in the last epoch; 0: every row that counts is right
  bool stopped = false;  // by the poll
};

/// What a perceptron is trained on.
template <typename T>
struct PerceptronData {
  RowsView<T> x;
  std::span<const std::int32_t> y;              // a class number for each row
  std::span<const T> sample_weight = {};        // one a row, multiplies eta; empty: 1
  std::span<const T> class_weight = {};         // of two classes both multiply eta, of more the unit's own; empty: 1
  std::span<const std::uint8_t> held_out = {};  // one a row, 1: only for the score that training stops by
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

  /// Trains until nothing gets better by `tol`. Without `tol` and penalties, until an epoch has no
  /// mistakes. Throws std::invalid_argument before anything changes, and NonFiniteError where weights
  /// overflow, with those of the beginning.
  PerceptronEnd fit(const PerceptronData<T>& data, const PerceptronOptions& options);
  /// z (rows, units) = x w + b; above 0 a unit says yes.
  void decide(const RowsView<T>& x, MatrixView<T> z) const;

 private:
  /// Throws where weights() or biases() were given another size.
  void check_sizes() const;
  PerceptronEnd fit_unit(Index unit, const PerceptronData<T>& data, const PerceptronOptions& options);

  Index features_;
  Index classes_;
  std::uint64_t seed_;
  std::uint32_t epochs_ = 0;  // seen so far: the orders of the next ones are drawn with these numbers
  std::vector<T> weights_;
  std::vector<T> biases_;
};

}  // namespace laminar
