// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/network.hpp"

#include <set>

#include "laminar/base/error.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<std::string> names_of(const Network& network) {
  std::vector<std::string> names;
  for (const Node& node : network.nodes()) names.push_back(node.name);
  return names;
}

std::string refusal(const Shape& input_shape, const std::vector<Layer>& layers) {
  return message_of([&] { Network(input_shape, layers); });
}

}  // namespace

TEST_CASE("network: nodes in order, with shapes, inputs and tensors") {
  const Network network(30, {Dense{.units = 64, .activation = "relu"}, Dropout{.rate = 0.2},
                             Dense{.units = 10, .use_bias = false}, Activate{"softmax"}});
  REQUIRE(network.nodes().size() == 5);
  CHECK(network.features() == 30);
  CHECK(network.outputs() == 10);
  CHECK(network.input_shape() == Shape{30});
  for (std::size_t i = 1; i < 5; ++i) CHECK(network.nodes()[i].inputs == std::vector<int>{static_cast<int>(i) - 1});
  CHECK(network.nodes()[2].shape == Shape{64});
  CHECK(network.nodes()[1].tensors == std::vector<std::size_t>{0, 1});
  CHECK(network.nodes()[2].tensors.empty());
  CHECK(network.nodes()[3].tensors == std::vector<std::size_t>{2});
  CHECK(network.parameters()[0].name == "dense/kernel");
  CHECK(network.parameters()[0].shape == Shape{30, 64});
  CHECK(network.parameters()[1].name == "dense/bias");
  CHECK(network.parameters()[2].name == "dense_1/kernel");
  CHECK(network.parameters().count() == 30 * 64 + 64 + 640);
  CHECK(network.work() >= 2.0 * 30 * 64);
}

TEST_CASE("network: layers without a name are counted by kind, as in Keras") {
  const Dense dense{.units = 2};
  CHECK(names_of(Network(3, {dense, dense, Dropout{}, dense, Dropout{}, Activate{}})) ==
        std::vector<std::string>{"input", "dense", "dense_1", "dropout", "dense_2", "dropout_1", "activation"});
  Dense named = dense;
  named.name = "dense_1";
  CHECK(names_of(Network(3, {named, dense, dense})) ==
        std::vector<std::string>{"input", "dense_1", "dense", "dense_2"});
}

TEST_CASE("network: layers that keep the shape take any") {
  const Network network(Shape{4, 5}, {Dropout{.rate = 0.5}, Activate{"relu"}});
  CHECK(network.features() == 20);
  CHECK(network.outputs() == 20);
  CHECK(network.nodes().back().shape == Shape{4, 5});
  CHECK(network.parameters().count() == 0);
}

TEST_CASE("network: bad layers are refused by name") {
  CHECK(without(refusal({3}, {}), {"layers", "at least one layer", "none"}) == "");
  CHECK(without(refusal({}, {Dense{.units = 1}}), {"input_shape", "at least one axis", "()"}) == "");
  CHECK(without(refusal({0}, {Dense{.units = 1}}), {"input_shape", "must be positive", "(0,)"}) == "");
  CHECK(without(refusal({3, -1}, {Activate{}}), {"input_shape", "(3, -1)"}) == "");
  CHECK(without(refusal({Index{1} << 30, Index{1} << 30}, {Activate{}}), {"input_shape", "too large"}) == "");
  CHECK(without(refusal({2, 3}, {Dense{.units = 1}}), {"layer 'dense'", "(features,)", "(2, 3)"}) == "");
  for (const Index units : {0, -5}) {
    CHECK(without(refusal({3}, {Dense{.units = 2}, Dense{.units = units}}),
                  {"layer 'dense_1'", "units must be positive", "got " + std::to_string(units)}) == "");
  }
  CHECK(without(refusal({Index{1} << 30}, {Dense{.units = Index{1} << 40}}), {"dense/kernel", "too large"}) == "");
  for (const double rate : {-0.1, 1.0, 1.5, kNan<double>}) {
    CHECK(without(refusal({3}, {Dropout{.rate = rate}}), {"layer 'dropout'", "[0, 1)", "got "}) == "");
  }
  Dense twin{.units = 2};
  twin.name = "same";
  CHECK(without(refusal({3}, {twin, twin}), {"two layers are named 'same'"}) == "");
}

TEST_CASE("network: what cannot be trained by gradient says so") {
  for (const EntryInfo& entry : activation_family().entries) {
    const bool trainable = Activation(entry.name).has_gradient();
    for (const Layer& layer : {Layer(Dense{.units = 2, .activation = entry.name}), Layer(Activate{entry.name})}) {
      const Network network(3, {Dense{.units = 2}, layer});
      const auto message = message_of([&] { network.require_gradient(); });
      if (trainable) CHECK(message == "nothing thrown");
      if (!trainable) {
        CHECK(without(message, {"layer '" + network.nodes().back().name + "'", entry.name, "trained by gradient"}) ==
              "");
      }
    }
  }
}

TEST_CASE("network: layers that act in training alone can be replaced") {
  Network network(4, {Dense{.units = 3}, Dropout{.rate = 0.5, .name = "drop"}, GaussianNoise{.stddev = 1}});
  network.replace(2, Dropout{.rate = 0.25, .seed = 7, .name = "other"});
  network.replace(3, GaussianNoise{.stddev = 0});
  const auto& dropout = std::get<Dropout>(network.nodes()[2].layer);
  CHECK(dropout.rate == 0.25);
  CHECK(dropout.seed == 7);
  CHECK(dropout.name == "drop");
  CHECK(std::get<GaussianNoise>(network.nodes()[3].layer).stddev == 0);
  const auto replaced = [&](std::size_t node, const Layer& layer) {
    return message_of([&] { network.replace(node, layer); });
  };
  CHECK(without(replaced(1, Dense{.units = 3}), {"layer 'dense'", "of kind 'dense'", "acts in training alone"}) == "");
  CHECK(without(replaced(2, AlphaDropout{.rate = 0.5}), {"'drop'", "'dropout'", "'alpha_dropout'"}) == "");
  CHECK(without(replaced(2, Dropout{.rate = 1}), {"'drop'", "rate"}) == "");
  CHECK(without(replaced(0, Dropout{}), {"node must be from 1 to 3, got 0"}) == "");
  CHECK(without(replaced(4, Dropout{}), {"node must be from 1 to 3, got 4"}) == "");
  CHECK(dropout.rate == 0.25);
}

TEST_CASE("network: kinds of layers") {
  const auto kinds = layer_kinds();
  CHECK(kinds.size() == std::variant_size_v<Layer>);
  CHECK(std::set<std::string>(kinds.begin(), kinds.end()).size() == kinds.size());
  CHECK(kinds.front() == "dense");
  CHECK(std::string(kind_of(Dropout{})) == "dropout");
  CHECK(activation_of(Dropout{}) == nullptr);
  const Layer layer = Activate{"tanh"};
  CHECK(std::string(activation_of(layer)->name()) == "tanh");
}
