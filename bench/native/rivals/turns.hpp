// SPDX-License-Identifier: Apache-2.0
// Times of rivals that take turns, so that a drift of the machine's speed hits all of them. What is timed has one
// thread: it is the processor's time, which does not count what other programs take.
#pragma once

#include <algorithm>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

namespace rivals {

/// Someone to be timed: work(n) does what is measured n times.
struct Rival {
  std::string name;
  std::function<void(long)> work;
};

inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

inline double seconds_of(const Rival& rival, long n) {
  const std::clock_t start = std::clock();
  rival.work(n);
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

/// Median seconds of doing it once, for each rival: of so many turns, each about `length` seconds long.
inline std::vector<double> take_turns(const std::vector<Rival>& all, int turns = 25, double length = 0.02) {
  std::vector<long> repeats;
  for (const Rival& rival : all) {
    rival.work(1);
    long n = 1;
    double elapsed = seconds_of(rival, n);
    while (elapsed < length / 4) elapsed = seconds_of(rival, n *= 2);
    repeats.push_back(std::max(1L, static_cast<long>(static_cast<double>(n) * length / elapsed)));
  }
  std::vector<std::vector<double>> times(all.size());
  for (int turn = 0; turn < turns; ++turn) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const std::size_t who = turn % 2 == 0 ? i : all.size() - 1 - i;
      times[who].push_back(seconds_of(all[who], repeats[who]) / static_cast<double>(repeats[who]));
    }
  }
  std::vector<double> medians;
  for (const auto& taken : times) medians.push_back(median(taken));
  return medians;
}

}  // namespace rivals
