// SPDX-License-Identifier: Apache-2.0
// Every optimizer with every hyper-parameter moved, by every table, against the reference.
#include "laminar/catalogue/optimizer.hpp"

#include "block.hpp"
#include "laminar/files/config.hpp"
#include "optimizers.hpp"
#include "reference.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kSteps = 4;

/// A block of weights with its state, updated by one table.
template <typename T>
struct Updated {
  Optimizer optimizer;
  Block<T> weights;
  std::vector<Block<T>> slots;

  Updated(const Optimizer& optimizer_, Index rows, Index columns, const std::vector<T>& start)
      : optimizer(optimizer_), weights(rows, columns, start) {
    for (int s = 0; s < optimizer.slots(); ++s) {
      slots.emplace_back(rows, columns, std::vector<T>(start.size(), static_cast<T>(optimizer.initial(s))));
    }
  }

  void step(const kernels::Kernels<T>& k, Index number, const Block<T>& gradients, Index rows, Index columns) {
    std::array<T*, kernels::kMaxSlots> places{};
    for (std::size_t s = 0; s < slots.size(); ++s) places[s] = slots[s].data();
    step(k, number, gradients, rows, columns, weights.data(), places, weights.stride());
  }
  /// The same of weights and slots that lie elsewhere.
  void step(const kernels::Kernels<T>& k, Index number, const Block<T>& gradients, Index rows, Index columns,
            T* weights_at, const std::array<T*, kernels::kMaxSlots>& slots_at, Index stride) const {
    std::array<T, kernels::kMaxCoefficients> coefficients{};
    optimizer.coefficients(number, coefficients.data());
    kernels::Update<T> u;
    u.optimizer = optimizer.index();
    u.coefficients = coefficients.data();
    u.weights = weights_at;
    std::copy(slots_at.begin(), slots_at.end(), u.slots);
    u.stride = stride;
    u.gradients = gradients.data();
    u.gradients_stride = gradients.stride();
    u.rows = rows;
    u.columns = columns;
    k.update(u);
  }

  /// The padding is not the update's: the next row of a tensor may begin there.
  bool padding_intact(Index rows, Index columns) const {
    bool same = weights.intact();
    for (Index i = 0; i < rows; ++i) {
      const Index room = (columns + Block<T>::kLine - 1) / Block<T>::kLine * Block<T>::kLine;
      for (Index j = columns; j < room; ++j) same = same && std::isnan(weights(i, j));
      for (const auto& slot : slots) {
        for (Index j = columns; j < room; ++j) same = same && std::isnan(slot(i, j));
      }
    }
    return same;
  }
};

/// Weights after updates of one weight from `start` with the given gradients.
std::vector<double> path(const Optimizer& optimizer, double start, const std::vector<double>& gradients) {
  Updated<double> u(optimizer, 1, 1, {start});
  std::vector<double> weights;
  for (std::size_t i = 0; i < gradients.size(); ++i) {
    u.step(kernels::kernels<double>(), static_cast<Index>(i + 1), Block<double>(1, 1, {gradients[i]}), 1, 1);
    weights.push_back(u.weights(0, 0));
  }
  return weights;
}

}  // namespace

TEST_CASE_TEMPLATE("optimizer: narrow rows without gaps are updated like rows apart", T, float, double) {
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    CAPTURE(std::string(optimizer.name()));
    for (const Index columns : {1, 3, 7}) {
      for (const Index rows : {1, 5, 600}) {
        const auto start = draws<T>(rows * columns, -1, 1);
        const Block<T> gradients(rows, columns, draws<T>(rows * columns, -1, 1, 2));
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          CAPTURE(columns);
          CAPTURE(rows);
          Updated<T> apart(optimizer, rows, columns, start);
          apart.step(k, 1, gradients, rows, columns);

          const auto guarded = [&](std::vector<T> values) {
            values.push_back(kNan<T>);
            return values;
          };
          auto weights = guarded(start);
          std::vector<std::vector<T>> slots;
          for (int s = 0; s < optimizer.slots(); ++s) {
            slots.push_back(guarded(std::vector<T>(start.size(), static_cast<T>(optimizer.initial(s)))));
          }
          std::array<T*, kernels::kMaxSlots> places{};
          for (std::size_t s = 0; s < slots.size(); ++s) places[s] = slots[s].data();
          apart.step(k, 1, gradients, rows, columns, weights.data(), places, columns);
          CHECK(bit_difference(weights, guarded(apart.weights.values())) == "");
          for (std::size_t s = 0; s < slots.size(); ++s) {
            CHECK(bit_difference(slots[s], guarded(apart.slots[s].values())) == "");
          }
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("optimizer: updates of every entry are the reference's and stay in their columns", T, float,
                   double) {
  const double tolerance = 32 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    const std::string entry = to_json(optimizer);
    CAPTURE(entry);
    for (const Index rows : {1, 3}) {
      for (const Index columns : kSizes) {
        CAPTURE(columns);
        const auto start = draws<T>(rows * columns, -1, 1);
        std::vector<double> expected(start.begin(), start.end());
        std::vector<std::vector<T>> gradients;
        reference::Slots slots;
        for (Index step = 1; step <= kSteps; ++step) {
          gradients.push_back(draws<T>(rows * columns, -2, 2, static_cast<std::uint64_t>(step + 1)));
          const std::vector<double> g(gradients.back().begin(), gradients.back().end());
          reference::update(optimizer, step, expected, g, slots);
        }
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          Updated<T> u(optimizer, rows, columns, start);
          for (Index step = 1; step <= kSteps; ++step) {
            u.step(k, step, Block<T>(rows, columns, gradients[as_size(step - 1)]), rows, columns);
          }
          CHECK(difference(u.weights.values(), expected, tolerance) == "");
          CHECK(u.padding_intact(rows, columns));
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("optimizer: a weight's update does not depend on where it stands", T, float, double) {
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    CAPTURE(std::string(optimizer.name()));
    const auto start = draws<T>(33, -1, 1);
    const auto gradient = draws<T>(33, -1, 1, 2);
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      Updated<T> all(optimizer, 1, 33, start);
      all.step(k, 1, Block<T>(1, 33, gradient), 1, 33);
      for (Index at = 0; at < 33; ++at) {
        Updated<T> one(optimizer, 1, 1, {start[as_size(at)]});
        one.step(k, 1, Block<T>(1, 1, {gradient[as_size(at)]}), 1, 1);
        CHECK(same_bits(one.weights(0, 0), all.weights(0, at)));
      }
    });
  }
}

TEST_CASE("optimizer: a learning rate of 0 moves nothing") {
  for (Optimizer optimizer : elementwise_optimizers()) {
    optimizer.set("learning_rate", 0);
    for (const double w : path(optimizer, 0.75, {1, -2, 3})) CHECK(w == 0.75);
  }
}

TEST_CASE("optimizer: worked values") {
  const auto check = [](const Optimizer& optimizer, const std::vector<double>& expected) {
    CHECK(difference(path(optimizer, 1, std::vector<double>(expected.size(), 1)), expected, 1e-7) == "");
  };
  check(Optimizer("sgd", {{"learning_rate", 0.1}}), {0.9, 0.8, 0.7});
  check(Optimizer("sgd", {{"learning_rate", 0.1}, {"momentum", 0.5}}), {0.9, 0.75, 0.575});
  check(Optimizer("sgd", {{"learning_rate", 0.1}, {"momentum", 0.5}, {"nesterov", 1}}), {0.85, 0.675, 0.4875});
  // Bias correction makes every step with a constant gradient of 1 as long as the rate; the first
  // would be 3.16 times too long without.
  check("adam", {0.999, 0.998, 0.997});
  check(Optimizer("rmsprop", {{"rho", 0}}), {0.999, 0.998, 0.997});
  check("rmsprop", {1 - 0.001 / std::sqrt(0.1), 1 - 0.001 / std::sqrt(0.1) - 0.001 / std::sqrt(0.19)});
}

TEST_CASE("optimizer: state arrays are as many as the settings need") {
  CHECK(Optimizer("sgd").slots() == 0);
  CHECK(Optimizer("sgd", {{"momentum", 0.9}}).slots() == 1);
  CHECK(Optimizer("adam").slots() == 2);
  CHECK(Optimizer("rmsprop").slots() == 1);
  CHECK(Optimizer("rmsprop", {{"momentum", 0.9}}).slots() == 2);
  CHECK(Optimizer("rmsprop", {{"momentum", 0.9}, {"centered", 1}}).slots() == 3);
}

TEST_CASE("optimizer: steady are those whose coefficients no step changes") {
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    CAPTURE(std::string(optimizer.name()));
    std::vector<double> first(kernels::kMaxCoefficients);
    std::vector<double> later(kernels::kMaxCoefficients);
    optimizer.coefficients(1, first.data());
    optimizer.coefficients(1000, later.data());
    if (optimizer.steady()) CHECK(first == later);
  }
  CHECK(Optimizer("sgd").steady());
  CHECK(!Optimizer("adam").steady());
  CHECK(!Optimizer("muon").steady());
  Optimizer scheduled("sgd");
  scheduled.schedule = Schedule("exponential_decay");
  CHECK(!scheduled.steady());
}

TEST_CASE("optimizer: coefficients stay finite over a long training") {
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    for (const Index step : {Index{1}, Index{1000}, Index{1'000'000}, Index{1} << 40}) {
      std::array<double, kernels::kMaxCoefficients> coefficients{};
      optimizer.coefficients(step, coefficients.data());
      for (const double c : coefficients) CHECK(std::isfinite(c));
    }
  }
}
