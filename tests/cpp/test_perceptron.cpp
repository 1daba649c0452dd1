// SPDX-License-Identifier: Apache-2.0
// Rosenblatt's rule against a transcription of it, and what his theorem promises.
#include "laminar/perceptron.hpp"

#include "laminar/random.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// The four corners of the unit square.
template <typename T>
const std::vector<T> kCorners = {0, 0, 0, 1, 1, 0, 1, 1};

/// Two or more clouds, some distance apart.
template <typename T>
struct Clouds {
  std::vector<T> x;
  std::vector<std::int32_t> y;

  Clouds(Index rows, Index features, Index classes) : x(draws<T>(rows * features, -1, 1)), y(as_size(rows)) {
    for (Index r = 0; r < rows; ++r) {
      y[as_size(r)] = static_cast<std::int32_t>((r * 5 + 2) % classes);
      x[as_size(r * features + y[as_size(r)] % features)] += T(4);
    }
  }
};

template <typename T>
PerceptronEnd fit(Perceptron<T>& unit, const std::vector<T>& x, const std::vector<std::int32_t>& y,
                  const PerceptronOptions& options = {}, const std::vector<T>& weight = {}) {
  return unit.fit({view(x), unit.features()}, view(y), view(weight), options);
}

}  // namespace

TEST_CASE_TEMPLATE("perceptron: learns what a line separates, for every seed", T, float, double) {
  for (const std::vector<std::int32_t>& y : {std::vector<std::int32_t>{0, 0, 0, 1}, {0, 1, 1, 1}, {1, 1, 0, 0}}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Perceptron<T> unit(2, 2, seed);
      const PerceptronEnd end = fit(unit, kCorners<T>, y);
      CHECK(end.mistakes == 0);
      CHECK(end.epochs < 30);
      std::vector<T> z(4);
      unit.decide({view(kCorners<T>), 2}, {std::span<T>(z), 1});
      for (std::size_t i = 0; i < 4; ++i) CHECK((z[i] > 0) == (y[i] == 1));
    }
  }
}

TEST_CASE_TEMPLATE("perceptron: never rests on the exclusive or", T, float, double) {
  for (const bool shuffle : {false, true}) {
    Perceptron<T> unit(2, 2);
    const PerceptronEnd end = fit(unit, kCorners<T>, {0, 1, 1, 0}, {.max_epochs = 500, .shuffle = shuffle});
    CHECK(end.epochs == 500);
    CHECK(end.mistakes > 0);
  }
}

TEST_CASE_TEMPLATE("perceptron: each unit follows the rule, row by row", T, float, double) {
  for (const Index classes : {2, 3, 5}) {
    for (const Index features : {1, 3, 17}) {
      CAPTURE(classes);
      CAPTURE(features);
      const Clouds<T> data(41, features, classes);
      const std::vector<T> weight = draws<T>(41, 0, 2, 5);
      const PerceptronOptions options{.eta0 = 0.3, .max_epochs = 4};
      Perceptron<T> unit(features, classes, 7);
      const PerceptronEnd end = fit(unit, data.x, data.y, options, weight);
      Index longest = 0;
      for (Index u = 0; u < unit.units(); ++u) {
        std::vector<T> w(as_size(features));
        T b = 0;
        std::vector<Index> order(41);
        Index epoch = 0;
        for (Index mistakes = 1; epoch < 4 && mistakes > 0; ++epoch) {
          mistakes = 0;
          fill_permutation(
              RandomStream(7, Purpose::shuffle, static_cast<std::uint32_t>(u), static_cast<std::uint32_t>(epoch)),
              order);
          for (const Index r : order) {
            T z = b;
            for (Index i = 0; i < features; ++i) z += data.x[as_size(r * features + i)] * w[as_size(i)];
            const T y = data.y[as_size(r)] == (classes == 2 ? 1 : u) ? T(1) : T(0);
            const T p = z > 0 ? T(1) : T(0);
            mistakes += y != p ? 1 : 0;
            const T step = static_cast<T>(0.3) * weight[as_size(r)] * (y - p);
            for (Index i = 0; i < features; ++i) w[as_size(i)] += step * data.x[as_size(r * features + i)];
            b += step;
          }
        }
        longest = std::max(longest, epoch);
        const auto got = std::span<const T>(unit.weights()).subspan(as_size(u * features), as_size(features));
        CHECK(difference(got, w, 1e-5) == "");
        CHECK(unit.biases()[as_size(u)] == doctest::Approx(b).epsilon(1e-5));
      }
      CHECK(end.epochs == longest);
    }
  }
}

TEST_CASE("perceptron: goes on where it stopped, with new orders") {
  const Clouds<double> data(60, 4, 3);
  Perceptron<double> whole(4, 3, 1);
  Perceptron<double> parts(4, 3, 1);
  fit(whole, data.x, data.y, {.max_epochs = 3});
  for (int i = 0; i < 3; ++i) fit(parts, data.x, data.y, {.max_epochs = 1});
  CHECK(bit_difference(whole.weights(), parts.weights()) == "");
  CHECK(bit_difference(whole.biases(), parts.biases()) == "");
}

TEST_CASE("perceptron: options") {
  const Clouds<double> data(60, 4, 2);
  Perceptron<double> unit(4, 2);
  fit(unit, data.x, data.y, {.fit_intercept = false});
  CHECK(unit.biases()[0] == 0);
  CHECK(unit.weights()[0] != 0);

  Perceptron<double> impatient(2, 2);
  const PerceptronEnd end = fit(impatient, kCorners<double>, {0, 1, 1, 0}, {.tol = 1e-3, .patience = 5});
  CHECK(end.epochs < 50);
  CHECK(end.mistakes > 0);

  // A poll is asked about every million multiplications.
  const Clouds<double> large(40'000, 64, 2);
  Perceptron<double> asked(64, 2);
  int polls = 0;
  PerceptronOptions options{.max_epochs = 1};
  options.poll = [&] { return ++polls == 2; };
  CHECK(fit(asked, large.x, large.y, options).epochs == 0);
  CHECK(polls == 2);
}

TEST_CASE("perceptron: bad input changes nothing") {
  const Clouds<double> data(9, 3, 2);
  Perceptron<double> unit(3, 2);
  const auto says = [&](const std::vector<double>& x, const std::vector<std::int32_t>& y,
                        const PerceptronOptions& options, std::initializer_list<std::string_view> parts,
                        const std::vector<double>& weight = {}) {
    CHECK(without(message_of([&] { fit(unit, x, y, options, weight); }), parts) == "");
    CHECK(bit_difference(unit.weights(), std::vector<double>(3)) == "");
  };
  std::vector<double> broken = data.x;
  broken[7] = kNan<double>;
  std::vector<std::int32_t> beyond = data.y;
  beyond[8] = 2;
  says({}, {}, {}, {"no rows"});
  says(broken, data.y, {}, {"x must be finite", "row 2, column 1", "nan"});
  says(data.x, beyond, {}, {"y must be from 0 to 1", "got 2"});
  says(data.x, {0, 1}, {}, {"9 rows", "y has 2"});
  says(data.x, data.y, {}, {"sample_weight has 2"}, {1, 1});
  says(data.x, data.y, {}, {"sample_weight must be at least 0", "-1"}, std::vector<double>(9, -1));
  says(data.x, data.y, {.eta0 = 0}, {"eta0 must be above 0"});
  says(data.x, data.y, {.max_epochs = 0}, {"max_epochs"});
  says(data.x, data.y, {.patience = 0}, {"patience"});
  says(data.x, data.y, {.tol = kNan<double>}, {"tol"});
  CHECK(without(message_of([] { Perceptron<double>(0, 2); }), {"features must be at least 1"}) == "");
  CHECK(without(message_of([] { Perceptron<double>(1, 1); }), {"classes must be at least 2"}) == "");
  std::vector<double> z(2);
  CHECK(without(message_of([&] { unit.decide({view(data.x), 3}, {std::span<double>(z), 1}); }),
                {"z must have shape (9, 1)", "(2, 1)"}) == "");
}
