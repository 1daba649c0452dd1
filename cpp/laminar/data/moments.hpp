// SPDX-License-Identifier: Apache-2.0
// Mean and variance of numbers that come in pieces. Where these end changes no bit: they are summed in
// stretches of so many numbers each.
#pragma once

#include <limits>
#include <span>
#include <vector>

#include "laminar/base/types.hpp"

namespace laminar {

/// The moments of all numbers so far but those that wait for a stretch to be full.
struct Moments {
  Index count = 0;
  double mean = 0;
  double squares = 0;  // sum of the squares of their distances from the mean
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  bool whole = true;  // all are whole numbers
};

/// Takes numbers in.
class MomentsInStretches {
 public:
  /// Throws std::invalid_argument where `stretch` is not positive.
  explicit MomentsInStretches(Index stretch);

  /// Takes numbers in, but NaN. False where one is infinite; then the moments are of no use.
  bool add(std::span<const float> numbers);
  bool add(std::span<const double> numbers);
  /// Takes in what waits, and returns the moments of all.
  const Moments& end();

 private:
  template <typename T>
  bool take_in(std::span<const T> numbers);
  void take();

  Moments moments_;
  std::size_t size_;
  std::vector<double> stretch_;  // there once it is needed
  std::size_t waits_ = 0;        // numbers of it, fewer than all
};

}  // namespace laminar
