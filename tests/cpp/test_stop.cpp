// SPDX-License-Identifier: Apache-2.0
// Callers end what takes long, wherever it is, and what is left is what had been completed.
#include <chrono>
#include <thread>

#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// A scope that says stop at its first question, which comes after 50 ms.
struct AtOnce {
  int asked = 0;
  StopScope scope{[this] { return ++asked > 0; }};
};

/// Whether the call has ended by Stopped.
template <typename Call>
bool stops(const Call& call) {
  try {
    call();
  } catch (const Stopped&) {
    return true;
  }
  return false;
}

#ifdef __SANITIZE_ADDRESS__
constexpr Index kSlower = 40;  // that everything is
#else
constexpr Index kSlower = 1;
#endif

/// Rows and widths whose passes take much more than 50 ms.
template <typename T>
Task<T> long_task() {
  return Task<T>((sizeof(T) == 4 ? 60'000 : 30'000) / kSlower, 20, 2);
}

template <typename T>
Model<T> wide_model(bool normalized = false) {
  std::vector<Layer> layers{Dense{.units = 256, .activation = "relu"}};
  if (normalized) layers.push_back(BatchNormalization{});
  layers.push_back(Dense{.units = 256, .activation = "relu"});
  layers.push_back(Dense{.units = 2});
  Model<T> model(Network(20, layers), 3);
  model.compile("mse", "adam", {"mae"});
  return model;
}

}  // namespace

TEST_CASE("stop: scopes nest, ask where it is time, and keep what was thrown") {
  int asked = 0;
  bool answer = false;
  const StopScope outer([&] {
    ++asked;
    return answer;
  });
  CHECK(StopScope::current() == &outer);
  {
    StopScope inner({});
    CHECK(StopScope::current() == &inner);
    CHECK_FALSE(inner.poll(1e12));
    CHECK(asked == 0);  // it is too early
    std::this_thread::sleep_for(std::chrono::milliseconds(60));
    CHECK_FALSE(inner.poll(1));  // too little work to look at the clock
    CHECK_FALSE(inner.poll(1e12));
    CHECK(asked == 1);
    answer = true;
    bool elsewhere = true;
    std::thread([&] { elsewhere = inner.poll(1e12); }).join();
    CHECK_FALSE(elsewhere);  // other threads do not ask
    CHECK(asked == 1);
    CHECK(inner.ask());
    std::thread([&] { elsewhere = inner.poll(1); }).join();
    CHECK(elsewhere);  // but hear of the answer
    CHECK(stops([&] { inner.leave(); }));
  }
  CHECK(StopScope::current() == &outer);
  StopScope throws([]() -> bool { throw std::range_error("enough"); });
  CHECK(throws.ask());
  CHECK_THROWS_AS(throws.rethrow(), std::range_error);
  CHECK_THROWS_AS(throws.leave(), std::range_error);
}

TEST_CASE_TEMPLATE("stop: predictions, evaluations, single updates and gradients change nothing", T, float, double) {
  const Task<T> task = long_task<T>();
  const Dataset<T> data = task.dataset("mse");
  for (const bool normalized : {false, true}) {
    Model<T> model = wide_model<T>(normalized);
    const std::vector<T> before = weights_of(model);
    std::vector<T> outputs(task.y.size());
    std::vector<T> gradients(before.size());
    CHECK(stops([&] {
      const AtOnce now;
      for (int i = 0; i < 100; ++i) model.predict(task.inputs(), {outputs.data(), task.rows(), 2});
    }));
    CHECK(stops([&] {
      const AtOnce now;
      for (int i = 0; i < 100; ++i) model.evaluate(data);
    }));
    CHECK(stops([&] {
      const AtOnce now;
      for (int i = 0; i < 100; ++i) model.loss_and_gradients(data, gradients);
    }));
    CHECK(bit_difference(model.parameters(), view(before)) == "");
    // An update that was completed stays, one that was begun does not.
    Model<T> other = wide_model<T>(normalized);
    CHECK(stops([&] {
      const AtOnce now;
      for (int i = 0; i < 100; ++i) model.train_on_batch(data);
    }));
    for (Index i = 0; i < model.iterations(); ++i) other.train_on_batch(data);
    CHECK(bit_difference(model.parameters(), other.parameters()) == "");
  }
}

TEST_CASE("stop: gradients are whole, or there are none") {
  const Task<float> task = long_task<float>();
  const Dataset<float> data = task.dataset("mse");
  Model<float> model = wide_model<float>();
  std::vector<float> expected(model.parameters().size());
  model.loss_and_gradients(data, expected);
  // The way back, the gradients of weights and what is between them are each met sooner or later.
  for (int i = 0; i < 12; ++i) {
    CHECK(stops([&] {
      std::vector<float> gradients(expected.size());
      const AtOnce now;
      std::this_thread::sleep_for(std::chrono::milliseconds(4 * i));
      for (int call = 0; call < 100; ++call) {
        model.loss_and_gradients(data, gradients);
        REQUIRE(bit_difference(gradients, expected) == "");
      }
    }));
  }
}

TEST_CASE_TEMPLATE("stop: an update in two stages has the bits of one", T, float, double) {
  const Task<T> task = long_task<T>();
  const Dataset<T> data = task.dataset("mse");
  for (const char* optimizer : {"sgd", "adam", "rmsprop"}) {
    Model<T> one = wide_model<T>();
    Model<T> two = wide_model<T>();
    one.compile("mse", optimizer);
    two.compile("mse", optimizer);
    one.train_on_batch(data);
    const StopScope never({});
    two.train_on_batch(data);
    CHECK(bit_difference(one.parameters(), two.parameters()) == "");
    CHECK(one.iterations() == two.iterations());
  }
}

TEST_CASE("stop: a full batch is left at once, with the last update's weights, and resumed in the same bits") {
  const Task<float> task = long_task<float>();
  const Dataset<float> data = task.dataset("mse");
  const auto fit = [&](Model<float>& model, Index epochs, bool resume, int stop_at) {
    int asked = 0;
    FitOptions<float> options{.batch_size = task.rows(), .epochs = epochs, .resume = resume};
    std::vector<std::string> told;
    options.poll = [&](const Progress& progress) {
      CHECK(progress.batches == 1);
      for (const Log& log : progress.logs) told.push_back(log.name);
      return ++asked == stop_at;
    };
    return model.fit(data, options);
  };
  for (const bool normalized : {false, true}) {
    Model<float> stopped = wide_model<float>(normalized);
    Model<float> whole = wide_model<float>(normalized);
    const History history = fit(stopped, 1000, false, 4);
    REQUIRE(history.interrupted);
    const Index done = stopped.iterations();
    CHECK(static_cast<Index>(history.epochs.size()) == done);
    if (done > 0) fit(whole, done, false, 0);
    CHECK(bit_difference(stopped.parameters(), whole.parameters()) == "");
    fit(stopped, done + 2, true, 0);
    fit(whole, done + 2, true, 0);
    CHECK(bit_difference(stopped.parameters(), whole.parameters()) == "");
  }
}

TEST_CASE("stop: weights that overflowed do not stay after an interrupt") {
  // The first row's update overflows; behind tanh the losses after it are finite, and nothing moves any more.
  const std::size_t rows = 4'000'000;
  const std::vector<float> x(rows, 1);
  const std::vector<float> y(rows, 100);
  for (const bool small : {false, true}) {
    const Dense weight{.units = 1, .activation = "tanh", .use_bias = false, .kernel_initializer = "ones"};
    Model<float> model(small ? Network(1, {weight}) : Network(1, {Dropout{.rate = 0}, weight}));
    model.compile("mse", Optimizer("sgd", {{"learning_rate", 1e37}}));
    const Dataset<float> data{{view(x), 1}, MatrixView<const float>{view(y), 1}, {}};
    FitOptions<float> options{.batch_size = 1, .shuffle = false};
    options.poll = [](const Progress&) { return true; };
    const History history = model.fit(data, options);
    CHECK(history.interrupted);
    CHECK(model.tensor(0)[0] == 1);
  }
}

TEST_CASE_TEMPLATE("stop: L-BFGS leaves the last iteration's weights", T, float, double) {
  const Task<T> task(5000 / kSlower, 20, 2);
  const Dataset<T> data = task.dataset("mse");
  Model<T> model = wide_model<T>();
  std::vector<T> last = weights_of(model);
  LbfgsOptions options{.gradient_tolerance = 0, .decrease_tolerance = 0};
  Index done = 0;
  options.on_iteration = [&](Index, double) {
    ++done;
    last = weights_of(model);
    return false;
  };
  const StopScope scope([&] { return done > 0; });  // says stop in the second or third iteration
  CHECK(stops([&] { fit_lbfgs(model, data, options); }));
  CHECK(bit_difference(model.parameters(), view(last)) == "");
}

TEST_CASE("stop: large initial weights and the perceptron's rows") {
  CHECK(stops([] {
    const AtOnce now;
    Model<float>(Network(3000, {Dense{.units = 3000, .kernel_initializer = "orthogonal"}}));
  }));
  CHECK(stops([] {
    const AtOnce now;
    Model<float>(Network(10'000, {Dense{.units = 3000, .kernel_initializer = "he_normal"}}));
  }));
  const Task<double> task(20'000, 20, 2);
  Perceptron<double> perceptron(20, 2);
  const AtOnce now;
  const PerceptronEnd end = perceptron.fit({task.inputs(), task.labels}, {.l2 = 1e-9, .max_epochs = 1'000'000});
  CHECK(end.stopped);
}

TEST_CASE("stop: who is asked may do long work, which asks those outside alone") {
  int inside = 0;
  int outside = 0;
  const StopScope outer([&] { return ++outside > 3; });
  StopScope scope([&] {
    ++inside;
    const StopScope own({});
    CHECK_FALSE(StopScope::current()->ask());
    CHECK(outside % 2 == 1);
    return false;
  });
  CHECK_FALSE(scope.ask());
  CHECK(inside == 1);
  CHECK(outside == 2);
  CHECK(scope.ask());
  CHECK(inside == 2);
}
