// SPDX-License-Identifier: Apache-2.0
// Graphs drawn from a seed, and data for them.
#pragma once

#include "laminar/laminar.hpp"
#include "task.hpp"

namespace laminar::tests {

/// Rows of the tables in such graphs.
inline constexpr Index kTokens = 5;

/// A graph of up to `most` calls drawn from a seed: embeddings, dense layers, shared or not, merges, dropout,
/// normalization.
Network random_graph(std::uint64_t seed, int most);

/// Whether a column of the graph's rows holds whole numbers that an embedding reads.
bool holds_ids(const Network& network, Index column);

/// Rows that the graph takes.
template <typename T>
Task<T> random_task(const Network& network, Index rows, std::uint64_t seed) {
  Task<T> task(rows, network.features(), 2, seed);
  for (std::size_t i = 0; i < task.x.size(); ++i) {
    if (!holds_ids(network, static_cast<Index>(i) % task.features)) continue;
    task.x[i] = std::floor((task.x[i] + 1) / 2 * static_cast<T>(kTokens));
  }
  return task;
}

}  // namespace laminar::tests
