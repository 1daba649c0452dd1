// SPDX-License-Identifier: Apache-2.0
// Outputs in their order, with what is to be a yes and a no at each: the state of an exact area under a
// curve. It grows with the different outputs it has met; from kMost on neighbours share an entry, so
// that none of these holds more than 4 / kMost of all weight.
//
// State: its own size, the sorted entries at its front, those added since they were last counted, 1
// once something was NaN; then the entries, sorted ones before those that came later. When it is sorted
// changes no bit of what it becomes: weights of equal outputs are added in the order of rows, and
// neighbours are joined after a fixed number of entries.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "laminar/base/types.hpp"

namespace laminar::metrics {

struct Ranking {
  struct Entry {
    double curve;  // each curve has its own order
    double output;
    double positives;
    double negatives;
  };
  static constexpr Index kHeader = 4;   // of a state without entries, all zeros
  static constexpr Index kNumbers = 4;  // of an entry
  static constexpr Index kMost = 1 << 17;
  static constexpr Index kPeriod = 1 << 15;  // entries between two looks at how many there are
  static_assert(sizeof(Entry) == kNumbers * sizeof(double));

  static bool broken(const std::vector<double>& state) { return state[3] != 0; }

  static void add(std::vector<double>& state, const Entry& entry) {
    if (std::isnan(entry.output)) state[3] = 1;
    if (broken(state) || entry.positives + entry.negatives == 0) return;
    state.insert(state.end(), {entry.curve, entry.output, entry.positives, entry.negatives});
    state[0] = static_cast<double>(state.size());
    state[2] += 1;
    if (state[2] < static_cast<double>(kPeriod)) return;
    state[2] = 0;
    if (static_cast<Index>(sorted(state).size()) > kMost) join(state);
  }

  /// The most that a state of this size may hold after so many more entries.
  static Index bound(Index size, Index more) {
    const Index full = std::max(size, kHeader + kNumbers * kMost) + kNumbers * kPeriod;
    return more > (full - size) / kNumbers ? full : size + kNumbers * more;
  }

  /// One entry for each output of each curve, both ascending. Allocates nothing that it could not do
  /// without.
  static std::span<const Entry> sorted(std::vector<double>& state) {
    const std::span<Entry> all = entries(state);
    const auto middle = all.begin() + static_cast<std::ptrdiff_t>(state[1]);
    const auto before = [](const Entry& a, const Entry& b) {
      return a.curve < b.curve || (a.curve == b.curve && a.output < b.output);
    };
    if (middle == all.end()) return all;
    std::stable_sort(middle, all.end(), before);
    std::inplace_merge(all.begin(), middle, all.end(), before);
    return keep(state, [](const Entry& last, const Entry& next) {
      return last.curve == next.curve && last.output == next.output;
    });
  }

  /// Whether a state that was read from a file is one that add leaves.
  static bool valid(std::span<const double> state, Index curves) {
    const auto size = static_cast<Index>(state.size());
    if (size < kHeader || (size - kHeader) % kNumbers != 0) return false;
    const Index count = (size - kHeader) / kNumbers;
    if (!(state[1] >= 0 && state[1] <= static_cast<double>(count)) || std::floor(state[1]) != state[1]) return false;
    if (!(state[2] >= 0 && state[2] < static_cast<double>(kPeriod))) return false;
    const auto sorted = static_cast<Index>(state[1]);
    for (Index i = 0; i < count; ++i) {
      const double* e = state.data() + kHeader + kNumbers * i;
      if (!(e[0] >= 0 && e[0] < static_cast<double>(curves) && std::floor(e[0]) == e[0])) return false;
      if (std::isnan(e[1]) || !(e[2] >= 0 && e[3] >= 0)) return false;
      if (i > 0 && i < sorted && !(e[-4] < e[0] || (e[-4] == e[0] && e[-3] < e[1]))) return false;
    }
    return true;
  }

 private:
  static std::span<Entry> entries(std::vector<double>& state) {
    return {reinterpret_cast<Entry*>(state.data() + kHeader),
            (state.size() - static_cast<std::size_t>(kHeader)) / static_cast<std::size_t>(kNumbers)};
  }

  /// Joins sorted entries with the one before where join(that, the next) says so.
  template <typename Join>
  static std::span<const Entry> keep(std::vector<double>& state, const Join& join) {
    const std::span<Entry> all = entries(state);
    std::size_t kept = 0;
    for (const Entry& next : all) {
      if (kept > 0 && join(all[kept - 1], next)) {
        all[kept - 1].output = next.output;
        all[kept - 1].positives += next.positives;
        all[kept - 1].negatives += next.negatives;
      } else {
        all[kept++] = next;
      }
    }
    state.resize(static_cast<std::size_t>(kHeader) + static_cast<std::size_t>(kNumbers) * kept);
    state[0] = static_cast<double>(state.size());
    state[1] = static_cast<double>(kept);
    return entries(state);
  }

  static void join(std::vector<double>& state) {
    double all = 0;
    for (const Entry& entry : entries(state)) all += entry.positives + entry.negatives;
    const double most = 4 * all / static_cast<double>(kMost);
    keep(state, [most](const Entry& last, const Entry& next) {
      return last.curve == next.curve && last.positives + last.negatives + next.positives + next.negatives <= most;
    });
  }
};

}  // namespace laminar::metrics
