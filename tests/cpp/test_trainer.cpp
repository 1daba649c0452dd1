// SPDX-License-Identifier: Apache-2.0
// The epoch loop: what it computes, in which order, and that neither threads nor pauses change a bit.
#include "laminar/training/trainer.hpp"

#include "allocations.hpp"
#include "laminar/base/random.hpp"
#include "laminar/files/config.hpp"
#include "optimizers.hpp"
#include "reference.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// Odd sizes, dropout, a loss fused with its activation.
Network odd_network() {
  return {7,
          {Dense{.units = 33, .activation = "relu"}, Dropout{.rate = 0.2}, Dense{.units = 17, .activation = "tanh"},
           Dense{.units = 5, .activation = "softmax"}}};
}
const char* const kOddLoss = "sparse_categorical_crossentropy";

template <typename T>
Task<T> odd_task(Index rows = 101) {
  Task<T> task(rows, 7, 5);
  task.weights = draws<T>(rows, 0, 2, 9);
  return task;
}

template <typename T>
Model<T> odd_model(const Optimizer& optimizer = "adam") {
  Model<T> model(odd_network(), 7);
  model.compile(kOddLoss, optimizer, {"accuracy"});
  return model;
}

/// The rows that an epoch of a model visits, in their order.
std::vector<Index> epoch_order(std::uint64_t seed, Index epoch, Index rows) {
  std::vector<Index> order(as_size(rows));
  fill_permutation(RandomStream(seed, Purpose::shuffle, 0, static_cast<std::uint32_t>(epoch)), order);
  return order;
}

template <typename T>
Task<T> gathered(const Task<T>& task, std::span<const Index> order) {
  Task<T> out(static_cast<Index>(order.size()), task.features, task.outputs);
  out.weights.resize(task.weights.empty() ? 0 : order.size());
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto row = as_size(order[i]);
    const auto copy = [&](const auto& from, auto& to, Index width) {
      std::copy_n(from.begin() + static_cast<Index>(row) * width, width, to.begin() + static_cast<Index>(i) * width);
    };
    copy(task.x, out.x, task.features);
    copy(task.y, out.y, task.outputs);
    out.labels[i] = task.labels[row];
    if (!task.weights.empty()) out.weights[i] = task.weights[row];
  }
  return out;
}

}  // namespace

TEST_CASE_TEMPLATE("trainer: weights and losses are the reference's, with every optimizer", T, float, double) {
  const double tolerance = sizeof(T) == 4 ? 2e-4 : 1e-10;
  const auto task = odd_task<T>(29);
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    const std::string entry = to_json(optimizer);
    CAPTURE(entry);
    // A step by the sign alone is as uncertain as the sign of the smallest gradient.
    if (sizeof(T) == 4 && std::string_view(optimizer.name()) == "rprop") continue;
    auto model = odd_model<T>(optimizer);
    auto weights = as_double(model.parameters());
    const double mean_weight = reference::matrix(task.weights, 29, 1).mean();
    reference::Slots slots;
    std::vector<double> losses;
    Index step = 0;
    for (Index epoch = 0; epoch < 3; ++epoch) {
      const auto order = epoch_order(7, epoch, 29);
      double sum = 0;
      double weight = 0;
      for (Index first = 0; first < 29; first += 8, ++step) {
        const auto part =
            gathered<T>(task, std::span(order).subspan(as_size(first), as_size(std::min<Index>(8, 29 - first))));
        const reference::Batch batch{reference::matrix(part.x, part.rows(), 7), reference::one_hot(part.labels, 5),
                                     reference::matrix(part.weights, part.rows(), 1), mean_weight};
        const auto run = reference::run(model.network(), weights, batch, kOddLoss, reference::kClip<T>, 7, step);
        sum += run.losses.sum();
        weight += batch.weights.sum();
        reference::update(optimizer, step + 1, weights, run.gradients, slots);
      }
      losses.push_back(sum / weight);
    }
    const History history = model.fit(task.dataset(kOddLoss), {.batch_size = 8, .epochs = 3});
    CHECK(difference(model.parameters(), weights, tolerance) == "");
    for (std::size_t i = 0; i < 3; ++i) CHECK(history.epochs[i][0] == doctest::Approx(losses[i]).epsilon(tolerance));
    CHECK(model.iterations() == step);
  }
}

TEST_CASE_TEMPLATE("trainer: the same bits for any number of threads", T, float, double) {
  const auto task = odd_task<T>();
  const auto train = [&](int threads) {
    const Threads scope(threads);
    auto model = odd_model<T>();
    const History history = model.fit(task.dataset(kOddLoss), {.batch_size = 32, .epochs = 3});
    auto all = as_double(model.parameters());
    for (const auto& epoch : history.epochs) all.insert(all.end(), epoch.begin(), epoch.end());
    return all;
  };
  const auto expected = train(1);
  for (const int threads : {2, 3, 4, 0}) {
    CAPTURE(threads);
    CHECK(bit_difference(train(threads), expected) == "");
  }
}

TEST_CASE_TEMPLATE("trainer: two epochs and three are five, bit for bit", T, float, double) {
  const auto task = odd_task<T>();
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    auto whole = odd_model<T>(optimizer);
    const History all = whole.fit(task.dataset(kOddLoss), {.batch_size = 32, .epochs = 5});
    auto parts = odd_model<T>(optimizer);
    parts.fit(task.dataset(kOddLoss), {.batch_size = 32, .epochs = 2});
    const History rest = parts.fit(task.dataset(kOddLoss), {.batch_size = 32, .epochs = 5, .initial_epoch = 2});
    CHECK(bit_difference(weights_of(parts), weights_of(whole)) == "");
    REQUIRE(rest.epochs.size() == 3);
    CHECK(bit_difference(rest.epochs[2], all.epochs[4]) == "");
  }
}

TEST_CASE_TEMPLATE("trainer: an epoch is its batches one by one, bit for bit", T, float, double) {
  auto task = odd_task<T>();
  task.weights.clear();  // a single batch does not know what the others weigh
  auto whole = odd_model<T>();
  auto steps = odd_model<T>();
  whole.fit(task.dataset(kOddLoss), {.batch_size = 32, .epochs = 2});
  for (Index epoch = 0; epoch < 2; ++epoch) {
    const auto part = gathered<T>(task, epoch_order(7, epoch, 101));
    for (Index first = 0; first < 101; first += 32) {
      steps.train_on_batch(part.dataset(kOddLoss, first, std::min<Index>(first + 32, 101)));
    }
  }
  CHECK(bit_difference(weights_of(steps), weights_of(whole)) == "");
  CHECK(steps.iterations() == 8);
}

TEST_CASE("trainer: updates per epoch") {
  const Task<float> task(100, 2, 1);
  const auto updates = [&](Index batch_size, Index epochs) {
    Model<float> model(Network(2, {Dense{.units = 1}}));
    model.compile("mse", "sgd");
    model.fit(task.dataset("mse"), {.batch_size = batch_size, .epochs = epochs});
    return model.iterations();
  };
  CHECK(updates(9, 1) == 12);
  CHECK(updates(10, 1) == 10);
  CHECK(updates(100, 3) == 3);
  CHECK(updates(1000, 3) == 3);
  CHECK(updates(std::numeric_limits<Index>::max(), 1) == 1);
  CHECK(updates(1, 2) == 200);
  CHECK(updates(10, 0) == 0);
}

TEST_CASE_TEMPLATE("trainer: a partial batch counts by its rows", T, float, double) {
  const Task<T> task(101, 7, 5);
  const double close = 50 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Index batch_size : {1, 7, 32, 100, 101}) {
    Model<T> model(Network(7, {Dense{.units = 5, .activation = "softmax"}}));
    model.compile("categorical_crossentropy", Optimizer("sgd", {{"learning_rate", 0}}), {"accuracy", "rmse"});
    const auto data = task.dataset("categorical_crossentropy");
    const auto epoch = model.fit(data, {.batch_size = batch_size}).epochs[0];
    CHECK(difference(epoch, model.evaluate(data), close) == "");
  }
}

TEST_CASE_TEMPLATE("trainer: a weight of 2 is a row repeated, a weight of 0 a row left out", T, float, double) {
  Task<T> weighted(6, 3, 2);
  weighted.weights = {1, 2, 0, 1, 3, 1};
  const Index repeated[] = {0, 1, 1, 3, 4, 4, 4, 5};
  auto plain = gathered<T>(weighted, repeated);
  plain.weights.clear();
  const auto train = [](const Task<T>& task) {
    Model<T> model(Network(3, {Dense{.units = 9, .activation = "tanh"}, Dense{.units = 2}}));
    model.compile("mse", Optimizer("sgd", {{"learning_rate", 0.1}, {"momentum", 0.9}}));
    const History history = model.fit(task.dataset("mse"), {.batch_size = 100, .epochs = 5});
    auto all = as_double(model.parameters());
    for (const auto& epoch : history.epochs) all.push_back(epoch[0]);
    all.push_back(model.evaluate(task.dataset("mse"))[0]);
    return all;
  };
  CHECK(difference(train(weighted), train(plain), 50 * static_cast<double>(std::numeric_limits<T>::epsilon())) == "");
}

TEST_CASE("trainer: rows in their order without shuffling, in a new order every epoch with it") {
  const Task<double> task(64, 3, 1);
  const auto train = [&](bool shuffle, Index epochs) {
    Model<double> model(Network(3, {Dense{.units = 1}}), 3);
    model.compile("mse", "sgd");
    model.fit(task.dataset("mse"), {.batch_size = 8, .epochs = epochs, .shuffle = shuffle});
    return model;
  };
  Model<double> ordered(Network(3, {Dense{.units = 1}}), 3);
  ordered.compile("mse", "sgd");
  for (Index first = 0; first < 64; first += 8) ordered.train_on_batch(task.dataset("mse", first, first + 8));
  CHECK(bit_difference(weights_of(train(false, 1)), weights_of(ordered)) == "");
  CHECK(bit_difference(weights_of(train(true, 1)), weights_of(ordered)) != "");
  CHECK(epoch_order(3, 0, 64) != epoch_order(3, 1, 64));
}

TEST_CASE_TEMPLATE("trainer: rows read where they lie train the bits of copied ones", T, float, double) {
  for (const Index features : {1, 31, 33, 256, 784}) {
    CAPTURE(features);
    const Task<T> task(50, features, 2);
    const auto train = [&](std::vector<Layer> layers) {
      layers.insert(layers.end(), {Dense{.units = 70, .activation = "tanh"}, Flatten{}, Dense{.units = 2}});
      Model<T> model(Network(features, layers), 3);
      model.compile("mse", "adam");
      model.fit(task.dataset("mse"), {.batch_size = 20, .epochs = 2, .shuffle = false});
      return weights_of(model);
    };
    const auto in_place = train({});
    CHECK(bit_difference(in_place, train({Dropout{.rate = 0}})) == "");  // which asks for a copy
    CHECK(bit_difference(in_place, train({Reshape{.target_shape = {features, 1}}, Flatten{}})) == "");
  }
}

TEST_CASE("trainer: linear regression reaches the least squares solution") {
  const Task<double> task(50, 3, 2);
  Model<double> model(Network(3, {Dense{.units = 2, .use_bias = false}}));
  model.compile("mse", Optimizer("sgd", {{"learning_rate", 0.5}, {"momentum", 0.8}}));
  model.fit(task.dataset("mse"), {.batch_size = 50, .epochs = 1000});
  const auto x = reference::matrix(task.x, 50, 3);
  const auto y = reference::matrix(task.y, 50, 2);
  const reference::Matrix weights = reference::matrix(model.tensor(0), 3, 2);
  CHECK((x.transpose() * (x * weights - y)).cwiseAbs().maxCoeff() < 1e-12);  // the normal equations
}

TEST_CASE_TEMPLATE("trainer: XOR is learned by a hidden layer and not without", T, float, double) {
  const std::vector<T> x = {0, 0, 0, 1, 1, 0, 1, 1};
  const std::vector<T> y = {0, 1, 1, 0};
  const Dataset<T> data{{view(x), 2}, MatrixView<const T>{view(y), 1}, {}};
  const auto accuracy = [&](std::vector<Layer> layers) {
    layers.emplace_back(Dense{.units = 1, .activation = "sigmoid"});
    Model<T> model(Network(2, layers), 1);
    model.compile("binary_crossentropy", Optimizer("adam", {{"learning_rate", 0.05}}), {"accuracy"});
    model.fit(data, {.batch_size = 4, .epochs = 500});
    return model.evaluate(data)[1];
  };
  CHECK(accuracy({Dense{.units = 8, .activation = "tanh"}}) == 1);
  CHECK(accuracy({}) < 1);
}

TEST_CASE_TEMPLATE("trainer: validation is evaluation after the epoch, and changes nothing", T, float, double) {
  const auto task = odd_task<T>();
  const auto held_out = odd_task<T>(13);
  const Dataset<T> validation = held_out.dataset(kOddLoss);
  auto with = odd_model<T>();
  auto without_it = odd_model<T>();
  std::vector<std::vector<double>> expected;
  FitOptions<T> options{.epochs = 2, .validation = &validation};
  options.on_epoch = [&](Index epoch, std::span<const Log> logs) {
    CHECK(epoch == static_cast<Index>(expected.size()));
    CHECK(logs.size() == 4);
    expected.push_back(with.evaluate(validation));
    return false;
  };
  const History history = with.fit(task.dataset(kOddLoss), options);
  without_it.fit(task.dataset(kOddLoss), {.epochs = 2});
  CHECK(bit_difference(weights_of(with), weights_of(without_it)) == "");
  CHECK(history.names == std::vector<std::string>{"loss", "accuracy", "val_loss", "val_accuracy"});
  for (std::size_t i = 0; i < 2; ++i) {
    CHECK(bit_difference(std::vector<double>(history.epochs[i].begin() + 2, history.epochs[i].end()), expected[i]) ==
          "");
  }
}

TEST_CASE_TEMPLATE("trainer: a thousand more steps allocate nothing more", T, float, double) {
  const auto task = odd_task<T>(8 * 1100);
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    auto model = odd_model<T>();
    const auto allocated = [&](Index batches) {
      const auto data = task.dataset(kOddLoss, 0, 8 * batches);
      const std::int64_t before = allocations();
      model.fit(data, {.batch_size = 8});
      return allocations() - before;
    };
    allocated(1);
    const std::int64_t few = allocated(10);
    CHECK(few > 0);
    // Two threads on one busy processor wait for each other's time slices: fewer steps.
    CHECK(allocated(threads == 1 ? 1010 : 60) == few);
  }
}

TEST_CASE_TEMPLATE("trainer: a memory limit sends a batch through in parts, to the same weights", T, float, double) {
  const double tolerance = std::is_same_v<T, float> ? 1e-5 : 1e-12;
  Task<T> task(1000, 20, 3);
  task.weights = draws<T>(1000, 0, 2, 9);
  const Network network(20, {Dense{.units = 30, .activation = "tanh"}, Dropout{.rate = 0.3}, Dense{.units = 3}});
  std::vector<std::vector<T>> results;
  for (const Index limit : {Index{0}, Index{300'000}, Index{1'000'000}}) {
    for (const int threads : {1, 3}) {
      set_num_threads(threads);
      Model<T> model(network, 7);
      model.compile("mse", "adam", {"mae"});
      const History history = model.fit(task.dataset("mse"), {.batch_size = 1000, .memory_limit = limit, .epochs = 3});
      CHECK(history.epochs.size() == 3);
      results.emplace_back(model.parameters().begin(), model.parameters().end());
      results.back().push_back(static_cast<T>(history.epochs[2][0]));
      results.back().push_back(static_cast<T>(history.epochs[2][1]));
    }
    CHECK(results[results.size() - 1] == results[results.size() - 2]);
    CHECK(difference(results.back(), results.front(), tolerance) == "");
  }
  set_num_threads(0);
  Model<T> model(network, 7);
  model.compile("mse", "adam");
  CHECK(without(message_of([&] { model.fit(task.dataset("mse"), {.batch_size = 1000, .memory_limit = 1000}); }),
                {"memory_limit", "64 rows", "got 1000"}) == "");
  Model<T> normalized(Network(20, {BatchNormalization{}, Dense{.units = 3}}), 7);
  normalized.compile("mse", "adam");
  CHECK(without(message_of([&] { normalized.fit(task.dataset("mse"), {.batch_size = 1000, .memory_limit = 140'000}); }),
                {"batch_normalization", "all rows of a batch", "memory_limit"}) == "");
}
