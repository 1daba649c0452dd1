// SPDX-License-Identifier: Apache-2.0
// Batch normalization in its place between other layers: against the reference, against finite
// differences, its running statistics, and the same bits for every number of threads.
#include "laminar/graph/layers/batch_normalization.hpp"

#include "laminar/threads/parallel.hpp"
#include "reference.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// A network with the layer first, between and last.
Network network_of(Index in, Index hidden, Index out, bool scale = true, bool center = true) {
  BatchNormalization normalize{.momentum = 0.9, .center = center, .scale = scale};
  normalize.beta_initializer = "random_normal";
  normalize.gamma_initializer = Initializer("random_uniform", {{"minval", 0.5}, {"maxval", 1.5}});
  return Network(in, {normalize, Dense{.units = hidden}, normalize, Activate{.activation = "tanh"},
                      Dense{.units = hidden, .activation = "relu"}, Dropout{.rate = 0.25}, normalize,
                      Dense{.units = out}, normalize});
}

template <typename T>
reference::Batch batch_of(const Task<T>& task) {
  return {
      reference::matrix(task.x, task.rows(), task.features), reference::matrix(task.y, task.rows(), task.outputs), {}};
}

}  // namespace

TEST_CASE_TEMPLATE("batch normalization: loss and gradients are the reference's", T, float, double) {
  const double tolerance = 5e4 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Index rows : {2, 3, 33, 200}) {
    for (const Index width : {1, 16, 17, 65}) {
      for (const bool both : {true, false}) {
        CAPTURE(rows);
        CAPTURE(width);
        const Task<T> task(rows, 5, 3);
        Model<T> model(network_of(5, width, 3, both, both), 3);
        model.compile("mse", "sgd");
        const auto parameters = as_double(model.parameters());
        const auto expected =
            reference::run(model.network(), parameters, batch_of(task), "mse", reference::kClip<T>, model.seed(), 0);
        std::vector<T> gradients(model.parameters().size(), T(1));
        const double loss = model.loss_and_gradients(task.dataset("mse"), gradients);
        CHECK(std::abs(loss - expected.loss) <= tolerance * (1 + std::abs(expected.loss)));
        CHECK(difference(gradients, expected.gradients, tolerance) == "");
        CHECK(difference(predictions(model, task.inputs()),
                         reference::predict(model.network(), parameters, batch_of(task).x), tolerance) == "");
      }
    }
  }
}

TEST_CASE("batch normalization: gradients are finite differences") {
  const Task<double> task(20, 4, 2);
  Model<double> model(network_of(4, 7, 2), 5);
  model.compile("mse", "sgd");
  std::vector<double> gradients(model.parameters().size());
  model.loss_and_gradients(task.dataset("mse"), gradients);
  std::vector<double> unused(gradients.size());
  std::vector<double> moved(model.parameters().begin(), model.parameters().end());
  for (const Tensor& tensor : model.network().parameters().tensors()) {
    CAPTURE(tensor.name);
    for (Index i = tensor.offset; i < tensor.offset + tensor.size; ++i) {
      const auto at = static_cast<std::size_t>(i);
      const double value = moved[at];
      double losses[2];
      for (const int side : {0, 1}) {
        moved[at] = value + (side == 0 ? -1e-5 : 1e-5);
        model.set_parameters(moved);
        losses[side] = model.loss_and_gradients(task.dataset("mse"), unused);
      }
      moved[at] = value;
      const double expected = (losses[1] - losses[0]) / 2e-5;
      CHECK(std::abs(gradients[at] - expected) <= 1e-6 * std::max(1.0, std::abs(expected)));
    }
  }
}

TEST_CASE_TEMPLATE("batch normalization: running statistics follow the batches, not the gradient", T, float, double) {
  const Task<T> task(40, 3, 2);
  Model<T> model(Network(3, {BatchNormalization{.momentum = 0.75}, Dense{.units = 2}}), 1);
  model.compile("mse", "sgd");
  const auto x = reference::matrix(task.x, 40, 3);
  const Eigen::RowVectorXd mean = x.colwise().mean();
  const Eigen::RowVectorXd variance = (x.rowwise() - mean).array().square().colwise().mean();
  std::vector<T> gradients(model.parameters().size());
  model.loss_and_gradients(task.dataset("mse"), gradients);
  CHECK(model.tensor(2)[0] == 0);
  CHECK(model.tensor(3)[0] == 1);
  model.train_on_batch(task.dataset("mse"));
  for (Index j = 0; j < 3; ++j) {
    const auto at = static_cast<std::size_t>(j);
    CHECK(static_cast<double>(model.tensor(2)[at]) == doctest::Approx(0.25 * mean[j]).epsilon(1e-5));
    CHECK(static_cast<double>(model.tensor(3)[at]) == doctest::Approx(0.75 + 0.25 * variance[j]).epsilon(1e-5));
  }
}

TEST_CASE_TEMPLATE("batch normalization: running statistics follow a batch that goes forward alone", T, float, double) {
  const Task<T> task(33, 5, 3);
  const auto model_of = [&] {
    Model<T> model(network_of(5, 17, 3), 3);
    model.compile("mse", Optimizer("sgd", {{"learning_rate", 0}}));
    return model;
  };
  Model<T> trained = model_of();
  trained.train_on_batch(task.dataset("mse"));
  Model<T> model = model_of();
  std::vector<T> followed(33 * 3);
  std::vector<T> expected(33 * 3);
  model.outputs_in_training(task.inputs(), {expected.data(), 33, 3});
  CHECK(bit_difference(model.parameters(), model_of().parameters()) == "");
  model.follow_batch(task.inputs(), {followed.data(), 33, 3});
  CHECK(bit_difference(followed, expected) == "");
  CHECK(bit_difference(model.parameters(), trained.parameters()) == "");
}

TEST_CASE_TEMPLATE("batch normalization: the same bits for every number of threads", T, float, double) {
  const Task<T> task(300, 9, 4);
  std::vector<T> first;
  for (const int threads : {1, 2, 3, 4}) {
    set_num_threads(threads);
    Model<T> model(network_of(9, 70, 4), 2);
    model.compile("mse", "adam");
    model.fit(task.dataset("mse"), {.batch_size = 128, .epochs = 3});
    std::vector<T> weights(model.parameters().begin(), model.parameters().end());
    if (first.empty()) first = weights;
    CHECK(weights == first);
  }
  set_num_threads(0);
}

TEST_CASE("batch normalization: bad options are refused by the layer's name") {
  CHECK_THROWS_WITH_AS(Network(3, {BatchNormalization{.momentum = 1.5}}),
                       "layer 'batch_normalization': momentum must be at least 0 and at most 1, got 1.5",
                       std::invalid_argument);
  CHECK_THROWS_AS(Network(3, {BatchNormalization{.epsilon = 0}}), std::invalid_argument);
  CHECK_THROWS_AS(Network(Shape{3, 2}, {BatchNormalization{}}), std::invalid_argument);
}
