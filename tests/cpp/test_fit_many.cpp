// SPDX-License-Identifier: Apache-2.0
// Networks that are trained at once end in the bits that each has alone, on as many threads as there are.
#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "laminar/threads/side_by_side.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

Model<float> member(Index units, std::uint64_t seed, double rate) {
  Model<float> model(Network(6, {Dense{.units = units, .activation = "relu"}, Dropout{.rate = 0.1}, Dense{.units = 2}}),
                     seed);
  model.compile("mse", Optimizer("adam", {{"learning_rate", rate}}), {"mae"});
  return model;
}

/// Networks of all sizes: such as take the way of small ones, and such as share their steps.
std::vector<Model<float>> members() {
  std::vector<Model<float>> models;
  for (const Index units : {4, 200, 32, 8, 120}) {
    models.push_back(member(units, static_cast<std::uint64_t>(units), 1e-3 * static_cast<double>(units % 7 + 1)));
  }
  return models;
}

std::vector<float> weights(const Model<float>& model) { return {model.parameters().begin(), model.parameters().end()}; }

/// Rows i with i % 5 == fold, or the others.
std::vector<Index> fold(Index rows, Index number, bool inside) {
  std::vector<Index> places;
  for (Index i = 0; i < rows; ++i) {
    if ((i % 5 == number) == inside) places.push_back(i);
  }
  return places;
}

}  // namespace

TEST_CASE("fit_many: members have the bits of networks trained alone, on any number of threads") {
  const Task<float> task(700, 6, 2);
  const Dataset<float> data = task.dataset("mse");
  std::vector<std::vector<float>> alone;
  for (Model<float>& model : members()) {
    model.fit(data, {.batch_size = 64, .epochs = 3});
    alone.push_back(weights(model));
  }
  for (const int threads : {1, 2, 3, 8}) {
    const Threads limit(threads);
    std::vector<Model<float>> models = members();
    std::vector<Member<float>> given;
    for (Model<float>& model : models) given.push_back({&model, {.batch_size = 64, .epochs = 3}});
    const std::vector<History> histories = fit_many<float>(data, given);
    REQUIRE(histories.size() == 5);
    for (std::size_t i = 0; i < models.size(); ++i) {
      CHECK(weights(models[i]) == alone[i]);
      CHECK(histories[i].epochs.size() == 3);
      CHECK(!histories[i].interrupted);
    }
  }
}

TEST_CASE("fit_many: folds are rows of the same data, and members stop when they want") {
  const Task<float> task(200, 6, 2);
  const Dataset<float> data = task.dataset("mse");
  const Threads limit(2);
  std::vector<Model<float>> models = members();
  std::vector<Member<float>> given;
  for (Index i = 0; i < 5; ++i) {
    given.push_back({&models[as_size(i)], {.epochs = 5}, fold(200, i, false), fold(200, i, true)});
    given.back().options.on_epoch = [i](Index epoch, std::span<const Log>) { return epoch == i; };
  }
  const std::vector<History> histories = fit_many<float>(data, given);
  for (Index i = 0; i < 5; ++i) {
    CHECK(histories[as_size(i)].epochs.size() == as_size(i + 1));
    CHECK(histories[as_size(i)].names.back() == "val_mae");
  }
  std::vector<float> x;
  std::vector<float> y;
  for (const Index row : fold(200, 3, false)) {
    x.insert(x.end(), task.x.begin() + row * 6, task.x.begin() + (row + 1) * 6);
    y.insert(y.end(), task.y.begin() + row * 2, task.y.begin() + (row + 1) * 2);
  }
  Model<float> alone = std::move(members()[3]);
  alone.fit({{view(x), 6}, Targets<float>(MatrixView<const float>{view(y), 2}), {}}, {.epochs = 4});
  CHECK(weights(models[3]) == weights(alone));
}

TEST_CASE("fit_many: what is wrong is said before anything is trained") {
  const Task<float> task(20, 6, 2);
  const Dataset<float> data = task.dataset("mse");
  Model<float> model = member(4, 1, 0.01);
  const std::vector<float> before = weights(model);
  const auto refused = [&](std::vector<Member<float>> given) {
    CHECK_THROWS_AS(fit_many<float>(data, given), std::invalid_argument);
    CHECK(weights(model) == before);
  };
  refused({{&model}, {nullptr}});
  refused({{&model}, {&model}});
  refused({{&model, {}, {0, 20}}});
  refused({{&model, {}, {}, {-1}}});
}

TEST_CASE("fit_many: a stop and an error end all members, which keep what they have") {
  const Task<float> task(400, 6, 2);
  const Dataset<float> data = task.dataset("mse");
  for (const int threads : {1, 2}) {
    const Threads limit(threads);
    std::vector<Model<float>> models = members();
    std::vector<Member<float>> given;
    for (Model<float>& model : models) given.push_back({&model, {.epochs = 1'000'000}});
    given[0].options.epochs = 2;
    {
      int asked = 0;
      const StopScope scope([&] { return ++asked > 1; });
      const std::vector<History> histories = fit_many<float>(data, given);
      CHECK(histories[0].epochs.size() == 2);
      CHECK(!histories[0].interrupted);
      for (std::size_t i = 1; i < 5; ++i) CHECK(histories[i].interrupted);
    }
    CHECK(models[0].iterations() == 26);
    CHECK(models[4].iterations() == 0);  // it had not begun
    given[1].options.on_epoch = [](Index, std::span<const Log>) -> bool { throw std::range_error("enough"); };
    CHECK_THROWS_AS(fit_many<float>(data, given), std::range_error);
  }
}

TEST_CASE("side_by_side: threads are shared out, and the last one left has them all") {
  const Threads limit(4);
  CHECK(thread_share() == nullptr);
  std::atomic<int> inside{0};
  std::atomic<int> noted{0};
  std::array<int, 2> shares{};
  side_by_side(2, [&](Index i) {
    ++inside;
    while (inside < 2) std::this_thread::yield();
    shares[as_size(i)] = *thread_share();
    ++noted;
    while (noted < 2) std::this_thread::yield();
    while (i == 1 && *thread_share() < 4) std::this_thread::yield();
  });
  CHECK(shares == std::array<int, 2>{2, 2});
  CHECK(thread_share() == nullptr);
}
