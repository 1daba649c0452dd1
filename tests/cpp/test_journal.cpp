// SPDX-License-Identifier: Apache-2.0
// Updates one at a time: the bits of a fit of the same batches, whoever asks for the weights meanwhile, and all as it
// was before an update that fails, however many there were since the last snapshot.
#include "laminar/training/journal.hpp"

#include <functional>
#include <thread>

#include "allocations.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/model_file.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// Small networks and others go ways of their own, with weights in layouts of their own.
Network network_of(bool small, Index features, Index outputs) {
  const Dense hidden{.units = 9, .activation = "tanh"};
  const Dense last{.units = outputs};
  return small ? Network(features, {hidden, last}) : Network(features, {Dropout{.rate = 0.2}, hidden, last});
}

template <typename T>
Model<T> model_of(bool small, const Optimizer& optimizer = "adam") {
  Model<T> model(network_of(small, 3, 2), 4);
  model.compile("mse", optimizer, {"mae"});
  return model;
}

/// The same from its file, with nothing in layouts of their own.
template <typename T>
Model<T> from_file(const Model<T>& model) {
  return ModelFile(model_bytes(model)).model<T>();
}

bool overflows(const std::function<void()>& call) {
  try {
    call();
  } catch (const NonFiniteError&) {
    return true;
  }
  return false;
}

}  // namespace

TEST_CASE_TEMPLATE("online: updates one by one are a fit of the same batches, whoever looks", T, float, double) {
  for (const bool small : {true, false}) {
    for (const Index batch : {1, 4}) {
      CAPTURE(small);
      CAPTURE(batch);
      const Task<T> task(24, 3, 2);
      Model<T> fitted = model_of<T>(small);
      fitted.fit(task.dataset("mse"), {.batch_size = batch, .epochs = 2, .shuffle = false});
      Model<T> alone = model_of<T>(small);
      Model<T> watched = model_of<T>(small);
      Model<T> twin = model_of<T>(small);
      Index step = 0;
      for (int epoch = 0; epoch < 2; ++epoch) {
        for (Index b = 0; b < 24; b += batch) {
          const Dataset<T> rows = task.dataset("mse", b, b + batch);
          alone.train_on_batch(rows);
          CHECK(watched.train_on_batch(rows) == twin.train_on_batch(rows));
          CHECK(watched.iterations() == ++step);
          if (step % 3 != 0) continue;
          twin = from_file(watched);
          CHECK(bit_difference(weights_of(watched), weights_of(twin)) == "");
        }
      }
      CHECK(bit_difference(weights_of(alone), weights_of(fitted)) == "");
      CHECK(bit_difference(weights_of(watched), weights_of(fitted)) == "");
      CHECK(bit_difference(weights_of(twin), weights_of(fitted)) == "");
      CHECK(bit_difference(predictions(alone, task.inputs()), predictions(fitted, task.inputs())) == "");
      CHECK(alone.evaluate(task.dataset("mse")) == fitted.evaluate(task.dataset("mse")));
    }
  }
}

TEST_CASE_TEMPLATE("online: batches of any size may take turns, and weights may be set between them", T, float,
                   double) {
  const Task<T> task(1200, 3, 2);
  Model<T> model = model_of<T>(true);
  Model<T> asked = model_of<T>(true);
  Index begin = 0;
  for (const Index rows : {1, 500, 2, 1, 64, 300, 1, 1}) {
    for (Model<T>* m : {&model, &asked}) m->train_on_batch(task.dataset("mse", begin, begin + rows));
    asked = from_file(asked);
    begin += rows;
    CHECK(bit_difference(predictions(model, task.inputs()), predictions(asked, task.inputs())) == "");
    std::vector<T> halved = weights_of(asked);
    for (T& weight : halved) weight /= 2;
    for (Model<T>* m : {&model, &asked}) {
      m->set_parameters(halved);
      m->set_learning_rate(0.01 / static_cast<double>(rows));
    }
  }
  for (Model<T>* m : {&model, &asked}) m->fit(task.dataset("mse", 0, 6), {.batch_size = 1});
  CHECK(bit_difference(weights_of(model), weights_of(asked)) == "");
  for (Model<T>* m : {&model, &asked}) m->train_on_batch(task.dataset("mse", 0, 1));
  for (Model<T>* m : {&model, &asked}) m->compile("mae", "sgd");
  CHECK(bit_difference(weights_of(model), weights_of(asked)) == "");
}

TEST_CASE_TEMPLATE("online: an update that overflows leaves all as it was after any number of others", T, float,
                   double) {
  const double rate = sizeof(T) == 4 ? 3e38 : 1.7e308;
  for (const bool small : {true, false}) {
    for (const Index updates : {0, 1, 7, 5000}) {
      CAPTURE(small);
      CAPTURE(updates);
      Task<T> task(40, 3, 2);
      for (T& target : task.y) target *= 50;  // so that one step at the largest rate overflows
      task.weights = draws<T>(40, 0.5, 1.5, 9);
      Model<T> model = model_of<T>(small, Optimizer("sgd", {{"momentum", 0.5}}));
      Model<T> twin = model_of<T>(small, Optimizer("sgd", {{"momentum", 0.5}}));
      for (Index i = 0; i < updates; ++i) {
        for (Model<T>* m : {&model, &twin}) {
          if (i % 5 == 3) m->set_learning_rate(0.02 / static_cast<double>(1 + i % 11));
          m->train_on_batch(task.dataset("mse", i % 37, i % 37 + 1 + i % 3));
        }
      }
      const double before = model.learning_rate();
      model.set_learning_rate(rate);
      CHECK(overflows([&] { model.train_on_batch(task.dataset("mse", 0, 3)); }));
      CHECK(model.learning_rate() == rate);
      CHECK(model.iterations() == updates);
      model.set_learning_rate(before);
      CHECK(bit_difference(weights_of(model), weights_of(twin)) == "");
      for (Model<T>* m : {&model, &twin}) m->train_on_batch(task.dataset("mse", 5, 7));
      CHECK(bit_difference(weights_of(model), weights_of(twin)) == "");
    }
  }
}

TEST_CASE("online: class numbers are kept for an update that is made again") {
  Task<float> task(30, 3, 4);
  const char* const loss = "sparse_categorical_crossentropy";
  const auto compiled = [&] {
    Model<float> model(network_of(true, 3, 4), 4);
    model.compile(loss, Optimizer("sgd", {{"momentum", 0.5}}));
    return model;
  };
  Model<float> model = compiled();
  Model<float> twin = compiled();
  for (Index i = 0; i < 20; ++i) {
    for (Model<float>* m : {&model, &twin}) m->train_on_batch(task.dataset(loss, i, i + 1 + i % 4));
  }
  model.set_learning_rate(3e38);
  task.weights.assign(30, 1000);
  CHECK(overflows([&] { model.train_on_batch(task.dataset(loss, 0, 9)); }));
  CHECK(bit_difference(weights_of(model), weights_of(twin)) == "");
}

TEST_CASE_TEMPLATE("online: with on_batch an update that overflows is undone alone", T, float, double) {
  for (const bool small : {true, false}) {
    CAPTURE(small);
    Task<T> task(60, 3, 2);
    for (T& target : task.y) target *= 50;
    Model<T> model = model_of<T>(small, Optimizer("sgd", {{"momentum", 0.5}}));
    std::vector<T> last;
    FitOptions<T> options{.batch_size = 2, .epochs = 3};
    Index calls = 0;
    options.on_batch = [&](const Progress&) {
      if (++calls % 4 == 0) last = weights_of(model);
      model.set_learning_rate(calls == 44 ? (sizeof(T) == 4 ? 3e38 : 1.7e308)
                                          : 0.01 / static_cast<double>(calls % 3 + 1));
      return false;
    };
    CHECK(overflows([&] { model.fit(task.dataset("mse"), options); }));
    CHECK(calls == 44);
    CHECK(model.iterations() == 44);
    CHECK(bit_difference(weights_of(model), last) == "");
  }
}

TEST_CASE("online: any number of threads may ask at once for weights that training has ahead") {
  const Task<float> task(24, 3, 2);
  Model<float> model = model_of<float>(true);
  Model<float> twin = model_of<float>(true);
  for (int round = 0; round < 20; ++round) {
    for (Model<float>* m : {&model, &twin}) m->train_on_batch(task.dataset("mse", round, round + 1));
    const auto expected = predictions(twin, task.inputs());
    std::vector<std::vector<float>> seen(3);
    {
      std::vector<std::jthread> threads;
      for (auto& own : seen) {
        threads.emplace_back([&] { own = predictions(model, task.inputs()); });
      }
    }
    for (const auto& own : seen) CHECK(bit_difference(own, expected) == "");
  }
}

TEST_CASE("online: one more update allocates its results alone") {
  for (const bool small : {true, false}) {
    const Task<float> task(24, 3, 2);
    Model<float> model = model_of<float>(small);
    for (int i = 0; i < 3; ++i) model.train_on_batch(task.dataset("mse", 0, 4));
    const std::int64_t before = allocations();
    for (int i = 0; i < 100; ++i) model.train_on_batch(task.dataset("mse", 0, 4));
    CHECK(allocations() - before <= 500);
  }
}
