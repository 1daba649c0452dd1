// SPDX-License-Identifier: Apache-2.0
// Networks that are no stacks: values against formulas, shared and frozen layers, several outputs, and what is
// refused.
#include "graphs.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<double> outputs_of(const Network& network, const std::vector<double>& x) {
  const Model<double> model{network};
  return predictions(model, {view(x), network.features()});
}

}  // namespace

TEST_CASE("graph: merges are their formulas") {
  const std::vector<double> x{1, -2, 3, 4, 5, -6};
  CHECK(outputs_of(merged(Add{}), x) == std::vector<double>{5, 3, -3});
  CHECK(outputs_of(merged(Subtract{}), x) == std::vector<double>{-3, -7, 9});
  CHECK(outputs_of(merged(Multiply{}), x) == std::vector<double>{4, -10, -18});
  CHECK(outputs_of(merged(Average{}), x) == std::vector<double>{2.5, 1.5, -1.5});
  CHECK(outputs_of(merged(Maximum{}), x) == std::vector<double>{4, 5, 3});
  CHECK(outputs_of(merged(Minimum{}), x) == std::vector<double>{1, -2, -6});
  CHECK(outputs_of(merged(Concatenate{}), x) == x);
  CHECK(outputs_of(merged(Dot{}), x) == std::vector<double>{-24});
  CHECK(outputs_of(merged(Dot{.normalize = true}), x)[0] == doctest::Approx(-24 / std::sqrt(14.0 * 77.0)));
  const double nan = kNan<double>;
  for (const Layer& layer : {Layer(Maximum{}), Layer(Minimum{})}) {
    const std::vector<double> out = outputs_of(merged(layer), {nan, 0, 1, 0, nan, 1});
    CHECK(std::isnan(out[0]));
    CHECK(std::isnan(out[1]));
    CHECK(out[2] == 1);
  }
}

TEST_CASE("graph: a stack described as a graph trains to the stack's bits") {
  const std::vector<Layer> layers{Dense{.units = 40, .activation = "relu"}, Dropout{.rate = 0.2}, BatchNormalization{},
                                  Dense{.units = 3, .activation = "softmax"}};
  Graph graph;
  graph.inputs = {{"input", {20}}};
  graph.layers = layers;
  for (int i = 0; i < 4; ++i) graph.calls.push_back({static_cast<std::size_t>(i), {i}});
  graph.outputs = {4};
  const Task<float> task(100, 20, 3);
  std::vector<std::vector<float>> weights;
  for (const Network& network : {Network(20, layers), Network(graph)}) {
    CHECK(network.is_stack());
    Model<float> model(network, 5);
    model.compile("sparse_categorical_crossentropy", "adam");
    model.fit(task.dataset("sparse_categorical_crossentropy"), {.epochs = 2});
    weights.push_back(weights_of(model));
  }
  CHECK(bit_difference(weights[0], weights[1]) == "");
  CHECK(to_json(Network(graph)) == to_json(Network(20, layers)));
}

TEST_CASE("graph: a shared layer has one set of weights and the sum of its gradients") {
  Graph graph;
  graph.inputs = {{"left", {4}}, {"right", {4}}};
  graph.layers = {Dense{.units = 5, .activation = "tanh", .name = "tower"}, Prelu{}, LayerNormalization{},
                  Maxout{.units = 3, .pieces = 2}, Subtract{}};
  graph.calls = {{0, {0}}, {1, {2}}, {2, {3}}, {3, {4}}, {0, {1}}, {1, {6}}, {2, {7}}, {3, {8}}, {4, {5, 9}}};
  graph.outputs = {10};
  const Network network(graph);
  CHECK(network.parameters().tensors().size() == 7);
  CHECK_FALSE(network.is_stack());
  const Task<double> task(9, 8, 3);
  Model<double> model(network, 3);
  model.compile("mse", "sgd");
  CHECK(gradient_error(model, task.dataset("mse")) < 1e-6);
  // Equal inputs meet equal weights.
  std::vector<double> same(8);
  for (std::size_t i = 0; i < 8; ++i) same[i] = static_cast<double>(i % 4);
  CHECK(predictions(model, {view(same), 8}) == std::vector<double>{0, 0, 0});
  const Network again = network_from_json(to_json(network));
  CHECK(to_json(again) == to_json(network));
}

TEST_CASE_TEMPLATE("graph: frozen layers keep their bits, and others do not see that they are", T, float, double) {
  const std::vector<Layer> layers{Dense{.units = 30, .activation = "relu", .kernel_regularizer = Regularizer("l2")},
                                  BatchNormalization{}, Dense{.units = 20, .activation = "tanh"}, Dense{.units = 3}};
  const Task<T> task(100, 10, 3);
  for (const char* optimizer : {"sgd", "adam", "adamw", "lamb"}) {
    const Network network({10}, layers, {0, 1});
    Model<T> model(network, 5);
    const std::vector<T> before = weights_of(model);
    model.compile("mse", optimizer);
    model.fit(task.dataset("mse"), {.epochs = 3});
    const auto& tensors = model.network().parameters().tensors();
    for (const Tensor& tensor : tensors) {
      const bool frozen = tensor.name.starts_with("dense/") || tensor.name.starts_with("batch");
      const auto now = model.parameters().subspan(as_size(tensor.offset), as_size(tensor.size));
      const auto then = view(before).subspan(as_size(tensor.offset), as_size(tensor.size));
      INFO(tensor.name << " with " << optimizer);
      CHECK((bit_difference(now, then) == "") == frozen);
      CHECK(tensor.trainable == !frozen);
    }
    CHECK(to_json(network_from_json(to_json(network))) == to_json(network));
  }
  // A network without its frozen trunk, given what the trunk says, trains to the same weights.
  Model<T> whole(Network({10}, {Dense{.units = 30, .activation = "relu"}, Dense{.units = 3}}, {0}), 5);
  Model<T> trunk(Network(10, {Dense{.units = 30, .activation = "relu"}}), 5);
  Model<T> head(Network(30, {Dense{.units = 3}}), 5);
  std::vector<T> head_weights = weights_of(head);
  const auto kernel = whole.tensor(2);
  std::copy(kernel.begin(), kernel.end(), head_weights.begin());
  head.set_parameters(head_weights);
  Task<T> inner(100, 30, 3);
  inner.x = predictions(trunk, task.inputs());
  inner.y = task.y;
  for (Model<T>* model : {&whole, &head}) model->compile("mse", "sgd");
  whole.fit(task.dataset("mse"), {.epochs = 2});
  head.fit(inner.dataset("mse"), {.epochs = 2});
  CHECK(bit_difference(whole.tensor(2), head.tensor(0)) == "");
}

TEST_CASE("graph: several outputs stand side by side, an inner one can be among them") {
  Graph graph;
  graph.inputs = {{"x", {4}}};
  graph.layers = {Dense{.units = 3, .activation = "tanh", .name = "h"}, Dense{.units = 2, .name = "y"}};
  graph.calls = {{0, {0}}, {1, {1}}};
  graph.outputs = {2, 1};
  const Network network(graph);
  CHECK(network.outputs() == 5);
  CHECK(network.output_ports().size() == 2);
  CHECK(network.output_ports()[1].begin == 2);
  const Task<double> task(9, 4, 5);
  Model<double> model(network, 3);
  model.compile("mse", "sgd");
  CHECK(gradient_error(model, task.dataset("mse")) < 1e-6);
  const auto out = predictions(model, task.inputs());
  Model<double> inner(Network(4, {Dense{.units = 3, .activation = "tanh", .name = "h"}}), 3);
  const auto h = predictions(inner, task.inputs());
  for (std::size_t row = 0; row < 9; ++row) {
    for (std::size_t j = 0; j < 3; ++j) CHECK(out[row * 5 + 2 + j] == h[row * 3 + j]);
  }
  CHECK(to_json(network_from_json(to_json(network))) == to_json(network));
}

TEST_CASE("graph: an input whose values are not finite is named") {
  Model<double> model(merged(Add{}, true), 1);
  model.compile("mse", "sgd");
  Task<double> task(9, 6, 3);
  task.x[as_size(2 * 6 + 4)] = kNan<double>;
  CHECK(without(message_of([&] { model.fit(task.dataset("mse"), {}); }),
                {"x of input 'b' must be finite", "row 2, column 1"}) == "");
}

TEST_CASE("graph: what does not fit is refused by name") {
  const auto refused = [](const std::function<void(Graph&)>& change, std::initializer_list<std::string_view> words) {
    Graph graph;
    graph.inputs = {{"a", {3}}, {"b", {3}}};
    graph.layers = {Dense{.units = 2, .name = "d"}, Add{.name = "sum"}};
    graph.calls = {{0, {0}}, {0, {1}}, {1, {2, 3}}};
    graph.outputs = {4};
    change(graph);
    const std::string message = message_of([&] { Network{std::move(graph)}; });
    INFO(message);
    CHECK(without(message, words) == "");
  };
  refused([](Graph& g) { g.calls[2].inputs = {2, 2}; }, {"leads to no output"});
  refused([](Graph& g) { g.calls[1].inputs = {0}; }, {"input 'b'", "leads to no output"});
  refused([](Graph& g) { g.calls[1].inputs = {3}; }, {"'d'", "reads value 3"});
  refused([](Graph& g) { g.calls[2].inputs = {2, 0}; }, {"'sum'", "(2,)", "(3,)", "'a'", "'d'"});
  refused([](Graph& g) { g.inputs[1].shape = {4}; }, {"'d'", "shared", "(3, 2)", "(4,)"});
  refused([](Graph& g) { g.inputs[1].name = "a"; }, {"inputs", "'a'"});
  refused([](Graph& g) { g.layers[1] = Add{.name = "d"}; }, {"layers", "'d'"});
  refused([](Graph& g) { g.outputs = {}; }, {"outputs"});
  refused([](Graph& g) { g.outputs = {9}; }, {"outputs", "9"});
  refused([](Graph& g) { g.calls[0].inputs = {}; }, {"'d'", "nothing"});
  refused([](Graph& g) { g.calls[0].inputs = {0, 1}; }, {"'d'", "one value", "2"});
  refused([](Graph& g) { g.layers.push_back(Dense{.units = 1, .name = "idle"}); }, {"'idle'", "not called"});
  refused([](Graph& g) { g.layers[0] = BatchNormalization{.name = "d"}; }, {"'d'", "another"});
  refused(
      [](Graph& g) {
        g.layers[1] = Subtract{.name = "sum"};
        g.calls[2].inputs = {2, 3, 2};
      },
      {"'sum'", "two", "3"});
  refused(
      [](Graph& g) {
        g.layers[1] = Dot{.name = "sum"};
        g.calls[2].inputs = {2, 0};
      },
      {"'sum'", "(2,)", "(3,)"});
}
