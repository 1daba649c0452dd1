// SPDX-License-Identifier: Apache-2.0
#include "laminar/data/moments.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

/// The sum of term(i) from first to end, by halves, so that what rounding takes grows with the logarithm of their
/// number; in the order in which NumPy adds.
template <typename Term>
double sum(std::size_t first, std::size_t end, const Term& term) {
  constexpr std::size_t kLanes = 8;
  constexpr std::size_t kAtOnce = 128;
  const std::size_t count = end - first;
  if (count > kAtOnce) {
    const std::size_t half = count / 2 / kLanes * kLanes;
    return sum(first, first + half, term) + sum(first + half, end, term);
  }
  double total = 0;
  std::size_t i = first;
  if (count >= kLanes) {
    double lanes[kLanes];
    for (std::size_t j = 0; j < kLanes; ++j) lanes[j] = term(i + j);
    for (i += kLanes; i + kLanes <= end; i += kLanes) {
      for (std::size_t j = 0; j < kLanes; ++j) lanes[j] += term(i + j);
    }
    total = ((lanes[0] + lanes[1]) + (lanes[2] + lanes[3])) + ((lanes[4] + lanes[5]) + (lanes[6] + lanes[7]));
  }
  for (; i < end; ++i) total += term(i);
  return total;
}

}  // namespace

MomentsInStretches::MomentsInStretches(Index stretch) : size_(static_cast<std::size_t>(stretch)) {
  if (stretch < 1) fail("a stretch must have 1 number or more, got ", stretch);
}

template <typename T>
bool MomentsInStretches::take_in(std::span<const T> numbers) {
  stretch_.resize(size_);
  bool finite = true;
  for (const T number : numbers) {
    finite = finite && !(std::abs(number) > std::numeric_limits<T>::max());
    stretch_[waits_] = static_cast<double>(number);
    waits_ += std::isnan(number) ? 0 : 1;
    if (waits_ == size_) take();
  }
  return finite;
}

bool MomentsInStretches::add(std::span<const float> numbers) { return take_in(numbers); }
bool MomentsInStretches::add(std::span<const double> numbers) { return take_in(numbers); }

const Moments& MomentsInStretches::end() {
  if (waits_ > 0) take();
  return moments_;
}

// By the formula of Chan, Golub and LeVeque (1979).
void MomentsInStretches::take() {
  const std::span<const double> numbers = std::span(stretch_).first(waits_);
  const auto count = static_cast<double>(numbers.size());
  const auto before = static_cast<double>(moments_.count);
  const double after = before + count;
  const double mean = sum(0, numbers.size(), [&](std::size_t i) { return numbers[i]; }) / count;
  const double distance = mean - moments_.mean;
  moments_.mean += distance * count / after;
  moments_.squares += sum(0, numbers.size(), [&](std::size_t i) {
    const double off = numbers[i] - mean;
    return off * off;
  });
  moments_.squares += distance * distance * before * count / after;
  for (const double number : numbers) {
    moments_.least = std::min(moments_.least, number);
    moments_.most = std::max(moments_.most, number);
    moments_.whole = moments_.whole && std::floor(number) == number;
  }
  moments_.count += static_cast<Index>(numbers.size());
  waits_ = 0;
}

}  // namespace laminar
