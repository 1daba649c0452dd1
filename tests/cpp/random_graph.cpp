// SPDX-License-Identifier: Apache-2.0
#include "random_graph.hpp"

#include <random>

#include "graphs.hpp"

namespace laminar::tests {

Network random_graph(std::uint64_t seed, int most) {
  std::mt19937_64 bits(seed);
  const auto draw = [&](std::size_t n) { return static_cast<std::size_t>(bits() % n); };
  Graph graph;
  std::vector<Index> widths;
  const std::size_t inputs = 1 + draw(3);
  for (std::size_t i = 0; i < inputs; ++i) {
    widths.push_back(2 + static_cast<Index>(draw(4)));
    graph.inputs.push_back({"x" + std::to_string(i), {widths.back()}});
  }
  const bool with_ids = draw(2) == 0;  // and one of whole numbers, which an embedding reads
  std::vector<char> read(inputs, 0);
  std::vector<std::pair<std::size_t, Index>> shared;  // dense layers and the width that they take
  const auto call = [&](std::size_t layer, std::vector<int> from, Index width) {
    for (const int i : from) read[static_cast<std::size_t>(i)] = 1;
    graph.calls.push_back({layer, std::move(from)});
    widths.push_back(width);
    read.push_back(0);
  };
  const auto add_layer = [&](Layer layer) {
    graph.layers.push_back(std::move(layer));
    return graph.layers.size() - 1;
  };
  if (with_ids) {
    graph.inputs.push_back({"ids", {1 + static_cast<Index>(draw(3))}});
    widths.push_back(0);
    read.push_back(0);
    const auto ids = static_cast<int>(widths.size()) - 1;
    const Index width = 2 + static_cast<Index>(draw(3));
    const Index places = graph.inputs.back().shape[0];
    const std::size_t table = add_layer(Embedding{.input_dim = kTokens, .output_dim = width});
    const std::size_t flat = add_layer(Flatten{});
    for (std::size_t times = 1 + draw(2); times > 0; --times) {
      call(table, {ids}, 0);
      call(flat, {static_cast<int>(widths.size()) - 1}, places * width);
    }
  }
  const auto any = [&] {  // a value that is neither numbers of rows nor an embedding before it is flat
    while (true) {
      if (const std::size_t value = draw(widths.size()); widths[value] > 0) return static_cast<int>(value);
    }
  };
  const char* const activations[] = {"tanh", "sigmoid", "softplus", "linear", "softmax", "gelu"};
  const int calls = 2 + static_cast<int>(draw(static_cast<std::size_t>(most - 1)));
  for (int c = 0; c < calls; ++c) {
    const int from = any();
    const Index width = widths[static_cast<std::size_t>(from)];
    switch (draw(6)) {
      case 0: {  // a merge with a value of the same width, perhaps itself
        std::vector<int> same;
        for (std::size_t i = 0; i < widths.size(); ++i) {
          if (widths[i] == width) same.push_back(static_cast<int>(i));
        }
        const int other = same[draw(same.size())];
        const std::vector<Layer> merges = merging_layers();
        Layer merge = merges[draw(merges.size())];
        const Index out = std::holds_alternative<Dot>(merge)           ? 1
                          : std::holds_alternative<Concatenate>(merge) ? 2 * width
                                                                       : width;
        call(add_layer(std::move(merge)), {from, other}, out);
        break;
      }
      case 1: {
        std::vector<int> all{from, any()};
        const Index out = width + widths[static_cast<std::size_t>(all[1])];
        call(add_layer(Concatenate{}), all, out);
        break;
      }
      case 2: {
        const auto known = std::find_if(shared.begin(), shared.end(), [&](const auto& s) { return s.second == width; });
        if (known != shared.end()) {
          call(known->first, {from}, std::get<Dense>(graph.layers[known->first]).units);
          break;
        }
        [[fallthrough]];
      }
      case 3:
        if (width > 1 && draw(3) == 0) {
          call(add_layer(LayerNormalization{}), {from}, width);
          break;
        }
        if (draw(3) == 0) {
          call(add_layer(Dropout{.rate = 0.4}), {from}, width);
          break;
        }
        [[fallthrough]];
      default: {
        const Index units = 2 + static_cast<Index>(draw(5));
        call(add_layer(Dense{.units = units,
                             .activation = activations[draw(std::size(activations))],
                             .bias_initializer = "random_normal"}),
             {from}, units);
        shared.emplace_back(graph.layers.size() - 1, width);
      }
    }
  }
  std::vector<int> loose;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (read[i] == 0) loose.push_back(static_cast<int>(i));
  }
  Index total = 0;
  for (const int i : loose) total += widths[static_cast<std::size_t>(i)];
  if (loose.size() > 1) {
    call(add_layer(Concatenate{}), loose, total);
    loose = {static_cast<int>(widths.size()) - 1};
  }
  call(add_layer(Dense{.units = 2, .activation = "tanh"}), {loose[0]}, 2);
  graph.outputs = {static_cast<int>(widths.size()) - 1};
  return Network(std::move(graph));
}

bool holds_ids(const Network& network, Index column) {
  return std::any_of(network.input_ports().begin(), network.input_ports().end(), [&](const Port& port) {
    return port.name == "ids" && column >= port.begin && column < port.begin + port.width;
  });
}

}  // namespace laminar::tests
