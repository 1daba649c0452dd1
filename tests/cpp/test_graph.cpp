// SPDX-License-Identifier: Apache-2.0
// Networks that are no stacks: values against formulas, gradients against central differences, shared and
// frozen layers, the same bits for any number of threads, and what is refused.
#include <random>
#include <thread>

#include "allocations.hpp"
#include "graphs.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<double> outputs_of(const Network& network, const std::vector<double>& x) {
  const Model<double> model{network};
  return predictions(model, {view(x), network.features()});
}

constexpr Index kTokens = 5;

/// A graph of up to `most` calls drawn from a seed: dense layers, shared or not, merges, dropout, normalization.
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

/// Whether a column of the graph's rows holds whole numbers that an embedding reads.
bool holds_ids(const Network& network, Index column) {
  return std::any_of(network.input_ports().begin(), network.input_ports().end(), [&](const Port& port) {
    return port.name == "ids" && column >= port.begin && column < port.begin + port.width;
  });
}

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

TEST_CASE("graph: gradients of every merge are central differences") {
  const Task<double> task(9, 6, 3);
  for (const Layer& layer : merging_layers()) {
    const Network network = merged(layer, true);
    const Task<double> own(9, 6, network.outputs());
    Model<double> model(network, 3);
    model.compile("mse", "sgd");
    INFO(kind_of(layer));
    CHECK(gradient_error(model, own.dataset("mse")) < 1e-6);
  }
}

TEST_CASE("graph: gradients of 200 random graphs are central differences") {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Network network = random_graph(seed, 11);
    const Task<double> task = random_task<double>(network, 5, seed);
    Model<double> model(network, seed);
    model.compile("mse", "sgd");
    INFO("seed " << seed << ": " << to_json(network));
    CHECK(gradient_error(model, task.dataset("mse")) < 1e-6);
  }
}

TEST_CASE_TEMPLATE("graph: the same bits for any number of threads, and in parts", T, float, double) {
  for (std::uint64_t seed = 300; seed < 312; ++seed) {
    std::vector<T> first;
    const Network network = random_graph(seed, 14);
    const Task<T> task = random_task<T>(network, 150, seed);
    for (const int count : {1, 2, 3, 4, 8}) {
      const Threads threads(count);
      Model<T> model(network, seed);
      model.compile("mse", "adam", {"mae"});
      model.fit(task.dataset("mse"), {.batch_size = 64, .epochs = 2});
      std::vector<T> got = weights_of(model);
      const std::vector<T> out = predictions(model, task.inputs());
      got.insert(got.end(), out.begin(), out.end());
      if (first.empty()) first = got;
      INFO("seed " << seed << ", threads " << count);
      CHECK(bit_difference(got, first) == "");
    }
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

namespace {

/// sum d_out * outputs.
double weighted_sum(const Model<double>& model, const std::vector<double>& x, const std::vector<double>& d_out) {
  const std::vector<double> out = predictions(model, {view(x), model.network().features()});
  double sum = 0;
  for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * d_out[i];
  return sum;
}

/// The largest difference between model.backward and central differences, over the largest of them.
double backward_error(Model<double>& model, const std::vector<double>& x, const std::vector<double>& d_out) {
  const Index features = model.network().features();
  const Index outputs = model.network().outputs();
  std::vector<double> d_parameters(model.parameters().size());
  std::vector<double> d_x(x.size());
  model.backward({view(x), features}, {view(d_out), outputs}, d_parameters, {std::span<double>(d_x), features});
  double largest = 1e-3;
  double worst = 0;
  const auto compare = [&](double low, double high, double got) {
    const double expected = (high - low) / 2e-5;
    largest = std::max(largest, std::abs(expected));
    worst = std::max(worst, std::abs(expected - got));
  };
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (holds_ids(model.network(), static_cast<Index>(i) % features)) {
      CHECK(d_x[i] == 0);
      continue;
    }
    std::vector<double> low = x;
    std::vector<double> high = x;
    low[i] -= 1e-5;
    high[i] += 1e-5;
    compare(weighted_sum(model, low, d_out), weighted_sum(model, high, d_out), d_x[i]);
  }
  const std::vector<double> before = weights_of(model);
  for (const Tensor& tensor : model.network().parameters().tensors()) {
    if (!tensor.trainable) continue;
    for (Index i = 0; i < tensor.size; i += 1 + tensor.size / 5) {
      double sums[2];
      for (const int side : {0, 1}) {
        std::vector<double> moved = before;
        moved[as_size(tensor.offset + i)] += side == 0 ? -1e-5 : 1e-5;
        model.set_parameters(moved);
        sums[side] = weighted_sum(model, x, d_out);
      }
      compare(sums[0], sums[1], d_parameters[as_size(tensor.offset + i)]);
    }
  }
  model.set_parameters(before);
  return worst / largest;
}

}  // namespace

TEST_CASE("graph: the way back from any gradient, by weights and inputs, of 100 random graphs") {
  for (std::uint64_t seed = 500; seed < 600; ++seed) {
    const Network network = random_graph(seed, 11);
    Model<double> model(network, seed);
    const std::vector<double> x = random_task<double>(network, 5, seed).x;
    const auto d_out = draws<double>(5 * network.outputs(), -1, 1, seed + 1);
    INFO("seed " << seed << ": " << to_json(network));
    CHECK(backward_error(model, x, d_out) < 1e-6);
  }
}

TEST_CASE("graph: the way back through what prepares data and what follows batches") {
  const Network network({6},
                        {Rescaling{.scale = 0.5, .offset = 1}, Normalization{}, Dense{.units = 9, .activation = "tanh"},
                         BatchNormalization{}, Dropout{.rate = 0.5}, Prelu{}, Dense{.units = 2}});
  Model<double> model(network, 3);
  std::vector<double> weights = weights_of(model);
  for (const Tensor& tensor : network.parameters().tensors()) {
    const bool positive = tensor.name.ends_with("variance");
    const auto values = draws<double>(tensor.size, positive ? 0.5 : -0.5, 1.5, 7);
    std::copy(values.begin(), values.end(), weights.begin() + static_cast<std::ptrdiff_t>(tensor.offset));
  }
  model.set_parameters(weights);
  const auto x = draws<double>(70 * 6, -1, 1);  // more than one block
  const auto d_out = draws<double>(70 * 2, -1, 1, 2);
  CHECK(backward_error(model, x, d_out) < 1e-6);
  std::vector<double> got(weights.size());
  const Task<double> task(70, 6, 2);
  const std::vector<double> slope(140);
  CHECK(without(message_of([&] { model.backward(task.inputs(), {view(slope), 1}, got); }),
                {"backward", "d_out", "(70, 2)", "(140, 1)"}) == "");
  CHECK(without(message_of([&] { model.backward(task.inputs(), {view(slope), 2}, std::span(got).first(3)); }),
                {"backward", "d_parameters", "3"}) == "");
}

TEST_CASE("graph: in training the way back is that of the loss") {
  const Task<double> task(70, 6, 1);
  Model<double> model(Network({6}, {Dense{.units = 9, .activation = "tanh"}, BatchNormalization{}, Dropout{.rate = 0.5},
                                    Dense{.units = 1}}),
                      3);
  model.compile("hinge", "sgd");  // targets of 0 and 1 count as -1 and 1, outputs are small: the slope is -y
  Task<double> signs = task;
  for (double& y : signs.y) y = y < 0.5 ? -1 : 1;
  std::vector<double> d_out(70);
  for (std::size_t i = 0; i < 70; ++i) d_out[i] = -signs.y[i] / 70;
  std::vector<double> weights = weights_of(model);
  for (const Tensor& tensor : model.network().parameters().tensors()) {
    if (tensor.name != "dense_1/kernel") continue;
    for (Index i = 0; i < tensor.size; ++i) weights[as_size(tensor.offset + i)] *= 0.01;
  }
  model.set_parameters(weights);
  std::vector<double> expected(weights.size());
  model.loss_and_gradients(signs.dataset("hinge"), expected);
  std::vector<double> got(weights.size());
  model.backward(signs.inputs(), {view(d_out), 1}, got, {}, true);
  CHECK(difference(got, expected, 1e-12) == "");
}

TEST_CASE_TEMPLATE("graph: five hundred more steps, and predictions, allocate nothing more", T, float, double) {
  const Network network = random_graph(311, 14);
  const Task<T> task = random_task<T>(network, 8 * 510, 1);
  for (const int count : {1, 2}) {
    const Threads threads(count);
    Model<T> model(network, 5);
    model.compile("mse", "adam", {"mae"});
    const auto allocated = [&](Index batches) {
      const std::int64_t before = allocations();
      model.fit(task.dataset("mse", 0, 8 * batches), {.batch_size = 8});
      return allocations() - before;
    };
    allocated(20);  // which reads all rows of the tables
    const std::int64_t few = allocated(10);
    CHECK(allocated(count == 1 ? 510 : 60) == few);
    std::vector<T> out(as_size(8 * network.outputs()));
    const MatrixView<const T> x = task.dataset("mse", 0, 8).x;
    const auto predict = [&] { model.predict(x, {std::span<T>(out), network.outputs()}); };
    predict();
    const std::int64_t before = allocations();
    predict();
    CHECK(allocations() == before);
  }
}

TEST_CASE_TEMPLATE("graph: many threads may go back through one model, to the same bits", T, float, double) {
  const Network network = random_graph(303, 14);
  const Model<T> model(network, 5);
  const std::vector<T> x = random_task<T>(network, 130, 1).x;
  const auto d_out = draws<T>(130 * network.outputs(), -1, 1, 2);
  std::vector<std::vector<T>> results(32);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      std::vector<T> d_x(x.size());
      result.resize(model.parameters().size());
      model.backward({view(x), network.features()}, {view(d_out), network.outputs()}, result,
                     {std::span<T>(d_x), network.features()});
      const auto out = predictions(model, {view(x), network.features()});
      result.insert(result.end(), d_x.begin(), d_x.end());
      result.insert(result.end(), out.begin(), out.end());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(bit_difference(result, results[0]) == "");
}
