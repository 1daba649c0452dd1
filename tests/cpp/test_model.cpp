// SPDX-License-Identifier: Apache-2.0
// The model as users see it: gradients against finite differences, worked examples, its settings.
#include "laminar/model.hpp"

#include "laminar/files/config.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// A network whose loss has no kink near its weights, in double precision.
struct Slope {
  Model<double> model;
  Task<double> task;
  Loss loss;
  std::vector<double> start;
  std::vector<double> gradients;

  Slope(const Network& network, Index rows, const Loss& loss_, std::uint64_t seed)
      : model(network, seed), task(rows, network.features(), network.outputs(), seed), loss(loss_) {
    model.compile(loss, "sgd");
    start = weights_of(model);
    gradients.resize(start.size());
    model.loss_and_gradients(task.dataset(loss), gradients);
  }

  double loss_at(const std::vector<double>& direction, double distance) {
    std::vector<double> moved = start;
    for (std::size_t i = 0; i < moved.size(); ++i) moved[i] += distance * direction[i];
    model.set_parameters(moved);
    std::vector<double> unused(moved.size());
    return model.loss_and_gradients(task.dataset(loss), unused);
  }
  double central_difference(const std::vector<double>& direction, double h) {
    return (loss_at(direction, h) - loss_at(direction, -h)) / (2 * h);
  }

  /// Relative error of the gradients along a direction in which no two parts of them cancel: all of
  /// the parameters, or one tensor's. Negative where a kink is near.
  double error(const Tensor* only) {
    const auto sizes = draws<double>(static_cast<Index>(start.size()), 0.5, 1.5, 5);
    std::vector<double> direction(start.size());
    double norm = 0;
    for (const Tensor& tensor : model.network().parameters().tensors()) {
      if (only != nullptr && &tensor != only) continue;
      for (auto i = as_size(tensor.offset); i < as_size(tensor.offset + tensor.size); ++i) {
        direction[i] = gradients[i] < 0 ? -sizes[i] : sizes[i];
        norm += sizes[i] * sizes[i];
      }
    }
    double exact = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) {
      direction[i] /= std::sqrt(norm);
      exact += direction[i] * gradients[i];
    }
    // Differences over three distances: the first two cancel the error of second order; smooth
    // functions make the steps between them shrink by four.
    constexpr double kDistance = 4e-4;
    const double wide = central_difference(direction, kDistance);
    const double middle = central_difference(direction, kDistance / 2);
    const double narrow = central_difference(direction, kDistance / 4);
    const double scale = std::max(std::abs(exact), 1e-3);
    const double rounding = 1e-14 * std::abs(loss_at(direction, 0)) / kDistance;
    const bool kink = std::abs((wide - middle) - 4 * (middle - narrow)) > 3e-7 * scale + rounding;
    return kink ? -1 : std::abs((4 * middle - wide) / 3 - exact) / scale;
  }
};

/// Largest relative error over directions in the whole and in each tensor; draws anew near kinks.
double gradient_error(const Network& network, Index rows, const Loss& loss) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    Slope slope(network, rows, loss, seed);
    double worst = slope.error(nullptr);
    bool kink = worst < 0;
    for (const Tensor& tensor : slope.model.network().parameters().tensors()) {
      const double error = slope.error(&tensor);
      kink = kink || error < 0;
      worst = std::max(worst, error);
    }
    if (!kink) return worst;
  }
  return std::numeric_limits<double>::infinity();
}

Network two_layers(Index size, const Activation& f) {
  return {size,
          {Dense{.units = size, .activation = f, .bias_initializer = "random_normal"}, mild_layer(size, size, f)}};
}

/// The notes' network: three inputs, one hidden unit, one output.
Model<double> notes_network(const Loss& loss) {
  Model<double> model(
      Network(3, {Dense{.units = 1, .activation = "sigmoid"}, Dense{.units = 1, .activation = "sigmoid"}}));
  std::vector<double> weights(model.parameters().size());
  const auto& layout = model.network().parameters();
  const double first[] = {.01, .02, .03};
  std::copy(std::begin(first), std::end(first), weights.begin() + layout[0].offset);
  weights[as_size(layout[1].offset)] = .01;
  weights[as_size(layout[2].offset)] = .02;
  weights[as_size(layout[3].offset)] = .03;
  model.set_parameters(weights);
  model.compile(loss, "sgd");
  return model;
}

}  // namespace

TEST_CASE("model: gradients of every activation with every loss agree with central differences") {
  for (const EntryInfo& activation : activation_family().entries) {
    const Activation f(activation.name);
    if (!f.has_gradient()) continue;
    CAPTURE(std::string(activation.name));
    // Few outputs: with many, one is always where a loss of probabilities is cut off.
    for (const EntryInfo& loss : loss_family().entries) {
      CAPTURE(std::string(loss.name));
      if (!suits(loss.name, f)) continue;
      CHECK(gradient_error(two_layers(3, f), 2, loss.name) <= 1e-6);
    }
    for (const Index size : {1, 3, 16, 17, 64, 65}) {
      for (const Index rows : kBatches) {
        CAPTURE(size);
        CAPTURE(rows);
        CHECK(gradient_error(two_layers(size, f), rows, "mse") <= 1e-6);
      }
    }
  }
}

TEST_CASE("model: gradients agree with central differences for every hyper-parameter moved, and dropout") {
  const Index size = 17;
  for (const Activation& f : variants<Activation>(activation_family())) {
    if (f.has_gradient()) CHECK(gradient_error(two_layers(size, f), 33, "mse") <= 1e-6);
  }
  for (const Loss& loss : variants<Loss>(loss_family())) {
    CHECK(gradient_error(two_layers(size, "sigmoid"), 33, loss) <= 1e-6);
  }
  const Network dropped(
      size, {Dense{.units = 9, .activation = "tanh"}, Dropout{.rate = 0.4}, Dense{.units = 5}, Activate{"elu"}});
  CHECK(gradient_error(dropped, 33, "mse") <= 1e-6);
}

TEST_CASE("model: the notes' worked example") {
  const std::vector<double> x = {95, 4, 4};
  const std::vector<double> y = {1};
  const Dataset<double> data{{view(x), 3}, MatrixView<const double>{view(y), 1}, {}};
  const auto values = [&](const Loss& loss) {
    Model<double> model = notes_network(loss);
    std::vector<double> gradients(model.parameters().size());
    std::vector<double> all = {predictions(model, data.x)[0], model.loss_and_gradients(data, gradients)};
    for (const Tensor& tensor : model.network().parameters().tensors()) {
      for (Index i = 0; i < tensor.size; ++i) all.push_back(gradients[as_size(tensor.offset + i)]);
    }
    return all;  // prediction, loss, dw1 dw2 dw3, db1, dw4, db2
  };
  CHECK(difference(values("binary_crossentropy"),
                   std::vector<double>{0.5113047367, 0.6707895129, -0.1687171053, -0.0071038781, -0.0071038781,
                                       -0.0017759695, -0.3720596915, -0.4886952633},
                   1e-10) == "");
  const auto squared = values("mse");
  CHECK(squared[1] == doctest::Approx(0.2388230604).epsilon(1e-9));
  CHECK(squared[2] == doctest::Approx(-0.0843154296).epsilon(1e-9));
  CHECK(squared[6] == doctest::Approx(-0.1859347495).epsilon(1e-9));
}

TEST_CASE_TEMPLATE("model: losses of logits up to 1e30, whether or not from_logits was written", T, float, double) {
  const std::vector<T> x = {T(1e30), T(-1e30)};
  const auto loss_of = [&](const char* activation, const Loss& loss, const std::vector<T>& y) {
    Model<T> model(Network(1, {Dense{.units = 1, .activation = activation, .kernel_initializer = "ones"}}));
    model.compile(loss, "sgd", {"mae"});
    const Dataset<T> data{{view(x), 1}, MatrixView<const T>{view(y), 1}, {}};
    std::vector<T> gradients(model.parameters().size());
    const double loss_value = model.loss_and_gradients(data, gradients);
    CHECK(std::isfinite(gradients[0]));
    CHECK(model.evaluate(data)[0] == loss_value);
    return std::vector<double>{loss_value, static_cast<double>(gradients[as_size(kSlice)])};
  };
  const Loss from_logits("binary_crossentropy", {{"from_logits", 1}});
  const double big = static_cast<double>(x[0]);
  for (const Loss& loss : {Loss("binary_crossentropy"), from_logits}) {
    CHECK(loss_of("sigmoid", loss, {1, 0}) == std::vector<double>{0, 0});
    CHECK(loss_of("sigmoid", loss, {0, 0}) == std::vector<double>{big / 2, 0.5});
  }
  CHECK(loss_of("linear", from_logits, {1, 0}) == std::vector<double>{0, 0});
  CHECK(loss_of("linear", from_logits, {0, 1}) == std::vector<double>{big, 0});
}

TEST_CASE_TEMPLATE("model: the seed makes the weights, and float's are double's rounded", T, float, double) {
  const Network network(5, {Dense{.units = 9}, Dense{.units = 2, .kernel_initializer = "he_normal"}});
  const Model<T> model(network, 7);
  CHECK(bit_difference(weights_of(model), weights_of(Model<T>(network, 7))) == "");
  CHECK(bit_difference(weights_of(model), weights_of(Model<T>(network, 8))) != "");
  const auto exact = weights_of(Model<double>(network, 7));
  CHECK(bit_difference(weights_of(model), std::vector<T>(exact.begin(), exact.end())) == "");
  CHECK(model.seed() == 7);
  CHECK(model.tensor(1).size() == 9);
}

TEST_CASE_TEMPLATE("model: set_parameters takes effect on the way forward and back", T, float, double) {
  const Network network(5, {Dense{.units = 33, .activation = "tanh"}, Dense{.units = 17}});
  const Task<T> task(9, 5, 17);
  Model<T> a(network, 1);
  Model<T> b(network, 2);
  for (Model<T>* model : {&a, &b}) model->compile("mse", "sgd");
  a.set_parameters(b.parameters());
  CHECK(bit_difference(predictions(a, task.inputs()), predictions(b, task.inputs())) == "");
  std::vector<T> of_a(a.parameters().size());
  std::vector<T> of_b(of_a.size());
  a.loss_and_gradients(task.dataset("mse"), of_a);
  b.loss_and_gradients(task.dataset("mse"), of_b);
  CHECK(bit_difference(of_a, of_b) == "");
}

TEST_CASE("model: compile sets loss, metrics, rate and a new clock") {
  Model<float> model(Network(2, {Dense{.units = 1}}));
  const Task<float> task(4, 2, 1);
  CHECK_FALSE(model.compiled());
  CHECK(model.iterations() == 0);
  model.compile("mse", Optimizer("adam", {{"learning_rate", 0.5}}), {"mae", "accuracy"});
  CHECK(model.compiled());
  CHECK(model.metric_names() == std::vector<std::string>{"loss", "mae", "accuracy"});
  CHECK(model.learning_rate() == 0.5);
  model.set_learning_rate(0.25);
  CHECK(model.learning_rate() == 0.25);
  CHECK(without(message_of([&] { model.set_learning_rate(-1); }), {"learning_rate", "must not be negative", "-1"}) ==
        "");
  CHECK(model.learning_rate() == 0.25);
  model.train_on_batch(task.dataset("mse"));
  CHECK(model.iterations() == 1);
  model.compile("mae", "sgd");
  CHECK(model.iterations() == 0);
  CHECK(model.learning_rate() == 0.01);
}

TEST_CASE("model: options of dropout hold from the next update on") {
  const Task<double> task(20, 3, 1);
  const auto trained = [&](double first, double then) {
    Model<double> model(Network(3, {Dense{.units = 8}, Dropout{.rate = first}, Dense{.units = 1}}), 1);
    model.compile("mse", "sgd");
    model.set_layer(2, Dropout{.rate = then});
    model.fit(task.dataset("mse"), {.epochs = 2});
    return weights_of(model);
  };
  CHECK(trained(0.5, 0.1) == trained(0.1, 0.1));
  CHECK(trained(0.5, 0.5) != trained(0.1, 0.1));
  // A callback changes them inside a fit as between two.
  Model<double> inside(Network(3, {Dense{.units = 8}, Dropout{.rate = 0.5}, Dense{.units = 1}}), 1);
  Model<double> between(Network(3, {Dense{.units = 8}, Dropout{.rate = 0.5}, Dense{.units = 1}}), 1);
  for (Model<double>* model : {&inside, &between}) model->compile("mse", "sgd");
  FitOptions<double> options{.epochs = 2};
  options.on_epoch = [&](Index, std::span<const Log>) {
    inside.set_layer(2, Dropout{.rate = 0.25});
    return false;
  };
  inside.fit(task.dataset("mse"), options);
  between.fit(task.dataset("mse"), {.epochs = 1});
  between.set_layer(2, Dropout{.rate = 0.25});
  between.fit(task.dataset("mse"), {.epochs = 2, .initial_epoch = 1});
  CHECK(weights_of(inside) == weights_of(between));
}

TEST_CASE("model: what the optimizer keeps is counted by trainable weights") {
  Model<float> model(Network(2, {Dense{.units = 3}, BatchNormalization{}}));  // 6 + 3, 3 + 3, 2 * 3 moments
  CHECK(model.optimizer_parameters() == 0);
  model.compile("mse", "sgd");
  CHECK(model.optimizer_parameters() == 0);
  model.compile("mse", "adam");
  CHECK(model.optimizer_parameters() == 2 * 15);
  model.compile("mse", Optimizer("adam", {{"amsgrad", 1}, {"use_ema", 1}, {"gradient_accumulation_steps", 2}}));
  CHECK(model.optimizer_parameters() == 5 * 15);
  model.compile("mse", "lamb");
  CHECK(model.optimizer_parameters() == 2 * 15);
}

TEST_CASE("model: one that was moved goes on") {
  const Task<float> task(8, 2, 1);
  Model<float> model(Network(2, {Dense{.units = 1}}));
  model.compile("mse", "adam");
  model.fit(task.dataset("mse"), {.epochs = 1});
  Model<float> moved = std::move(model);
  CHECK(moved.fit(task.dataset("mse"), {.epochs = 1}).epochs.size() == 1);
  CHECK(moved.iterations() == 2);
}
