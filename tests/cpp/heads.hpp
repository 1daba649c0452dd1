// SPDX-License-Identifier: Apache-2.0
// Networks of several outputs, what they are trained towards, and data for them.
#pragma once

#include <random>

#include "graphs.hpp"
#include "laminar/execution/state.hpp"

namespace laminar::tests {

/// Two stacks side by side on one input: "a" with softmax of three classes, "b" with two numbers.
inline Network twins(bool first = true, bool second = true) {
  Graph graph;
  graph.inputs = {{"x", {5}}};
  int next = 1;
  const auto branch = [&](Index units, const char* activation, const char* name) {
    graph.layers.push_back(Dense{.units = 9, .activation = "tanh", .name = std::string(name) + "_hidden"});
    graph.layers.push_back(Dense{.units = units, .activation = activation, .name = name});
    graph.calls.push_back({graph.layers.size() - 2, {0}});
    graph.calls.push_back({graph.layers.size() - 1, {next}});
    graph.outputs.push_back(next + 1);
    next += 2;
  };
  if (first) branch(3, "softmax", "a");
  if (second) branch(2, "linear", "b");
  return Network(std::move(graph));
}

/// Rows of several heads: targets side by side, weights for each or none.
template <typename T>
struct HeadTask {
  std::vector<T> x;
  std::vector<T> y;
  std::vector<T> weights;
  Index rows;
  Index features;
  Index columns;

  Dataset<T> dataset() const { return {{view(x), features}, MatrixView<const T>(view(y), columns), view(weights)}; }
};

/// Data that suit the heads of a network: class numbers for sparse losses, shares for the others.
template <typename T>
HeadTask<T> head_task(const Network& network, const std::vector<Head>& heads, Index rows, std::uint64_t seed,
                      int weights = 0) {
  HeadTask<T> task{draws<T>(rows * network.features(), -1, 1, seed), {}, {}, rows, network.features(), 0};
  Index goals = 0;
  std::vector<std::vector<T>> parts;
  std::vector<Index> widths;
  for (std::size_t i = 0; i < heads.size(); ++i) {
    if (!heads[i].loss && heads[i].metrics.empty()) continue;
    ++goals;
    const Index classes = network.output_ports()[i].width;
    const bool labels = heads[i].loss && heads[i].loss->class_labels();
    widths.push_back(labels ? 1 : classes);
    parts.push_back(labels ? whole_numbers<T>(rows, static_cast<int>(classes) - 1, seed + i)
                           : draws<T>(rows * classes, 0.05, 0.95, seed + i));
    if (labels) {
      for (T& label : parts.back()) label = std::abs(label);
    }
    task.columns += widths.back();
  }
  for (Index row = 0; row < rows; ++row) {
    for (std::size_t p = 0; p < parts.size(); ++p) {
      const auto at = parts[p].begin() + row * widths[p];
      task.y.insert(task.y.end(), at, at + widths[p]);
    }
  }
  if (weights > 0) task.weights = draws<T>(rows * (weights == 1 ? 1 : goals), 0, 2, seed + 99);
  return task;
}

/// A graph drawn from a seed with two to four outputs, of which one may be an inner value, and heads for them:
/// with and without a loss, absorbed activations, weights.
inline std::pair<Network, std::vector<Head>> random_heads(std::uint64_t seed) {
  std::mt19937_64 bits(seed);
  const auto draw = [&](std::size_t n) { return static_cast<std::size_t>(bits() % n); };
  Graph graph;
  std::vector<Index> widths{3, 2};
  std::vector<char> read(2, 0);
  graph.inputs = {{"p", {3}}, {"q", {2}}};
  const auto call = [&](Layer layer, std::vector<int> from, Index width) {
    for (const int i : from) read[as_size(i)] = 1;
    graph.layers.push_back(std::move(layer));
    graph.calls.push_back({graph.layers.size() - 1, std::move(from)});
    widths.push_back(width);
    read.push_back(0);
    return static_cast<int>(widths.size()) - 1;
  };
  const auto dense = [](Index units, const char* activation) {
    return Dense{.units = units, .activation = activation, .bias_initializer = "random_normal"};
  };
  const char* const inner[] = {"tanh", "softplus", "gelu", "linear"};
  call(Concatenate{}, {0, 1}, 5);
  const std::size_t calls = 2 + draw(5);
  for (std::size_t c = 0; c < calls; ++c) {
    const int from = static_cast<int>(draw(widths.size()));
    const Index width = widths[as_size(from)];
    switch (draw(5)) {
      case 0:
        call(LayerNormalization{}, {from}, width);
        break;
      case 1:
        call(BatchNormalization{}, {from}, width);
        break;
      case 2: {
        const int other = static_cast<int>(draw(widths.size()));
        call(Concatenate{}, {from, other}, width + widths[as_size(other)]);
        break;
      }
      default: {
        const Index units = 2 + static_cast<Index>(draw(4));
        call(dense(units, inner[draw(4)]), {from}, units);
      }
    }
  }
  std::vector<int> loose;
  Index total = 0;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (read[i] != 0) continue;
    loose.push_back(static_cast<int>(i));
    total += widths[i];
  }
  const int trunk = loose.size() > 1 ? call(Concatenate{}, loose, total) : loose[0];
  std::vector<Head> heads;
  const std::size_t outputs = 2 + draw(3);
  for (std::size_t i = 0; i < outputs; ++i) {
    const std::string name = "out" + std::to_string(i);
    const double weight = 0.25 * static_cast<double>(1 + draw(8));
    const Index units = 2 + static_cast<Index>(draw(3));
    switch (i == 0 ? 1 + draw(4) : draw(6)) {
      case 0:  // an inner value, which others read as well
        graph.outputs.push_back(3 + static_cast<int>(draw(widths.size() - 3)));
        heads.push_back({.loss = "mse", .weight = weight, .metrics = {"mae"}, .name = name});
        if (draw(2) == 0) heads.back() = {.name = name};
        break;
      case 1:
        graph.outputs.push_back(call(dense(units, "softmax"), {trunk}, units));
        heads.push_back({.loss = "categorical_crossentropy", .weight = weight, .name = name});
        break;
      case 2:
        graph.outputs.push_back(call(dense(units, "softmax"), {trunk}, units));
        heads.push_back(
            {.loss = "sparse_categorical_crossentropy", .weight = weight, .metrics = {"accuracy"}, .name = name});
        break;
      case 3:
        graph.outputs.push_back(call(dense(units, "sigmoid"), {trunk}, units));
        heads.push_back({.loss = "binary_crossentropy", .weight = weight, .metrics = {"auc"}, .name = name});
        break;
      case 4:
        graph.outputs.push_back(call(dense(units, "linear"), {trunk}, units));
        heads.push_back({.loss = "log_cosh", .weight = weight, .metrics = {"mse", "mae"}, .name = name});
        break;
      default:  // predicted, but not trained by itself
        graph.outputs.push_back(call(dense(units, "tanh"), {trunk}, units));
        heads.push_back({.name = name});
        if (draw(2) == 0) heads.back().metrics = {"mse"};
    }
  }
  return {Network(std::move(graph)), std::move(heads)};
}

}  // namespace laminar::tests
