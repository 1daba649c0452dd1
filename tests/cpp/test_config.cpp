// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/config.hpp"

#include "graphs.hpp"
#include "own_parts.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::string network_refusal(const std::string& text) {
  return message_of([&] { network_from_json(text); });
}

std::string layer_refusal(const std::string& layer) {
  return network_refusal(R"({"input_shape": [3], "layers": [)" + layer + "]}");
}

/// A network of every kind of layer, with every activation and initializer and all their values.
Network rich_network() {
  std::vector<Layer> layers;
  for (const auto& activation : variants<Activation>(activation_family())) {
    layers.emplace_back(Dense{.units = 3, .activation = activation, .use_bias = layers.size() % 2 == 0});
    layers.emplace_back(Activate{activation});
    layers.emplace_back(Dropout{.rate = 0.1 * static_cast<double>(layers.size() % 7)});
  }
  for (const auto& initializer : variants<Initializer>(initializer_family())) {
    Dense dense{.units = 2, .kernel_initializer = initializer};
    dense.name = "layer " + std::to_string(layers.size()) + " \"\xc3\xa9\"";
    layers.emplace_back(dense);
  }
  layers.emplace_back(Dropout{.rate = 0.1, .seed = 3});
  layers.emplace_back(AlphaDropout{.rate = 0.1, .seed = 3});
  layers.emplace_back(GaussianNoise{.stddev = 0.1});
  layers.emplace_back(GaussianDropout{.rate = 0.1});
  layers.emplace_back(Prelu{.alpha_initializer = "ones"});
  layers.emplace_back(BatchNormalization{.momentum = 0.5});
  layers.emplace_back(LayerNormalization{.epsilon = 0.1, .center = false});
  layers.emplace_back(RmsNormalization{.epsilon = 0.1});
  layers.emplace_back(Maxout{.units = 6, .pieces = 3, .use_bias = false});
  layers.emplace_back(Reshape{{2, -1}});
  layers.emplace_back(Flatten{});
  return {Shape{3}, layers};
}

Network preparing_network() {
  return {Shape{3},
          {Normalization{.invert = true}, Rescaling{.scale = 0.1, .offset = 0.3}, Discretization{{0.1, 0.7}},
           CategoryEncoding{.num_tokens = 3, .output_mode = "count"},
           Embedding{.input_dim = 4, .output_dim = 3, .embeddings_regularizer = Regularizer("l2")}}};
}

}  // namespace

TEST_CASE("config: a network comes back as it went, to the last digit") {
  const Network network = rich_network();
  const std::string text = to_json(network);
  const Network back = network_from_json(text);
  CHECK(to_json(back) == text);
  REQUIRE(back.nodes().size() == network.nodes().size());
  for (std::size_t i = 1; i < back.nodes().size(); ++i) {
    CHECK(back.nodes()[i].name == network.nodes()[i].name);
    CHECK(std::string(kind_of(back.nodes()[i].layer)) == kind_of(network.nodes()[i].layer));
    if (const Activation* activation = activation_of(network.nodes()[i].layer)) {
      CHECK(to_json(*activation_of(back.nodes()[i].layer)) == to_json(*activation));
    }
    if (const auto* dropout = std::get_if<Dropout>(&network.nodes()[i].layer)) {
      CHECK(std::get<Dropout>(back.nodes()[i].layer).rate == dropout->rate);
    }
    if (const auto* dense = std::get_if<Dense>(&network.nodes()[i].layer)) {
      const auto& again = std::get<Dense>(back.nodes()[i].layer);
      CHECK(again.use_bias == dense->use_bias);
      CHECK(to_json(again.kernel_initializer) == to_json(dense->kernel_initializer));
    }
  }
}

TEST_CASE("config: every kind of layer comes back as it went") {
  std::vector<std::string> kinds = layer_kinds();
  std::vector<Network> networks{rich_network(), preparing_network(), own_network(), Network(3, {own_centred(3)})};
  for (const Layer& layer : merging_layers()) networks.push_back(merged(layer));
  for (const Network& network : networks) {
    const std::string text = to_json(network);
    CHECK(to_json(network_from_json(text)) == text);
    for (std::size_t i = 1; i < network.nodes().size(); ++i) std::erase(kinds, kind_of(network.nodes()[i].layer));
  }
  CHECK(kinds.empty());
  const auto back = network_from_json(to_json(preparing_network()));
  CHECK(std::get<Discretization>(back.nodes()[3].layer).bin_boundaries == std::vector<double>{0.1, 0.7});
  CHECK(std::get<CategoryEncoding>(back.nodes()[4].layer).output_mode == "count");
}

TEST_CASE("config: losses, optimizers and metrics come back as they went") {
  for (const Loss& loss : variants<Loss>(loss_family())) {
    const Loss back = loss_from_json(to_json(loss));
    CHECK(back.index() == loss.index());
    CHECK(bit_difference(std::span<const double>(back.values()), std::span<const double>(loss.values())) == "");
  }
  for (const Optimizer& optimizer : variants<Optimizer>(optimizer_family())) {
    const Optimizer back = optimizer_from_json(to_json(optimizer));
    CHECK(back.index() == optimizer.index());
    CHECK(back.values() == optimizer.values());
  }
  for (const Metric& metric : variants<Metric>(metric_family())) {
    const std::string text = to_json(metric);
    const auto back = metrics_from_json(std::string("[").append(text).append(",").append(text).append("]"));
    REQUIRE(back.size() == 2);
    CHECK(back[1].index() == metric.index());
    CHECK(to_json(back[1]) == text);
  }
  CHECK(metrics_from_json("[]").empty());
  Metric named("recall", {{"top_k", 2}});
  CHECK(metric_from_json(to_json(named)).key == "recall");
  named.key = "at 2";
  named.weighted = true;
  const Metric back = metric_from_json(to_json(named));
  CHECK(back.key == "at 2");
  CHECK(back.weighted);
  CHECK(back.value("top_k") == 2);
  CHECK_FALSE(back.has("class_id"));
}

TEST_CASE("config: what is left out, or null, has its default") {
  const Network network =
      network_from_json(R"({"input_shape": [3], "layers": [{"kind": "dense", "units": 2, "name": null}]})");
  const auto& dense = std::get<Dense>(network.nodes()[1].layer);
  CHECK(dense.use_bias);
  CHECK(dense.activation.is_linear());
  CHECK(std::string(dense.kernel_initializer.name()) == "glorot_uniform");
  CHECK(network.nodes()[1].name == "dense");
  CHECK(loss_from_json(R"({"name": "huber"})").value("delta") == 1);
  CHECK(loss_from_json(R"({"name": "huber", "delta": 2})").value("delta") == 2);
  CHECK(loss_from_json(R"({"name": "binary_crossentropy", "from_logits": true})").from_logits());
}

TEST_CASE("config: what does not belong is refused, naming the nearest that does") {
  CHECK(without(layer_refusal(R"({"kind": "dense", "unites": 2})"), {"layer 0", "'unites'", "did you mean 'units'?"}) ==
        "");
  CHECK(without(layer_refusal(R"({"kind": "dens", "units": 2})"),
                {"layer 0", "layer kind 'dens'", "did you mean 'dense'?"}) == "");
  CHECK(without(layer_refusal(R"({"units": 2})"), {"layer 0", "'kind' is missing"}) == "");
  CHECK(without(layer_refusal(R"({"kind": "dense", "units": 2, "activation": {"name": "rleu"}})"),
                {"did you mean 'relu'?"}) == "");
  CHECK(without(layer_refusal(R"({"kind": "dense", "units": 2, "activation": {"name": "elu", "alpa": 1}})"),
                {"layer 0: activation", "'alpa'", "did you mean 'alpha'?"}) == "");
  CHECK(without(network_refusal(R"({"input_shape": [3], "layer": []})"), {"network: 'layers' is missing"}) == "");
  CHECK(without(network_refusal(R"({"input_shape": [3], "layers": [{"kind": "dropout"}], "x": 1})"),
                {"network", "'x'"}) == "");
  CHECK(without(message_of([] { optimizer_from_json(R"({"name": "adam", "learning_rat": 1})"); }),
                {"optimizer", "'learning_rat'", "did you mean 'learning_rate'?"}) == "");
}

TEST_CASE("config: values of the wrong type or range are refused") {
  for (const char* units : {"2.5", "\"2\"", "true", "[2]", "{}", "1e3", "18446744073709551615", "-1", "0"}) {
    CAPTURE(std::string(units));
    CHECK(without(layer_refusal(std::string(R"({"kind": "dense", "units": )") + units + "}"), {"units"}) == "");
  }
  CHECK(without(layer_refusal(R"({"kind": "dense", "units": 2, "use_bias": 1})"),
                {"'use_bias' must be true or false", "got 1"}) == "");
  CHECK(without(layer_refusal(R"({"kind": "dense", "units": 2, "activation": "relu"})"),
                {"activation", "expected an object"}) == "");
  CHECK(without(layer_refusal(R"({"kind": "dropout", "rate": "0.1"})"), {"'rate' must be a number"}) == "");
  CHECK(without(layer_refusal(R"({"kind": "dropout", "rate": 1})"), {"[0, 1)", "got 1"}) == "");
  CHECK(without(layer_refusal(R"({"kind": 3})"), {"'kind' must be a string", "got 3"}) == "");
  CHECK(without(layer_refusal("[]"), {"layer 0: expected an object, got array"}) == "");
  CHECK(without(network_refusal(R"({"input_shape": 3, "layers": []})"), {"'input_shape' must be a list of integers"}) ==
        "");
  CHECK(without(network_refusal(R"({"input_shape": [3.5], "layers": []})"), {"'input_shape'", "integer"}) == "");
  CHECK(without(network_refusal(R"({"input_shape": [3], "layers": {}})"), {"'layers' must be a list, got object"}) ==
        "");
  CHECK(without(message_of([] { loss_from_json(R"({"name": "huber", "delta": -1})"); }),
                {"huber", "delta", "got -1"}) == "");
  CHECK(without(message_of([] { loss_from_json(R"({"name": "huber", "delta": 1e400})"); }), {"configuration"}) == "");
  CHECK(without(message_of([] { loss_from_json(R"({"name": "binary_crossentropy", "from_logits": 1})"); }),
                {"'from_logits' must be true or false"}) == "");
  CHECK(without(message_of([] { metrics_from_json("{}"); }), {"metrics: expected a list, got object"}) == "");
}

TEST_CASE("config: text that is not JSON, or too deep, is refused") {
  for (const char* text : {"", " ", "{", "nul", "{\"a\" 1}", "[1,]", "\xff", "{} {}"}) {
    CHECK(without(network_refusal(text), {"configuration: not JSON"}) == "");
  }
  const std::string deep(100'000, '[');
  CHECK(without(network_refusal(deep), {"nested deeper than 64"}) == "");
  std::string objects;
  for (int i = 0; i < 1000; ++i) objects += "{\"a\":";
  CHECK(without(network_refusal(objects), {"nested deeper than 64"}) == "");
}

TEST_CASE("config: damaged text is read or refused, never anything else") {
  const std::string text =
      R"({"input_shape":[3],"layers":[{"kind":"dense","units":2,"activation":{"name":"elu","alpha":0.5}},{"kind":"dropout","rate":0.25}]})";
  REQUIRE(network_refusal(text) == "nothing thrown");
  for (std::size_t cut = 0; cut < text.size(); ++cut) CHECK(network_refusal(text.substr(0, cut)) != "nothing thrown");
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const char c : {'\0', '"', '{', ']', '9', '-', '\xff'}) {
      std::string damaged = text;
      damaged[at] = c;
      CHECK_NOTHROW(network_refusal(damaged));  // which lets std::invalid_argument pass and nothing else
    }
  }
}
