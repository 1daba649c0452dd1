// SPDX-License-Identifier: Apache-2.0
// How training ends before its time: numbers that stop being finite, a caller who has seen enough,
// an exception. In each case the model keeps the last good weights and goes on from there.
#include <chrono>

#include "laminar/base/random.hpp"
#include "optimizers.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// What NonFiniteError says when `call` throws it.
template <typename Call>
std::string not_finite(const Call& call) {
  try {
    call();
  } catch (const NonFiniteError& error) {
    return error.what();
  }
  return "nothing thrown";
}

/// One weight of 1, rows one by one in their order, y = 0: loss (w x)^2, gradient 2 w x^2. A dropout
/// that drops nothing keeps it from the step of small networks.
template <typename T>
struct OneWeight {
  Model<T> model;
  std::vector<T> x;
  std::vector<T> y;

  OneWeight(const Optimizer& optimizer, bool small, const std::vector<T>& x_)
      : model(network(small)), x(x_), y(x_.size()) {
    model.compile("mse", optimizer);
  }
  static Network network(bool small) {
    const Dense weight{.units = 1, .use_bias = false, .kernel_initializer = "ones"};
    return small ? Network(1, {weight}) : Network(1, {Dropout{.rate = 0}, weight});
  }
  History fit(std::size_t rows) {
    return model.fit({{view(x).first(rows), 1}, MatrixView<const T>{view(y).first(rows), 1}, {}},
                     {.batch_size = 1, .shuffle = false});
  }
  T weight() const { return model.tensor(0)[0]; }
};

/// Square root of a number beyond the largest of T.
template <typename T>
constexpr T kHuge = sizeof(T) == 4 ? T(1e25) : T(1e200);

bool all_finite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

TEST_CASE_TEMPLATE("fit: a loss that is not finite stops before its update", T, float, double) {
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    const bool small = optimizer.slots() % 2 == 0;
    OneWeight<T> good(optimizer, small, {1, 2, 3, 4});
    OneWeight<T> bad(optimizer, small, {1, 2, kHuge<T>, 4});
    good.fit(2);
    const auto message = not_finite([&] { bad.fit(4); });
    CHECK(without(message,
                  {"fit: ", "loss is not finite", "epoch 1", "batch 3 of 4", "last finite weights are kept"}) == "");
    CHECK(same_bits(bad.weight(), good.weight()));
    CHECK(bad.model.iterations() == 2);
    bad.fit(2);
    CHECK(std::isfinite(bad.weight()));
    CHECK(bad.model.iterations() == 4);
  }
}

TEST_CASE_TEMPLATE("fit: an update that overflows is undone, with its state and clock", T, float, double) {
  // The first row halves the weight; the second has a finite loss and a step beyond all numbers.
  const double rate = sizeof(T) == 4 ? 1e36 : 1e306;
  const T tiny = static_cast<T>(0.5 / std::sqrt(rate));
  for (const double momentum : {0.0, 0.5}) {
    const Optimizer optimizer("sgd", {{"learning_rate", rate}, {"momentum", momentum}});
    for (const std::size_t rows : {2, 3, 5}) {
      CAPTURE(rows);
      OneWeight<T> good(optimizer, rows == 3, {tiny});
      OneWeight<T> bad(optimizer, rows == 3, {tiny, 1000, 1, 0, tiny});
      good.fit(1);
      CHECK(good.weight() == doctest::Approx(0.5));
      const auto message = not_finite([&] { bad.fit(rows); });
      CHECK(without(message, {"fit: ", rows == 2 ? "weights are not finite" : "loss is not finite", "epoch 1"}) == "");
      CHECK(same_bits(bad.weight(), good.weight()));
      CHECK(bad.model.iterations() == 1);
      good.fit(1);  // the momentum is the good one's
      bad.fit(1);
      CHECK(same_bits(bad.weight(), good.weight()));
    }
  }
}

TEST_CASE("fit: the last finite weights are found in a later epoch, with shuffling and dropout") {
  // From the third epoch on steps are huge, and too large where one row's inputs are.
  const Network network(5, {Dropout{.rate = 0.3}, Dense{.units = 2}});
  constexpr double kRate = 1e37;
  Task<float> task(40, 5, 2);
  std::vector<Index> order(40);
  fill_permutation(RandomStream(5, Purpose::shuffle, 0, 2), order);
  for (Index i = 0; i < 200; ++i) task.x[as_size(i)] *= i / 5 == order[20] ? 1e3F : 1e-2F;
  Model<float> model(network, 5);
  Model<float> twin(network, 5);
  for (Model<float>* m : {&model, &twin}) m->compile("mae", Optimizer("sgd", {{"momentum", 0.9}}));
  FitOptions<float> options{.batch_size = 8, .epochs = 9};
  options.on_epoch = [&](Index epoch, std::span<const Log>) {
    if (epoch == 1) model.set_learning_rate(kRate);
    return false;
  };
  CHECK(without(not_finite([&] { model.fit(task.dataset("mae"), options); }), {"epoch 3", "of 5"}) == "");
  CHECK(all_finite(model.parameters()));

  twin.fit(task.dataset("mae"), {.batch_size = 8, .epochs = 2});
  twin.set_learning_rate(kRate);
  auto last_finite = weights_of(twin);
  Index steps = 0;
  for (std::size_t first = 0; first < 40; first += 8, ++steps) {
    std::vector<float> x;
    std::vector<float> y;
    for (std::size_t i = first; i < first + 8; ++i) {
      x.insert(x.end(), task.x.begin() + order[i] * 5, task.x.begin() + order[i] * 5 + 5);
      y.insert(y.end(), task.y.begin() + order[i] * 2, task.y.begin() + order[i] * 2 + 2);
    }
    not_finite([&] { twin.train_on_batch({{view(x), 5}, MatrixView<const float>{view(y), 2}, {}}); });
    if (twin.iterations() != 10 + steps + 1 || !all_finite(twin.parameters())) break;
    last_finite = weights_of(twin);
  }
  CHECK(steps == 2);
  CHECK(model.iterations() == 10 + steps);
  CHECK(bit_difference(weights_of(model), last_finite) == "");
}

TEST_CASE_TEMPLATE("train_on_batch: a loss or an update that is not finite changes nothing", T, float, double) {
  const double rate = sizeof(T) == 4 ? 1e36 : 1e306;
  OneWeight<T> model(Optimizer("sgd", {{"learning_rate", rate}}), true, {kHuge<T>, 1000});
  const auto train = [&](std::size_t row) {
    return not_finite([&] {
      model.model.train_on_batch(
          {{view(model.x).subspan(row, 1), 1}, MatrixView<const T>{view(model.y).first(1), 1}, {}});
    });
  };
  CHECK(without(train(0), {"train_on_batch", "loss is not finite", "unchanged"}) == "");
  CHECK(model.weight() == 1);
  CHECK(model.model.iterations() == 0);
  CHECK(without(train(1), {"train_on_batch", "not finite"}) == "");
  CHECK(model.weight() == 1);
  CHECK(model.model.iterations() == 0);
}

namespace {

/// An epoch that lasts longer than the interval between two polls.
struct LongEpoch {
  static constexpr Index kBatch = 32;
  static constexpr Index kBatches = 15'000;
  Task<float> task{kBatch * kBatches, 4, 1};
  Model<float> model = fresh();

  static Model<float> fresh() {
    Model<float> model(Network(4, {Dense{.units = 256}, Dense{.units = 1}}));
    model.compile("mse", "adam");
    return model;
  }
  /// The weights are those of a fit of so many batches.
  bool stopped_after(Index batches) const {
    const Threads scope(1);
    Model<float> other = fresh();
    other.fit(task.dataset("mse", 0, batches * kBatch), {.batch_size = kBatch, .shuffle = false});
    return bit_difference(weights_of(model), weights_of(other)) == "" && model.iterations() == batches;
  }
};

}  // namespace

TEST_CASE("fit: a poll that says so stops after the last completed batch") {
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    LongEpoch e;
    Index done = 0;
    FitOptions<float> options{.batch_size = LongEpoch::kBatch, .epochs = 3, .shuffle = false};
    options.poll = [&](const Progress& progress) {
      if (progress.batches_done == 0) return false;  // a busy machine may ask before the first batch
      CHECK(progress.epoch == 0);
      CHECK(progress.batches == LongEpoch::kBatches);
      CHECK(progress.logs.size() == 1);
      CHECK(std::string(progress.logs[0].name) == "loss");
      CHECK(std::isfinite(progress.logs[0].value));
      done = progress.batches_done;
      return true;
    };
    const History history = e.model.fit(e.task.dataset("mse"), options);
    CHECK(history.interrupted);
    CHECK(history.epochs.empty());
    REQUIRE(done > 0);
    CHECK(e.stopped_after(done));
  }
}

TEST_CASE("fit: an exception from poll leaves the last completed batch's weights") {
  for (const int threads : {1, 2}) {
    const Threads scope(threads);
    LongEpoch e;
    Index done = 0;
    FitOptions<float> options{.batch_size = LongEpoch::kBatch, .shuffle = false};
    options.poll = [&](const Progress& progress) -> bool {
      done = progress.batches_done;
      if (done > 0) throw std::runtime_error("enough");
      return false;
    };
    CHECK_THROWS_WITH_AS(e.model.fit(e.task.dataset("mse"), options), "enough", std::runtime_error);
    REQUIRE(done > 0);
    CHECK(e.stopped_after(done));
  }
}

TEST_CASE("fit: poll is asked in time however short the epochs are") {
  using Clock = std::chrono::steady_clock;
  const Task<float> task(64, 2, 1);
  for (const Index batch_size : {16, 64}) {
    CAPTURE(batch_size);
    Model<float> model(Network(2, {Dense{.units = 1}}));
    model.compile("mse", "sgd");
    int polls = 0;
    const auto start = Clock::now();
    FitOptions<float> options{.batch_size = batch_size, .epochs = Index{1} << 40};
    options.poll = [&](const Progress&) { return ++polls > 0; };
    options.on_epoch = [&](Index, std::span<const Log>) {
      return Clock::now() - start > std::chrono::seconds(30);  // far past the time that a busy machine takes
    };
    CHECK(model.fit(task.dataset("mse"), options).interrupted);
    CHECK(polls == 1);
  }
}

TEST_CASE("fit: poll is asked in time where threads slow a tiny step down") {
  const Threads scope(2);
  const Task<float> task(2'000'000, 1, 1);  // where they do not, steps take less than a microsecond
  Model<float> model(Network(1, {Dropout{.rate = 0}, Dense{.units = 1}}));
  model.compile("mse", "sgd");
  FitOptions<float> options{.batch_size = 1};
  options.poll = [&](const Progress&) { return true; };
  CHECK(model.fit(task.dataset("mse"), options).interrupted);
}

TEST_CASE("fit: on_epoch stops by its answer, or by an exception that leaves a usable model") {
  const Task<float> task(64, 3, 2);
  const auto trained = [&](Index epochs) {
    Model<float> model(Network(3, {Dense{.units = 2}}));
    model.compile("mse", "adam");
    model.fit(task.dataset("mse"), {.epochs = epochs});
    return weights_of(model);
  };
  Model<float> model(Network(3, {Dense{.units = 2}}));
  model.compile("mse", "adam");
  FitOptions<float> options{.epochs = 9};
  options.on_epoch = [](Index epoch, std::span<const Log>) { return epoch == 1; };
  const History history = model.fit(task.dataset("mse"), options);
  CHECK(history.epochs.size() == 2);
  CHECK_FALSE(history.interrupted);
  CHECK(bit_difference(weights_of(model), trained(2)) == "");
  options.on_epoch = [](Index, std::span<const Log>) -> bool { throw std::logic_error("callback"); };
  CHECK_THROWS_WITH_AS(model.fit(task.dataset("mse"), options), "callback", std::logic_error);
  CHECK(bit_difference(weights_of(model), trained(3)) == "");
  model.fit(task.dataset("mse"), {.epochs = 1});
  CHECK(bit_difference(weights_of(model), trained(4)) == "");
}

TEST_CASE_TEMPLATE("fit: on_batch is told of every batch and changes no bit", T, float, double) {
  // Small networks, single rows and several threads go ways of their own.
  for (const Index batch_size : {1, 16, 64}) {
    for (const bool small : {true, false}) {
      for (const int threads : {1, 2}) {
        CAPTURE(batch_size);
        CAPTURE(small);
        const Threads scope(threads);
        const Task<T> task(70, 3, 2);
        const Network network = small ? Network(3, {Dense{.units = 4, .activation = "tanh"}, Dense{.units = 2}})
                                      : Network(3, {Dropout{.rate = 0.2}, Dense{.units = 2}});
        Model<T> plain(network, 3);
        Model<T> told(network, 3);
        for (Model<T>* m : {&plain, &told}) m->compile("mse", "adam", {"mae"});
        FitOptions<T> options{.batch_size = batch_size, .epochs = 2};
        const History expected = plain.fit(task.dataset("mse"), options);
        const Index batches = (70 + batch_size - 1) / batch_size;
        Index calls = 0;
        std::vector<double> last;
        options.on_batch = [&](const Progress& progress) {
          CHECK(progress.epoch == calls / batches);
          CHECK(progress.batches_done == calls % batches + 1);
          CHECK(progress.batches == batches);
          CHECK(told.iterations() == ++calls);
          last = {progress.logs[0].value, progress.logs[1].value};
          return false;
        };
        const History history = told.fit(task.dataset("mse"), options);
        CHECK(calls == 2 * batches);
        CHECK(history.epochs == expected.epochs);
        CHECK(last == expected.epochs.back());
        CHECK(bit_difference(weights_of(told), weights_of(plain)) == "");
      }
    }
  }
}

TEST_CASE("fit: on_batch sees the weights of the batch, and may change them and the rate") {
  const Task<float> task(64, 3, 2);
  for (const bool small : {true, false}) {
    const Network network =
        small ? Network(3, {Dense{.units = 2}}) : Network(3, {Dropout{.rate = 0}, Dense{.units = 2}});
    Model<float> model(network);
    Model<float> twin(network);
    for (Model<float>* m : {&model, &twin}) m->compile("mse", Optimizer("sgd", {{"momentum", 0.5}}));
    FitOptions<float> options{.batch_size = 16, .shuffle = false};
    options.on_batch = [&](const Progress& progress) {
      const Index begin = 16 * (progress.batches_done - 1);
      twin.train_on_batch(task.dataset("mse", begin, begin + 16));
      CHECK(bit_difference(weights_of(model), weights_of(twin)) == "");
      CHECK(model.evaluate(task.dataset("mse")) == twin.evaluate(task.dataset("mse")));
      std::vector<float> gradients(model.parameters().size());
      model.loss_and_gradients(task.dataset("mse"), gradients);
      std::vector<float> moved = weights_of(model);
      for (float& w : moved) w *= 0.5F;
      for (Model<float>* m : {&model, &twin}) {
        m->set_parameters(moved);
        m->set_learning_rate(0.1 / static_cast<double>(progress.batches_done));
      }
      return false;
    };
    model.fit(task.dataset("mse"), options);
    CHECK(bit_difference(weights_of(model), weights_of(twin)) == "");
  }
}

TEST_CASE("fit: on_batch ends the epoch by its answer, or the training by an exception") {
  const Task<float> task(64, 3, 2);
  const auto fresh = [] {
    Model<float> model(Network(3, {Dense{.units = 2}}));
    model.compile("mse", "adam");
    return model;
  };
  Model<float> model = fresh();
  Model<float> twin = fresh();
  FitOptions<float> options{.batch_size = 16, .epochs = 3, .shuffle = false};
  int epochs = 0;
  options.on_batch = [](const Progress& progress) { return progress.batches_done == 2; };
  options.on_epoch = [&](Index, std::span<const Log>) { return ++epochs == 1; };
  const History history = model.fit(task.dataset("mse"), options);
  CHECK(history.epochs.size() == 1);
  CHECK_FALSE(history.interrupted);
  twin.fit(task.dataset("mse", 0, 32), {.batch_size = 16, .shuffle = false});
  CHECK(bit_difference(weights_of(model), weights_of(twin)) == "");
  options.on_batch = [](const Progress&) -> bool { throw std::logic_error("callback"); };
  CHECK_THROWS_WITH_AS(model.fit(task.dataset("mse"), options), "callback", std::logic_error);
  CHECK(model.iterations() == 3);
}

TEST_CASE_TEMPLATE("fit: with on_batch, too, the last finite weights are kept", T, float, double) {
  for (const bool small : {true, false}) {
    OneWeight<T> good("sgd", small, {1, 2, 3, 4});
    OneWeight<T> bad("sgd", small, {1, 2, kHuge<T>, 4});
    good.fit(2);
    FitOptions<T> options{.batch_size = 1, .shuffle = false};
    options.on_batch = [](const Progress&) { return false; };
    const auto message =
        not_finite([&] { bad.model.fit({{view(bad.x), 1}, MatrixView<const T>{view(bad.y), 1}, {}}, options); });
    CHECK(without(message, {"loss is not finite", "epoch 1", "batch 3 of 4"}) == "");
    CHECK(same_bits(bad.weight(), good.weight()));
  }
}
