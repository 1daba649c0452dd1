// SPDX-License-Identifier: Apache-2.0
// Prediction and evaluation: a row's result depends on nothing but the row and the weights.
#include "laminar/execution/inference.hpp"

#include <thread>

#include "allocations.hpp"
#include "reference.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<Network> networks() {
  const Dense dense{.units = 33, .activation = "relu"};
  return {
      Network(7, {dense, Dropout{.rate = 0.5}, Dense{.units = 17, .activation = "tanh"},
                  Dense{.units = 5, .activation = "softmax"}}),
      Network(7, {Activate{"tanh"}, dense, Activate{"softmax"}}),
      Network(300, {Dropout{.rate = 0.5}, dense, Dropout{.rate = 0.1}}),
      Network(3, {Dropout{.rate = 0.5}}),
      Network(5, {Dense{.units = 1, .activation = "step"}}),
  };
}

}  // namespace

TEST_CASE_TEMPLATE("predict: outputs are the reference's", T, float, double) {
  for (const Network& network : networks()) {
    const Model<T> model(network, 3);
    for (const Index rows : {1, 2, 33, 64, 65, 200}) {
      const Task<T> task(rows, network.features(), network.outputs());
      const auto expected =
          reference::predict(network, as_double(model.parameters()), reference::matrix(task.x, rows, task.features));
      CHECK(difference(predictions(model, task.inputs()), expected,
                       100 * static_cast<double>(std::numeric_limits<T>::epsilon())) == "");
    }
  }
}

TEST_CASE_TEMPLATE("predict: a row is the same bits alone, among any rows, by any number of threads", T, float,
                   double) {
  constexpr Index kRows = 150;
  for (const Network& network : networks()) {
    const Model<T> model(network, 3);
    const Index in = network.features();
    const Index out = network.outputs();
    const Task<T> task(kRows, in, out);
    const auto all = predictions(model, task.inputs());
    for (const int threads : {1, 2, 3, 4}) {
      const Threads scope(threads);
      CHECK(bit_difference(predictions(model, task.inputs()), all) == "");
      for (const Index rows : {1, 2, 13, 63, 64, 65, 129}) {
        for (Index first = 0; first + rows <= kRows; first += 29) {
          const auto part = view(task.x).subspan(as_size(first * in), as_size(rows * in));
          const auto expected = view(all).subspan(as_size(first * out), as_size(rows * out));
          CHECK(bit_difference(view(predictions(model, {part, in})), expected) == "");
        }
      }
    }
  }
}

TEST_CASE_TEMPLATE("predict: a row through dense layers alone has the bits it has among others", T, float, double) {
  std::vector<Network> chains;
  for (const Activation& activation : variants<Activation>(activation_family())) {
    chains.emplace_back(5, std::vector<Layer>{Dense{.units = 7, .activation = activation}, Dense{.units = 3}});
  }
  for (const Index width : {1, 2, 7, 8, 9, 16, 17, 31, 33, 63, 64, 65, 96, 129, 250, 512, 513}) {
    const Dense hidden{.units = width, .activation = "tanh"};
    const Dense bare{.units = width + 3, .activation = "relu", .use_bias = false};
    chains.emplace_back(
        width + 1, std::vector<Layer>{hidden, Dropout{.rate = 0.5}, bare, Dense{.units = 6, .activation = "softmax"}});
  }
  chains.emplace_back(Shape{3, 4},
                      std::vector<Layer>{Flatten{}, Dense{.units = 5, .activation = "relu"}, Reshape{{5, 1}}});
  chains.emplace_back(3, std::vector<Layer>(10, Dense{.units = 4, .activation = "tanh"}));
  for (const Network& network : chains) {
    CAPTURE(network.outputs());
    const Model<T> model(network, 3);
    const Task<T> task(19, network.features(), network.outputs());
    const auto all = predictions(model, task.inputs());
    for (const Index row : {0, 7, 18}) {
      const auto x = view(task.x).subspan(as_size(row * task.features), as_size(task.features));
      const auto expected = view(all).subspan(as_size(row * network.outputs()), as_size(network.outputs()));
      CHECK(bit_difference(view(predictions(model, {x, task.features})), expected) == "");
    }
  }
}

TEST_CASE_TEMPLATE("predict: NaN in a row gives NaN in that row's outputs alone; no byte beyond out is written", T,
                   float, double) {
  const Model<T> model(networks()[0], 3);
  Task<T> task(70, 7, 5);
  const auto clean = predictions(model, task.inputs());
  for (const Index row : {0, 13, 69}) {
    auto x = task.x;
    x[as_size(row * 7 + 3)] = kNan<T>;
    std::vector<T> out(72 * 5, T(-7));
    model.predict({view(x), 7}, {std::span(out).subspan(5, 70 * 5), 5});
    for (Index i = 0; i < 5; ++i) {
      CHECK(std::isnan(out[as_size(5 + row * 5 + i)]));
      out[as_size(5 + row * 5 + i)] = clean[as_size(row * 5 + i)];
      CHECK(out[as_size(i)] == -7);
      CHECK(out[as_size(71 * 5 + i)] == -7);
    }
    CHECK(bit_difference(view(out).subspan(5, 70 * 5), view(clean)) == "");
  }
}

TEST_CASE_TEMPLATE("evaluate: the reference's loss, the same bits for any number of threads", T, float, double) {
  for (const Index rows : {1, 65, 4096, 4097, 9000}) {
    for (const Loss& loss : {Loss("sparse_categorical_crossentropy"), Loss("mse")}) {
      Model<T> model(networks()[0], 3);
      model.compile(loss, "sgd", {"accuracy"});
      Task<T> task(rows, 7, 5);
      task.weights = draws<T>(rows, 0, 2, 3);
      const auto x = reference::matrix(task.x, rows, 7);
      const auto outputs = reference::predict(model.network(), as_double(model.parameters()), x);
      const auto y = loss.class_labels() ? reference::one_hot(task.labels, 5) : reference::matrix(task.y, rows, 5);
      const auto weights = reference::matrix(task.weights, rows, 1);
      const auto losses = reference::loss(loss, outputs, y, false, reference::kClip<T>).values;
      const auto got = model.evaluate(task.dataset(loss));
      CHECK(got[0] == doctest::Approx((losses.array() * weights.array()).sum() / weights.sum()).epsilon(1e-6));
      double right = 0;
      for (Index i = 0; i < rows; ++i) {
        Index answer = 0;
        Index truth = 0;
        outputs.row(i).maxCoeff(&answer);
        y.row(i).maxCoeff(&truth);
        right += answer == truth ? 1 : 0;
      }
      CHECK(got[1] == right / static_cast<double>(rows));
      for (const int threads : {1, 2, 3, 4}) {
        const Threads scope(threads);
        CHECK(bit_difference(model.evaluate(task.dataset(loss)), got) == "");
      }
    }
  }
}

TEST_CASE_TEMPLATE("predict: many threads use one const model at once", T, float, double) {
  const Model<T> model(networks()[0], 3);
  const Task<T> task(90, 7, 5);
  const auto expected = predictions(model, task.inputs());
  std::vector<int> wrong(6);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (int i = 0; i < 40; ++i) count += bit_difference(predictions(model, task.inputs()), expected).empty() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(6));
}

TEST_CASE_TEMPLATE("predict: models of different sizes take turns in a thread's memory", T, float, double) {
  std::vector<Model<T>> models;
  std::vector<Task<T>> tasks;
  std::vector<std::vector<T>> expected;
  for (const Network& network : networks()) {
    models.emplace_back(network, 3);
    tasks.emplace_back(20, network.features(), network.outputs());
    expected.push_back(predictions(models.back(), tasks.back().inputs()));
  }
  for (std::size_t i = models.size(); i-- > 0;) {
    CHECK(bit_difference(predictions(models[i], tasks[i].inputs()), expected[i]) == "");
  }
}

TEST_CASE_TEMPLATE("predict: a thousand predictions after the first allocate nothing", T, float, double) {
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    for (const Network& network : networks()) {
      const Model<T> model(network, 3);
      const Task<T> task(3, network.features(), network.outputs());
      std::vector<T> out(as_size(3 * network.outputs()));
      const MatrixView<T> to(std::span<T>(out), network.outputs());
      model.predict(task.inputs(), to);
      const std::int64_t before = allocations();
      // Two threads on one busy processor wait for each other's time slices: fewer calls.
      for (int i = 0; i < (threads == 1 ? 1000 : 20); ++i) model.predict(task.inputs(), to);
      CHECK(allocations() - before == 0);
    }
  }
}
