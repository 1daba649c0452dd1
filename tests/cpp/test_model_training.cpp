// SPDX-License-Identifier: Apache-2.0
// What may be done with a model by those whom its training calls: what they see, what is refused, and
// that it lives as long as it is trained.
#include <atomic>
#include <chrono>
#include <sstream>
#include <thread>

#include "laminar/lbfgs.hpp"
#include "laminar/model_file.hpp"
#include "optimizers.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// A model of any size, and data that it learns.
struct Fixture {
  explicit Fixture(Index width_) : width(width_), task(96, 5, 3), model(fresh()) {}

  Model<float> fresh() const {
    Model<float> made(Network(5, {Dense{.units = width, .activation = "tanh"}, Dense{.units = 3}}), 4);
    made.compile(loss, "adam");
    return made;
  }
  Dataset<float> data() const { return task.dataset(loss); }

  Index width;
  Loss loss{"sparse_categorical_crossentropy"};
  Task<float> task;
  Model<float> model;
};

constexpr Index kSmall = 4;
constexpr Index kGeneral = 300;

template <typename Call>
std::string refusal(const Call& call) {
  try {
    call();
  } catch (const std::logic_error& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// What changes a model as a whole.
std::vector<std::pair<std::string, std::function<void(Fixture&)>>> changes() {
  return {{"compile", [](Fixture& f) { f.model.compile(f.loss, "sgd"); }},
          {"fit", [](Fixture& f) { f.model.fit(f.data()); }},
          {"train_on_batch", [](Fixture& f) { f.model.train_on_batch(f.data()); }},
          {"fit_lbfgs", [](Fixture& f) { fit_lbfgs(f.model, f.data()); }},
          {"penalties_per_row", [](Fixture& f) { f.model.set_penalties_per_row(true); }}};
}

/// Options that call `user` once in each way that is named.
FitOptions<float> calling(const std::string& names, const std::function<void()>& user) {
  static const std::atomic<bool> soon{true};
  FitOptions<float> options{.epochs = 2};
  const auto asked = [&](const char* name) { return names.find(name) != std::string::npos; };
  if (asked("poll")) {
    options.poll_soon = &soon;
    options.poll = [user](const Progress&) { return user(), false; };
  }
  if (asked("epoch")) options.on_epoch = [user](Index, std::span<const Log>) { return user(), false; };
  if (asked("batch")) options.on_batch = [user](const Progress&) { return user(), false; };
  return options;
}

}  // namespace

TEST_CASE("model: changes are refused by name to those whom fit calls") {
  for (const Index width : {kSmall, kGeneral}) {
    for (const char* caller : {"poll", "epoch", "batch"}) {
      for (const auto& [name, change] : changes()) {
        Fixture f(width);
        std::string said;
        f.model.fit(f.data(), calling(caller, [&] { said = refusal([&] { change(f); }); }));
        CHECK(said == name + ": the model is being trained");
        change(f);  // which it may afterwards
      }
    }
  }
}

TEST_CASE("model: between batches numbers may change, at a poll they may not") {
  for (const Index width : {kSmall, kGeneral}) {
    Fixture f(width);
    const std::vector<std::pair<std::string, std::function<void()>>> uses = {
        {"set_parameters", [&] { f.model.set_parameters(weights_of(f.model)); }},
        {"learning_rate", [&] { f.model.set_learning_rate(0.5 * f.model.learning_rate()); }}};
    for (const auto& [name, use] : uses) {
      int calls = 0;
      f.model.fit(f.data(), calling("epoch batch", [&, &use = use] {
                    use();
                    ++calls;
                  }));
      CHECK(calls == 8);
      std::string said;
      f.model.fit(f.data(), calling("poll", [&, &use = use] { said = refusal(use); }));
      CHECK(without(said, {name.c_str(), "is being trained", "on_batch and on_epoch may"}) == "");
    }
  }
}

TEST_CASE("model: gradients may be asked for whenever fit calls, inside of long steps too") {
#ifdef __SANITIZE_ADDRESS__
  constexpr Index kRows = 500;
#else
  constexpr Index kRows = 20'000;  // a step takes much more than 50 ms
#endif
  const Task<float> task(kRows, 200, 2);
  const Dataset<float> few = task.dataset("mse", 0, 40);
  const std::vector<float> d_out(80, 1);
  const Network network(200, {Dense{.units = 300, .activation = "tanh"}, Dense{.units = 300}, Dense{.units = 2}});
  const auto compiled = [&] {
    Model<float> model(network, 3);
    model.compile("mse", "sgd");
    return model;
  };
  const Threads one(1);
  Model<float> expected = compiled();
  expected.fit(task.dataset("mse"), {.batch_size = kRows, .epochs = 2});
  Model<float> model = compiled();
  std::vector<float> gradients(model.parameters().size());
  int calls = 0;
  const std::atomic<bool> soon = true;
  FitOptions<float> options{.batch_size = kRows, .epochs = 2};
  options.poll_soon = &soon;
  options.poll = [&](const Progress&) {
    const std::vector<float> at(weights_of(model));
    model.loss_and_gradients(few, gradients);
    model.backward(few.x, {view(d_out), 2}, gradients);
    CHECK(bit_difference(weights_of(model), at) == "");
    return ++calls < 0;
  };
  model.fit(task.dataset("mse"), options);
  CHECK(calls > 2);
  CHECK(bit_difference(weights_of(model), weights_of(expected)) == "");
}

TEST_CASE("model: gradients of many threads at once are those of one") {
  const Network small(3, {Dense{.units = 4, .activation = "tanh"}, Dense{.units = 2}});
  const Network general(3, {Dense{.units = 40, .activation = "tanh"}, Dropout{.rate = 0.5}, Dense{.units = 2}});
  const Task<float> task(300, 3, 2);
  for (const Network& network : {small, general}) {
    Model<float> made(network, 3);
    made.compile("mse", "adam");
    made.fit(task.dataset("mse"), {});
    const Model<float>& model = made;
    const auto all = [&] {
      std::vector<float> found;
      for (const Index rows : {7, 300}) {
        std::vector<float> gradients(model.parameters().size());
        found.push_back(static_cast<float>(model.loss_and_gradients(task.dataset("mse", 0, rows), gradients)));
        found.insert(found.end(), gradients.begin(), gradients.end());
      }
      return found;
    };
    const std::vector<float> expected = all();
    std::vector<std::vector<float>> results(16);
    std::vector<std::thread> threads;
    for (auto& result : results) {
      threads.emplace_back([&] {
        for (int times = 0; times < 10; ++times) result = all();
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& result : results) CHECK(bit_difference(result, expected) == "");
    // What is kept of the memory is of no other loss.
    std::vector<float> gradients(model.parameters().size());
    made.compile("mae", "adam");
    Model<float> fresh(network, 3);
    fresh.set_parameters(model.parameters());
    fresh.compile("mae", "adam");
    std::vector<float> wanted(gradients.size());
    fresh.loss_and_gradients(task.dataset("mae"), wanted);
    model.loss_and_gradients(task.dataset("mae"), gradients);
    CHECK(bit_difference(gradients, wanted) == "");
  }
}

TEST_CASE("model: moved, assigned to or destroyed by those whom fit calls, it is trained to the end") {
  for (const Index width : {kSmall, kGeneral}) {
    for (const char* caller : {"poll", "epoch", "batch"}) {
      Fixture f(width);
      Model<float> expected = f.fresh();
      const History history = expected.fit(f.data(), {.epochs = 2});

      std::optional<Model<float>> kept;
      const History moved = f.model.fit(f.data(), calling(caller, [&] {
                                          if (!kept.has_value()) kept.emplace(std::move(f.model));
                                        }));
      CHECK(moved.epochs == history.epochs);
      REQUIRE(kept.has_value());
      CHECK(bit_difference(weights_of(*kept), weights_of(expected)) == "");

      Model<float> assigned = f.fresh();
      CHECK(assigned.fit(f.data(), calling(caller, [&] { assigned = f.fresh(); })).epochs == history.epochs);
      CHECK(bit_difference(weights_of(assigned), weights_of(f.fresh())) == "");

      auto destroyed = std::make_unique<Model<float>>(f.fresh());
      CHECK(destroyed->fit(f.data(), calling(caller, [&] { destroyed.reset(); })).epochs == history.epochs);
      CHECK(destroyed == nullptr);
    }
  }
}

TEST_CASE("model: an exception from a callback leaves a model that may be changed") {
  Fixture f(kGeneral);
  for (const char* caller : {"poll", "epoch", "batch"}) {
    CHECK_THROWS_AS(f.model.fit(f.data(), calling(caller, [] { throw std::runtime_error("enough"); })),
                    std::runtime_error);
    f.model.compile(f.loss, "adam");
  }
}

TEST_CASE("fit_lbfgs: changes are refused in on_iteration, and the model lives on") {
  Fixture f(kGeneral);
  Model<float> expected = f.fresh();
  LbfgsOptions options{.max_iterations = 5};
  fit_lbfgs(expected, f.data(), options);
  std::vector<std::string> said;
  auto model = std::make_unique<Model<float>>(f.fresh());
  std::vector<float> last;
  options.on_iteration = [&](Index iteration, double) {
    if (iteration == 1) {
      said.push_back(refusal([&] { model->compile(f.loss, "sgd"); }));
      said.push_back(refusal([&] { fit_lbfgs(*model, f.data()); }));
    }
    last = weights_of(*model);
    return false;
  };
  fit_lbfgs(*model, f.data(), options);
  CHECK(said ==
        std::vector<std::string>{"compile: the model is being trained", "fit_lbfgs: the model is being trained"});
  CHECK(bit_difference(last, weights_of(expected)) == "");
  model->compile(f.loss, "sgd");
  const Index iterations = fit_lbfgs(expected, f.data(), {.max_iterations = 5}).iterations;
  CHECK(iterations > 0);
  options.on_iteration = [&](Index, double) { return model.reset(), false; };
  CHECK(fit_lbfgs(*model, f.data(), options).iterations == iterations);
}

TEST_CASE("fit: what a poll saves goes on to the same bits") {
  using Options = FitOptions<float>;
  const std::vector<Options> ways = {{.batch_size = 8, .epochs = 4},
                                     {.batch_size = 1, .epochs = 2},
                                     {.batch_size = 96, .memory_limit = 300'000, .epochs = 4}};
  for (const Optimizer& optimizer : {Optimizer("adam"), Optimizer("sgd", {{"gradient_accumulation_steps", 3}})}) {
    for (const Index width : {kSmall, kGeneral}) {
      for (Options options : ways) {
        for (const int threads : {1, 2}) {
          const Threads scope(threads);
          Fixture f(width);
          const Task<float> held_out(40, 5, 3, 9);
          const Dataset<float> validation = held_out.dataset(f.loss);
          f.model.compile(f.loss, optimizer, {Metric("accuracy")});
          if (options.memory_limit > 0 && width == kSmall) continue;
          options.validation = &validation;
          std::vector<std::vector<std::byte>> files;
          std::vector<Index> updates;
          static const std::atomic<bool> soon{true};
          options.poll_soon = &soon;
          options.poll = [&](const Progress&) {
            files.push_back(model_bytes(f.model));
            updates.push_back(f.model.iterations());
            return false;
          };
          const History history = f.model.fit(f.data(), options);
          options.poll = {};
          REQUIRE(files.size() > 3);
          for (std::size_t i = 0; i < files.size(); i += 1 + files.size() / 7) {
            CAPTURE(i);
            Model<float> loaded = ModelFile(files[i]).model<float>();
            CHECK(loaded.iterations() == updates[i]);
            Options rest = options;
            rest.resume = true;
            const History gone_on = loaded.fit(f.data(), rest);
            CHECK(bit_difference(weights_of(loaded), weights_of(f.model)) == "");
            REQUIRE(!gone_on.epochs.empty());
            CHECK(gone_on.epochs.back() == history.epochs.back());
          }
        }
      }
    }
  }
}

TEST_CASE("fit: a label that leaves its range on the way ends training") {
  for (const Index width : {kSmall, kGeneral}) {
    for (const Index batch_size : {1, 8}) {
      for (const std::int32_t label : {-1, 3, std::numeric_limits<std::int32_t>::max()}) {
        Fixture f(width);
        f.model.compile(f.loss, "adam",
                        {Metric("accuracy"), Metric("sparse_top_k_categorical_accuracy"),
                         Metric("sparse_categorical_crossentropy")});
        FitOptions<float> options{.batch_size = batch_size, .epochs = 3};
        options.on_epoch = [&](Index, std::span<const Log>) {
          f.task.labels[40] = label;
          return false;
        };
        CHECK_THROWS_AS(f.model.fit(f.data(), options), NonFiniteError);
        CHECK_THROWS_AS(f.model.evaluate(f.data()), std::invalid_argument);
      }
    }
  }
}
