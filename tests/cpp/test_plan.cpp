// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/plan.hpp"

#include "laminar/base/buffer.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<Network> networks() {
  const Dense dense{.units = 17, .activation = "tanh"};
  return {
      Network(3, {dense}),
      Network(3, {dense, dense, dense}),
      Network(65, {Dropout{.rate = 0.5}, dense, Activate{"relu"}, Dropout{.rate = 0.5}, dense, Activate{"softmax"}}),
      Network(9, {Activate{"relu"}, Dropout{.rate = 0.1}, Activate{"tanh"}}),
      Network(9, {Dropout{.rate = 0.1}, Dropout{.rate = 0.1}}),
      Network(2, {Dense{.units = 300}, Dropout{.rate = 0.1}, Dropout{.rate = 0.1}, dense}),
  };
}

}  // namespace

TEST_CASE("plan: while training no two arrays share memory, and all lie inside") {
  for (const Network& network : networks()) {
    for (const Index rows : kBatches) {
      const Plan plan(network, rows, Mode::training);
      std::vector<Index> begins;
      Index sum = 0;
      for (int i = 0; i < static_cast<int>(network.nodes().size()); ++i) {
        const NodeSpace& space = plan[i];
        CHECK(space.holder == i);
        CHECK(space.stride == padded_stride(network.nodes()[static_cast<std::size_t>(i)].width));
        for (const Index begin : {space.output, space.delta, space.kept}) {
          if (begin < 0) continue;
          CHECK(begin % kSlice == 0);
          CHECK(begin + rows * space.stride <= plan.size());
          begins.push_back(begin);
          sum += rows * space.stride;
        }
        CHECK(space.output >= 0);
      }
      std::sort(begins.begin(), begins.end());
      CHECK(std::adjacent_find(begins.begin(), begins.end()) == begins.end());
      CHECK(sum == plan.size());
      CHECK(plan.rows() == rows);
    }
  }
}

TEST_CASE("plan: gradients are kept from the first node with parameters on, and at the end") {
  const Plan plan(networks()[2], 4, Mode::training);
  CHECK(plan[0].delta < 0);
  CHECK(plan[1].delta < 0);  // dropout before the first dense layer
  for (int i = 2; i <= 6; ++i) CHECK(plan[i].delta >= 0);
  CHECK(plan[1].kept >= 0);
  CHECK(plan[4].kept >= 0);
  CHECK(Plan(networks()[3], 4, Mode::training)[3].delta >= 0);
}

TEST_CASE("plan: a dense layer applies the slope of the activation it reads, unless it works on rows") {
  const auto by_consumer = [](std::vector<Layer> layers, int node) {
    layers.emplace_back(Dense{.units = 3});
    return Plan(Network(5, std::move(layers)), 4, Mode::training)[node].slope_by_consumer;
  };
  for (const EntryInfo& entry : activation_family().entries) {
    const Activation f(entry.name);
    CAPTURE(std::string(entry.name));
    CHECK(by_consumer({Dense{.units = 4, .activation = f}}, 1) == (!f.is_linear() && !f.row_wise()));
    CHECK_FALSE(by_consumer({Dense{.units = 4, .activation = f}, Dropout{.rate = 0.5}}, 1));
    CHECK_FALSE(by_consumer({Dense{.units = 4, .activation = f}, Activate{"relu"}}, 1));
    if (!f.keeps_input()) CHECK(by_consumer({Dense{.units = 4}, Activate{f}}, 2) == (!f.is_linear() && !f.row_wise()));
  }
}

TEST_CASE("plan: at prediction a node never writes where it reads, and dropout is nothing") {
  for (const Network& network : networks()) {
    const Plan plan(network, 7, Mode::inference);
    for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
      const Node& node = network.nodes()[static_cast<std::size_t>(i)];
      const int input = plan[node.inputs[0]].holder;
      if (std::holds_alternative<Dropout>(node.layer)) {
        CHECK(plan[i].holder == input);
        continue;
      }
      CHECK(plan[i].holder == i);
      const Index in = plan[input].output;
      const Index out = plan[i].output;
      CHECK((out + 7 * plan[i].stride <= in || in + 7 * plan[input].stride <= out));
      CHECK(out >= 0);
      CHECK(out + 7 * plan[i].stride <= plan.size());
    }
  }
}

TEST_CASE("plan: rows are read where they lie where only dense layers read them") {
  const bool expected[] = {true, true, true, false, true, true};
  for (std::size_t i = 0; i < networks().size(); ++i) {
    CHECK(Plan(networks()[i], 7, Mode::inference).reads_input_in_place() == expected[i]);
  }
}

TEST_CASE("plan: a table that a Concatenate alone reads writes into its rows, and reads an input where it lies") {
  Graph graph;
  graph.inputs = {{"a", {1}}, {"b", {1}}, {"c", {1}}};
  for (const Index width : {3, 5, 2}) graph.layers.push_back(Embedding{.input_dim = 4, .output_dim = width});
  for (int i = 0; i < 3; ++i) graph.layers.push_back(Flatten{});
  graph.layers.insert(graph.layers.end(), {Concatenate{}, Dense{.units = 7}, Concatenate{}, Dense{.units = 1}});
  graph.calls = {{0, {0}}, {1, {1}}, {2, {2}}, {3, {3}}, {4, {4}}, {5, {5}}};
  graph.calls.insert(graph.calls.end(), {{6, {6, 7, 8}}, {7, {9}}, {8, {10, 8}}, {9, {11}}});
  graph.outputs = {12};
  const Network network(std::move(graph));
  const Plan plan(network, 5, Mode::training);
  std::vector<int> slices;
  std::vector<int> tables;
  std::vector<int> wholes;
  for (int i = 1; i < static_cast<int>(network.nodes().size()); ++i) {
    const Layer& layer = network.nodes()[static_cast<std::size_t>(i)].layer;
    if (std::holds_alternative<Slice>(layer)) slices.push_back(i);
    if (std::holds_alternative<Embedding>(layer)) tables.push_back(i);
    if (std::holds_alternative<Concatenate>(layer)) wholes.push_back(i);
  }
  REQUIRE(slices.size() == 3);
  REQUIRE(tables.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(plan[slices[i]].output == plan[0].output + static_cast<Index>(i));
    CHECK(plan[slices[i]].stride == plan[0].stride);
  }
  const NodeSpace& whole = plan[wholes[0]];
  for (const std::size_t i : {0U, 1U}) {
    CHECK(plan[tables[i]].output == whole.output + (i == 0 ? 0 : 3));
    CHECK(plan[tables[i]].delta == whole.delta + (i == 0 ? 0 : 3));
    CHECK(plan[tables[i]].stride == whole.stride);
  }
  CHECK(plan[tables[2]].stride == padded_stride(2));  // the second Concatenate reads it, too
  CHECK((plan[tables[2]].output < whole.output || plan[tables[2]].output >= whole.output + 5 * whole.stride));
}
