// SPDX-License-Identifier: Apache-2.0
// Gradients of networks that are no stacks, and the way back from any gradient of the outputs, against central
// differences.
#include "graphs.hpp"
#include "random_graph.hpp"

using namespace laminar;
using namespace laminar::tests;

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

TEST_CASE("graph: the way back from any gradient, by weights and inputs, of 200 random graphs") {
  for (std::uint64_t seed = 500; seed < 700; ++seed) {
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
