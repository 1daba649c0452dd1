// SPDX-License-Identifier: Apache-2.0
// Training on rows of sources is training on the same rows in memory wherever the order is the same, for any
// number of threads.
#include "odd_rows.hpp"

#include <filesystem>
#include <thread>

using namespace laminar;
using namespace laminar::tests;

TEST_CASE("fit: a source is trained on like the same rows in memory") {
  for (const char* name : {"mse", "sparse_categorical_crossentropy"}) {
    for (const bool weighted : {false, true}) {
      const Loss loss(name);
      Task<float> task(101, kFeatures, kOutputs);
      if (weighted) task.weights = draws<float>(101, 0.5, 2, 8);
      const Dataset<float> data = task.dataset(loss);
      for (const bool shuffle : {false, true}) {
        Model<float> expected = model_for(loss);
        const History history =
            expected.fit(data, {.batch_size = 8, .epochs = 2, .shuffle = shuffle, .validation = &data});
        // With an order of its own, a source is the same only as a whole.
        for (const Index buffer : shuffle ? std::vector<Index>{1 << 20} : std::vector<Index>{400, 700, 1 << 20}) {
          for (const bool tells : {true, false}) {
            if (shuffle && !tells) continue;
            OddRows source(data, 4, tells);
            OddRows validation(data, 2, tells);
            FitOptions<float> options{.batch_size = 8, .epochs = 2, .shuffle = shuffle, .buffer_size = buffer};
            options.validation_source = &validation;
            Model<float> model = model_for(loss);
            const History found = model.fit(source, options);
            CHECK(weights_of(model) == weights_of(expected));
            REQUIRE(found.epochs.size() == 2);
            for (std::size_t i = 0; i < history.epochs[1].size(); ++i) {
              CHECK(found.epochs[1][i] == doctest::Approx(history.epochs[1][i]).epsilon(1e-12));
            }
            CHECK(model.evaluate(source, buffer)[0] == doctest::Approx(expected.evaluate(data)[0]).epsilon(1e-12));
          }
        }
      }
    }
  }
}

TEST_CASE("fit: a source in blocks, shuffled: the same bits for any number of threads") {
  const Task<float> task(333, kFeatures, kOutputs);
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 4}) {
    const Threads number(threads);
    OddRows source(task.dataset("mse"), 9);
    Model<float> model = model_for("mse");
    model.fit(source, {.batch_size = 16, .epochs = 3, .buffer_size = 100 * kRowBytes});
    if (threads == 1) first = weights_of(model);
    CHECK(weights_of(model) == first);
  }
}

TEST_CASE("fit: of a source every batch is told, and which one is the last") {
  const Task<float> task(50, kFeatures, kOutputs);
  for (const bool tells : {true, false}) {
    OddRows source(task.dataset("mse"), 3, tells);
    Model<float> model = model_for("mse");
    std::vector<Index> done;
    std::vector<bool> last;
    FitOptions<float> options{.batch_size = 5, .epochs = 2, .buffer_size = 20 * kRowBytes};
    options.on_batch = [&](const Progress& progress) {
      CHECK(progress.batches == (tells ? 10 : 0));
      done.push_back(progress.batches_done);
      last.push_back(progress.last);
      return false;
    };
    model.fit(source, options);
    REQUIRE(done.size() == 20);
    for (std::size_t i = 0; i < 20; ++i) {
      CHECK(done[i] == static_cast<Index>(i % 10) + 1);
      CHECK(last[i] == (i % 10 == 9));
    }
  }
}

TEST_CASE("fit: training on a source goes on inside an epoch") {
  const Task<float> task(50, kFeatures, kOutputs);
  for (const bool tells : {true, false}) {
    const FitOptions<float> whole{.batch_size = 4, .epochs = 2, .buffer_size = 20 * kRowBytes};
    OddRows source(task.dataset("mse"), 3, tells);
    Model<float> expected = model_for("mse");
    expected.fit(source, whole);
    for (const Index stop_at : {1, 2, 3, 7, 12, 13, 20}) {
      Model<float> model = model_for("mse");
      Index asked = 0;
      FitOptions<float> options = whole;
      options.on_batch = [](const Progress&) { return false; };
      options.on_batch = [&](const Progress&) {
        if (++asked == stop_at) throw std::runtime_error("enough");
        return false;
      };
      CHECK_THROWS_AS(model.fit(source, options), std::runtime_error);
      FitOptions<float> rest = whole;
      rest.resume = true;
      model.fit(source, rest);
      CHECK(weights_of(model) == weights_of(expected));
    }
  }
}

TEST_CASE("fit: inside an epoch, other blocks cannot go on") {
  const Task<float> task(50, kFeatures, kOutputs);
  OddRows source(task.dataset("mse"), 3);
  Model<float> model = model_for("mse");
  FitOptions<float> options{.batch_size = 4, .epochs = 2, .buffer_size = 20 * kRowBytes};
  options.on_batch = [](const Progress& progress) -> bool {
    if (progress.batches_done == 4) throw std::runtime_error("enough");
    return false;
  };
  CHECK_THROWS_AS(model.fit(source, options), std::runtime_error);
  FitOptions<float> rest{.batch_size = 4, .epochs = 2, .resume = true, .buffer_size = 30 * kRowBytes};
  const auto told = message_of([&] { model.fit(source, rest); });
  CHECK(without(told, {"fit: resume", "blocks of 8 from 3 parts", "blocks of 12 from 3 parts"}) == "");
  CHECK(without(message_of([&] { model.fit(task.dataset("mse"), rest); }), {"fit: resume", "blocks of 8"}) == "");
  rest.buffer_size = options.buffer_size;
  OddRows other(task.dataset("mse"), 2);
  CHECK(without(message_of([&] { model.fit(other, rest); }), {"fit: resume", "from 2 parts"}) == "");
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "laminar_blocks.safetensors";
  save_model(model, path);
  Model<float> loaded = load_model<float>(path);
  std::filesystem::remove(path);
  CHECK(without(message_of([&] { loaded.fit(other, rest); }), {"fit: resume", "from 2 parts"}) == "");
  loaded.fit(source, rest);
  model.fit(source, rest);
  CHECK(weights_of(loaded) == weights_of(model));
}

TEST_CASE("fit: wrong rows of a validation source are met before the first update") {
  Task<float> task(50, kFeatures, kOutputs);
  OddRows source(task.dataset("mse"));
  Task<float> broken = task;
  broken.x[7] = std::nanf("");
  OddRows validation(broken.dataset("mse"));
  Model<float> model = model_for("mse");
  const std::vector<float> before = weights_of(model);
  FitOptions<float> options;
  options.validation_source = &validation;
  CHECK(without(message_of([&] { model.fit(source, options); }), {"fit: validation_data: x must be finite"}) == "");
  CHECK(weights_of(model) == before);
  options.validation_source = &source;
  CHECK(without(message_of([&] { model.fit(source, options); }), {"validation_source must be another object"}) == "");
}

TEST_CASE("fit: blocks within a limit of memory") {
  const Task<float> task(3000, kFeatures, kOutputs);
  OddRows source(task.dataset("mse"));
  Model<float> expected = model_for("mse");
  Model<float> model = model_for("mse");
  FitOptions<float> options{.batch_size = 1000, .shuffle = false};
  expected.fit(task.dataset("mse"), options);
  options.memory_limit = 100'000;
  options.buffer_size = 2500 * kRowBytes;
  model.fit(source, options);
  CHECK(difference(weights_of(model), weights_of(expected), 1e-5) == "");
}

TEST_CASE("fit: pieces that are batches are updates of these rows, read when they are due") {
  const Task<float> task(53, kFeatures, kOutputs);  // in pieces of 5 rows, and some of fewer at the ends of parts
  const Dataset<float> data = task.dataset("mse");
  Model<float> expected = model_for("mse");
  for (int epoch = 0; epoch < 2; ++epoch) {
    OddRows pieces(data, 3, false);
    for (Index part = 0; part < 3; ++part) {
      pieces.open(part);
      for (Dataset<float> rows = pieces.next(); rows.x.rows > 0; rows = pieces.next()) expected.train_on_batch(rows);
    }
  }
  for (const Index told : {Index{0}, Index{12}}) {
    for (const bool hooks : {false, true}) {
      for (const Index limit : {Index{0}, Index{100'000}}) {
        OddRows source(data, 3, false);
        source.own_batches = told;
        const std::thread::id caller = std::this_thread::get_id();
        source.reads = [&] { CHECK(std::this_thread::get_id() == caller); };
        FitOptions<float> options{.memory_limit = limit, .epochs = 2, .shuffle = false};
        Index done = 0;
        Index ends = 0;
        if (hooks) {
          options.on_batch = [&](const Progress& progress) {
            CHECK(progress.batches == told);
            ends += progress.last ? 1 : 0;
            ++done;
            return false;
          };
        }
        Model<float> model = model_for("mse");
        model.fit(source, options);
        CHECK(weights_of(model) == weights_of(expected));
        CHECK(model.iterations() == 24);
        if (hooks) CHECK((done == 24 && ends == 2));
        CHECK(model.evaluate(source, 400)[0] == doctest::Approx(expected.evaluate(data)[0]).epsilon(1e-12));
      }
    }
  }
}

TEST_CASE("fit: rows in memory are checked and weighed before they come as batches") {
  Task<float> task(50, kFeatures, kOutputs);
  task.weights = draws<float>(50, 0.5, 2, 8);
  const Dataset<float> data = task.dataset("mse");
  Model<float> expected = model_for("mse");
  expected.fit(data, {.batch_size = 5, .epochs = 2, .shuffle = false});
  OddRows source(data, 1, false);
  source.own_batches = 10;
  source.everything = data;
  Model<float> model = model_for("mse");
  model.fit(source, {.epochs = 2, .shuffle = false});
  CHECK(weights_of(model) == weights_of(expected));
  const std::vector<float> before = weights_of(model);
  task.x[as_size(42 * kFeatures + 1)] = std::nanf("");
  CHECK(without(message_of([&] { model.fit(source, {}); }), {"fit: x must be finite, but row 42, column 1 is nan"}) ==
        "");
  CHECK(weights_of(model) == before);
}

TEST_CASE("fit: inside an epoch of batches of their own it can be gone on") {
  const Task<float> task(53, kFeatures, kOutputs);
  OddRows source(task.dataset("mse"), 3, false);
  source.own_batches = 12;
  Model<float> expected = model_for("mse");
  expected.fit(source, {.epochs = 2});  // whose parts are shuffled
  Model<float> model = model_for("mse");
  FitOptions<float> options{.epochs = 2};
  options.on_batch = [](const Progress& progress) -> bool {
    if (progress.batches_done == 4) throw std::runtime_error("enough");
    return false;
  };
  CHECK_THROWS_AS(model.fit(source, options), std::runtime_error);
  const std::filesystem::path path = std::filesystem::temp_directory_path() / "laminar_batches.safetensors";
  save_model(model, path);
  Model<float> loaded = load_model<float>(path);
  std::filesystem::remove(path);
  source.own_batches = 11;
  const FitOptions<float> rest{.epochs = 2, .resume = true};
  CHECK(without(message_of([&] { loaded.fit(source, rest); }), {"fit: resume", "sizes of their own, 12 an epoch"}) ==
        "");
  CHECK(without(message_of([&] { loaded.fit(task.dataset("mse"), rest); }), {"fit: resume", "their own"}) == "");
  source.own_batches = 12;
  loaded.fit(source, rest);
  CHECK(weights_of(loaded) == weights_of(expected));
}

TEST_CASE("fit: validation after some epochs") {
  const Task<float> task(40, kFeatures, kOutputs);
  const Dataset<float> data = task.dataset("mse");
  const auto sizes = [&](FitOptions<float> options) {
    options.epochs = 6;
    options.validation = &data;
    Model<float> model = model_for("mse");
    std::vector<std::size_t> found;
    for (const std::vector<double>& values : model.fit(data, options).epochs) found.push_back(values.size());
    return found;
  };
  CHECK(sizes({.validation_frequency = 3}) == std::vector<std::size_t>{2, 2, 4, 2, 2, 4});
  CHECK(sizes({.validation_epochs = {1, 5, 9}}) == std::vector<std::size_t>{4, 2, 2, 2, 4, 2});
  CHECK(without(message_of([&] { sizes({.validation_frequency = 0}); }), {"fit: validation_frequency", "got 0"}) == "");
}

TEST_CASE("fit: what is wrong with a source is said") {
  Task<float> task(50, kFeatures, kOutputs);
  Model<float> model = model_for("mse");
  const auto told = [&](RowSource<float>& source, FitOptions<float> options = {}) {
    return message_of([&] { model.fit(source, options); });
  };
  OddRows good(task.dataset("mse"));
  const Dataset<float> data = task.dataset("mse");
  FitOptions<float> both;
  both.validation = &data;
  both.validation_source = &good;
  CHECK(without(told(good, both), {"fit: validation", "got both"}) == "");
  CHECK(without(told(good, {.buffer_size = 0}), {"fit: buffer_size", "got 0"}) == "");
  OddRows labels(task.dataset("sparse_categorical_crossentropy"));
  CHECK(without(told(labels), {"fit: the loss 'mse' takes rows of 2 values as y", "class numbers"}) == "");
  const Task<float> wide(10, kFeatures + 1, kOutputs);
  OddRows features(wide.dataset("mse"));
  CHECK(without(told(features), {"fit: the source has 4 features, the network takes 3"}) == "");
  OddRows none(task.dataset("mse", 0, 0), 1, false);
  CHECK(without(told(none), {"fit: the source has no rows"}) == "");
  task.x[as_size(20 * kFeatures + 1)] = std::nanf("");
  OddRows broken(task.dataset("mse"), 2);
  CHECK(without(told(broken),
                {"fit: x must be finite, but row 0, column 1 is nan", "counting from row 20 of part 0"}) == "");
  task.x[as_size(20 * kFeatures + 1)] = 0;
  task.weights.assign(50, 0.0F);
  OddRows weightless(task.dataset("mse"));
  CHECK(without(told(weightless), {"sample_weight must be positive for at least one row"}) == "");
}
