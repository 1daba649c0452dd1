// SPDX-License-Identifier: Apache-2.0
// Whole networks, forward and back, against the reference: every activation with every loss, at
// sizes around the widths of vectors, as the last layer, inside, and as layers of their own.
#include "laminar/execution/pass.hpp"

#include "laminar/files/config.hpp"
#include "reference.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
reference::Batch batch_of(const Task<T>& task, const Loss& loss) {
  reference::Batch batch{reference::matrix(task.x, task.rows(), task.features),
                         loss.class_labels() ? reference::one_hot(task.labels, task.outputs)
                                             : reference::matrix(task.y, task.rows(), task.outputs),
                         {}};
  if (!task.weights.empty()) batch.weights = reference::matrix(task.weights, task.rows(), 1);
  return batch;
}

/// Outputs, loss and gradients of the model are the reference's.
template <typename T>
void check_against_reference(const Network& network, const Task<T>& task, const Loss& loss) {
  const double tolerance = 300 * static_cast<double>(std::numeric_limits<T>::epsilon());
  Model<T> model(network, 3);
  model.compile(loss, "sgd");
  const auto parameters = as_double(model.parameters());
  const auto batch = batch_of(task, loss);
  CHECK(difference(predictions(model, task.inputs()), reference::predict(network, parameters, batch.x), tolerance) ==
        "");
  const auto expected = reference::run(network, parameters, batch, loss, reference::kClip<T>, model.seed(), 0);
  std::vector<T> gradients(model.parameters().size(), T(1));
  const double got = model.loss_and_gradients(task.dataset(loss), gradients);
  CHECK(std::abs(got - expected.loss) <= tolerance * (1 + std::abs(expected.loss)));
  CHECK(difference(gradients, expected.gradients, tolerance) == "");
}

std::vector<Activation> trainable() {
  std::vector<Activation> all;
  for (const EntryInfo& entry : activation_family().entries) {
    if (Activation(entry.name).has_gradient()) all.emplace_back(entry.name);
  }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("pass: every activation with every loss is the reference's", T, float, double) {
  for (const Activation& f : trainable()) {
    for (const Loss& loss : variants<Loss>(loss_family())) {
      if (!suits(loss, f) || loss.reduction() == Reduction::none) continue;
      CAPTURE(std::string(f.name()));
      const std::string entry = to_json(loss);
      CAPTURE(entry);
      for (const Index size : {3, 17}) {
        CAPTURE(size);
        Task<T> task(33, size, size);
        task.weights = draws<T>(33, 0, 2, 9);
        check_against_reference(Network(size, {Dense{.units = size, .activation = f}, mild_layer(size, size, f)}), task,
                                loss);
      }
    }
  }
}

TEST_CASE_TEMPLATE("pass: awkward sizes and batches", T, float, double) {
  for (const Index in : kSizes) {
    for (const Index hidden : {3, 16, 33, 65}) {
      for (const Index out : {1, 10, 17}) {
        for (const Index rows : kBatches) {
          CAPTURE(in);
          CAPTURE(hidden);
          CAPTURE(out);
          CAPTURE(rows);
          const Network network(in, {Dense{.units = hidden, .activation = "tanh"}, mild_layer(hidden, out, "softmax")});
          check_against_reference(network, Task<T>(rows, in, out), "sparse_categorical_crossentropy");
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("pass: activations and dropout as layers of their own, in any order", T, float, double) {
  const Dense dense{.units = 17};
  for (const Activation& f : trainable()) {
    CAPTURE(std::string(f.name()));
    if (std::string_view(f.name()) == "exponential") continue;  // of an exponential: soon no number
    const Dense own{.units = 9, .activation = f};
    const std::vector<std::vector<Layer>> stacks = {
        {dense, Activate{f}, dense, Activate{f}},
        {Activate{f}, Dropout{.rate = 0.3}, dense, Dropout{.rate = 0.5}},
        {Dropout{.rate = 0.3}, own, Dropout{.rate = 0.3}, Dropout{.rate = 0.2}, own, Activate{"tanh"}},
        {own, Activate{f}, own, Dropout{.rate = 0.4}, Activate{f}, dense},
        {dense, Dropout{.rate = 0.4}, Activate{f}, Activate{"sigmoid"}},
        {Dense{.units = 5, .activation = f, .use_bias = false}, Dense{.units = 300, .activation = f}},
    };
    for (std::size_t i = 0; i < stacks.size(); ++i) {
      const Network network(7, stacks[i]);
      CAPTURE(i);
      check_against_reference(network, Task<T>(21, 7, network.outputs()), "mse");
    }
    check_against_reference(Network(7, {own, own, own, own, own}), Task<T>(70, 7, 9), "huber");
  }
}

TEST_CASE_TEMPLATE("pass: samples of several axes, and networks without parameters", T, float, double) {
  Model<T> model(Network(Shape{2, 3}, {Activate{"relu"}, Dropout{.rate = 0.5}, Activate{"tanh"}}));
  const Task<T> task(4, 6, 6);
  const auto expected = reference::predict(model.network(), {}, reference::matrix(task.x, 4, 6));
  CHECK(difference(predictions(model, task.inputs()), expected, 1e-6) == "");
  model.compile("mse", "adam");
  CHECK(model.loss_and_gradients(task.dataset("mse"), {}) > 0);
  CHECK(model.fit(task.dataset("mse"), {.epochs = 2}).epochs.size() == 2);
}

TEST_CASE_TEMPLATE("pass: gradients of a row do not depend on the rows beside it", T, float, double) {
  // Whole numbers: sums over rows are exact, so the batch's gradient is the mean of the rows'.
  const Network network(3, {Dense{.units = 17, .activation = "relu"}, Dense{.units = 2}});
  Model<T> model(network, 3);
  model.set_parameters(whole_numbers<T>(network.parameters().size(), 2));
  model.compile("mse", "sgd");
  Task<T> task(64, 3, 2);
  task.x = whole_numbers<T>(64 * 3, 3);
  task.y = whole_numbers<T>(64 * 2, 3, 2);
  const auto gradient = [&](Index begin, Index end) {
    std::vector<T> all(model.parameters().size());
    model.loss_and_gradients(task.dataset("mse", begin, end), all);
    return all;
  };
  std::vector<T> sum(model.parameters().size());
  for (Index i = 0; i < 64; ++i) {
    const auto one = gradient(i, i + 1);
    for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += one[k] / 64;
  }
  CHECK(bit_difference(gradient(0, 64), sum) == "");
}
