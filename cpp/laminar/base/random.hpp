// SPDX-License-Identifier: Apache-2.0
// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror & Shaw 2011). A draw is a pure
// function of (seed, stream, index), so it depends neither on order nor on threads, and its bits are
// the same on every machine: no library function whose last bit may differ is involved.
#pragma once

#include <array>
#include <cstdint>

#include "laminar/base/types.hpp"

namespace laminar {

/// What a sequence of draws is for; sequences of different purposes never meet.
enum class Purpose : std::uint32_t { initializer = 1, shuffle = 2, dropout = 3, noise = 4 };

/// One sequence of draws of a seed.
class RandomStream {
 public:
  /// `item` is the tensor or layer drawn for, `step` the epoch or update it is drawn in.
  RandomStream(std::uint64_t seed, Purpose purpose, std::uint32_t item, std::uint32_t step)
      : seed_(seed), stream_((static_cast<std::uint32_t>(purpose) << 24) ^ item), step_(step) {}

  /// Four independent 32-bit words for every index.
  std::array<std::uint32_t, 4> words(std::uint64_t index) const;

  /// Uniform in (0, 1), 53 bits; never 0 or 1.
  double uniform(std::uint64_t index) const;

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::uint32_t step_;
};

/// Value below which a standard normal variable lies with probability p, 0 < p < 1
/// (Wichura 1988, algorithm AS 241, relative error about 1e-16).
double normal_quantile(double p);

/// Fills `order` with a uniformly drawn permutation of 0 … size-1 (Fisher–Yates).
void fill_permutation(const RandomStream& stream, std::span<Index> order);

}  // namespace laminar
