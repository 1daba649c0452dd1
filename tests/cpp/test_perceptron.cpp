// SPDX-License-Identifier: Apache-2.0
// Rosenblatt's rule against a transcription of it, and what his theorem promises.
#include "laminar/training/perceptron.hpp"

#include "laminar/base/random.hpp"
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
MatrixView<const T> rows(const std::vector<T>& x, Index features) {
  return {view(x), features};
}

template <typename T>
PerceptronEnd fit(Perceptron<T>& unit, const std::vector<T>& x, const std::vector<std::int32_t>& y,
                  const PerceptronOptions& options = {}, const std::vector<T>& weight = {}) {
  return unit.fit({.x = rows(x, unit.features()), .y = view(y), .sample_weight = view(weight)}, options);
}

/// Rows with every third element, and the same rows as CSR.
template <typename T>
struct Thinned {
  std::vector<T> dense;
  std::vector<T> values;
  std::vector<std::int32_t> places;
  std::vector<std::int32_t> starts = {0};

  Thinned(const std::vector<T>& x, Index features) : dense(x) {
    for (Index i = 0; i < static_cast<Index>(x.size()); ++i) {
      if (i % 3 == 0) {
        values.push_back(x[as_size(i)]);
        places.push_back(static_cast<std::int32_t>(i % features));
      } else {
        dense[as_size(i)] = 0;
      }
      if ((i + 1) % features == 0) starts.push_back(static_cast<std::int32_t>(values.size()));
    }
  }
  RowsView<T> csr(Index features) const { return {view(values), view(places), view(starts), features}; }
};

}  // namespace

TEST_CASE_TEMPLATE("perceptron: learns what a line separates, for every seed", T, float, double) {
  for (const std::vector<std::int32_t>& y : {std::vector<std::int32_t>{0, 0, 0, 1}, {0, 1, 1, 1}, {1, 1, 0, 0}}) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
      Perceptron<T> unit(2, 2, seed);
      const PerceptronEnd end = fit(unit, kCorners<T>, y);
      CHECK(end.mistakes == 0);
      CHECK(end.epochs < 30);
      std::vector<T> z(4);
      unit.decide(rows(kCorners<T>, 2), {std::span<T>(z), 1});
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

TEST_CASE_TEMPLATE("perceptron: penalties shrink and truncate after the letter", T, float, double) {
  const Index features = 5;
  const Clouds<T> data(40, features, 2);
  const std::vector<T> weight = draws<T>(40, 0, 2, 5);
  for (const auto& [l1, l2] : std::vector<std::pair<double, double>>{{0, 0.01}, {0.02, 0}, {0.01, 0.02}, {0, 3}}) {
    CAPTURE(l1);
    CAPTURE(l2);
    Perceptron<T> unit(features, 2);
    const PerceptronOptions options{.eta0 = 0.5, .l2 = l2, .l1 = l1, .max_epochs = 6, .shuffle = false};
    CHECK(fit(unit, data.x, data.y, options, weight).epochs == 6);
    std::vector<double> w(as_size(features));
    std::vector<double> q(as_size(features));
    double b = 0;
    double u = 0;
    for (Index i = 0; i < 6 * 40; ++i) {
      const Index r = i % 40;
      double z = b;
      for (Index j = 0; j < features; ++j) z += static_cast<double>(data.x[as_size(r * features + j)]) * w[as_size(j)];
      for (double& v : w) v *= std::max(0.0, 1 - 0.5 * l2);
      const double step = 0.5 * static_cast<double>(weight[as_size(r)]) * (data.y[as_size(r)] - (z > 0 ? 1 : 0));
      for (Index j = 0; j < features; ++j)
        w[as_size(j)] += step * static_cast<double>(data.x[as_size(r * features + j)]);
      b += step;
      u += 0.5 * l1;
      for (Index j = 0; j < features; ++j) {
        const double before = w[as_size(j)];
        double& now = w[as_size(j)];
        if (before > 0) now = std::max(0.0, before - (u + q[as_size(j)]));
        if (before < 0) now = std::min(0.0, before + (u - q[as_size(j)]));
        q[as_size(j)] += now - before;
      }
    }
    CHECK(difference(unit.weights(), w, std::is_same_v<T, float> ? 1e-4 : 1e-12) == "");
    CHECK(unit.biases()[0] == doctest::Approx(b).epsilon(1e-5));
  }
}

TEST_CASE_TEMPLATE("perceptron: sparse rows give the bits of dense ones", T, float, double) {
  const Index features = 7;
  for (const Index classes : {2, 4}) {
    const Clouds<T> data(60, features, classes);
    const Thinned<T> thin(data.x, features);
    for (const double penalty : {0.0, 0.01}) {
      const PerceptronOptions options{.l2 = penalty, .l1 = penalty, .max_epochs = 5, .tol = 1e-3};
      Perceptron<T> dense(features, classes);
      Perceptron<T> sparse(features, classes);
      const PerceptronEnd a = fit(dense, thin.dense, data.y, options);
      const PerceptronEnd b = sparse.fit({.x = thin.csr(features), .y = view(data.y)}, options);
      CHECK(a.epochs == b.epochs);
      CHECK(a.mistakes == b.mistakes);
      CHECK(bit_difference(dense.weights(), sparse.weights()) == "");
      CHECK(bit_difference(dense.biases(), sparse.biases()) == "");
      std::vector<T> z(as_size(60 * dense.units()));
      std::vector<T> sparse_z(z.size());
      dense.decide(rows(thin.dense, features), {std::span<T>(z), dense.units()});
      sparse.decide(thin.csr(features), {std::span<T>(sparse_z), dense.units()});
      CHECK(bit_difference(z, sparse_z) == "");
    }
  }
}

TEST_CASE("perceptron: weights of classes multiply those of rows") {
  const std::vector<double> table = {3, 0.5, 2};
  for (const Index classes : {2, 3}) {
    const Clouds<double> data(50, 4, classes);
    const PerceptronOptions options{.max_epochs = 3};
    Perceptron<double> by_class(4, classes);
    by_class.fit({.x = rows(data.x, 4), .y = view(data.y), .class_weight = view(table).first(as_size(classes))},
                 options);
    // Of two classes both count, of more the unit's own.
    for (Index u = 0; u < by_class.units(); ++u) {
      std::vector<double> weight(50, 1);
      for (std::size_t r = 0; r < 50; ++r) {
        if (classes == 2 || data.y[r] == u) weight[r] = table[as_size(data.y[r])];
      }
      Perceptron<double> by_row(4, classes);
      fit(by_row, data.x, data.y, options, weight);
      const auto own = [&](const Perceptron<double>& p) { return view(p.weights()).subspan(as_size(4 * u), 4); };
      CHECK(bit_difference(own(by_class), own(by_row)) == "");
    }
  }
}

TEST_CASE("perceptron: held-out rows are not learnt from, and their score ends the training") {
  const Clouds<double> data(60, 4, 2);
  std::vector<std::uint8_t> held(60);
  std::vector<double> weight(60, 1);
  std::vector<double> x;
  std::vector<std::int32_t> y;
  for (std::size_t r = 0; r < 60; ++r) {
    held[r] = r % 5 == 0;
    if (held[r] != 0) continue;
    x.insert(x.end(), data.x.begin() + static_cast<Index>(4 * r), data.x.begin() + static_cast<Index>(4 * r + 4));
    y.push_back(data.y[r]);
  }
  std::vector<PerceptronEpoch> seen;
  PerceptronOptions options{.max_epochs = 50, .tol = 1e-3, .patience = 3, .shuffle = false};
  options.report = [&](const PerceptronEpoch& epoch) { seen.push_back(epoch); };
  Perceptron<double> part(4, 2);
  const PerceptronData<double> with_held_out{.x = rows(data.x, 4), .y = view(data.y), .held_out = view(held)};
  const PerceptronEnd end = part.fit(with_held_out, options);
  CHECK(end.epochs == static_cast<Index>(seen.size()));
  CHECK(seen.back().last);
  CHECK(seen.back().score.value() == 1);
  CHECK(seen.back().rows == 48 * end.epochs);
  CHECK(seen.back().nonzeros == 4);
  CHECK(seen.back().bias == part.biases()[0]);
  Perceptron<double> alone(4, 2);
  fit(alone, x, y, {.max_epochs = end.epochs, .shuffle = false});
  CHECK(bit_difference(alone.weights(), part.weights()) == "");
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

  // At z = 0, where training begins, a row of the first class is right, or never is.
  for (const bool strict : {false, true}) {
    Perceptron<double> first(1, 2);
    fit(first, {5.0}, {0}, {.max_epochs = 1, .strict = strict});
    CHECK(first.weights()[0] == (strict ? -5 : 0));
  }

  // A row of no weight is never mistaken.
  Perceptron<double> weightless(2, 2);
  CHECK(fit(weightless, kCorners<double>, {0, 1, 1, 0}, {}, {1, 1, 1, 0}).mistakes == 0);

  // A poll is asked about every million multiplications.
  const Clouds<double> large(40'000, 64, 3);
  Perceptron<double> asked(64, 3);
  int polls = 0;
  PerceptronOptions options{.max_epochs = 1};
  options.poll = [&] { return ++polls == 2; };
  const PerceptronEnd stopped = fit(asked, large.x, large.y, options);
  CHECK(stopped.epochs == 0);
  CHECK(stopped.stopped);
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
  says(data.x, data.y, {.l1 = -1}, {"l1 must be at least 0"});
  says(data.x, data.y, {.l2 = kNan<double>}, {"l2 must be at least 0"});
  says(data.x, data.y, {.eta0 = 0}, {"eta0 must be above 0"});
  says(data.x, data.y, {.max_epochs = 0}, {"max_epochs"});
  says(data.x, data.y, {.patience = 0}, {"patience"});
  says(data.x, data.y, {.tol = kNan<double>}, {"tol"});
  std::vector<double> huge = data.x;
  for (double& value : huge) value *= 1e300;
  CHECK_THROWS_AS(fit(unit, huge, data.y, {.eta0 = 1e9}), NonFiniteError);
  CHECK(bit_difference(unit.weights(), std::vector<double>(3)) == "");

  const auto refuses = [&](const PerceptronData<double>& given, std::initializer_list<std::string_view> parts) {
    CHECK(without(message_of([&] { unit.fit(given, {}); }), parts) == "");
  };
  const RowsView<double> x = rows(data.x, 3);
  const std::vector<std::uint8_t> all(9, 1);
  const std::vector<std::uint8_t> none(9, 0);
  const std::vector<double> pair = {1, -1};
  refuses({.x = x, .y = view(data.y), .class_weight = view(data.x)}, {"classes are 2", "class_weight has 27"});
  refuses({.x = x, .y = view(data.y), .class_weight = view(pair)}, {"class_weight must be at least 0", "-1"});
  refuses({.x = x, .y = view(data.y), .held_out = view(all)}, {"held_out leaves no rows"});
  refuses({.x = x, .y = view(data.y), .held_out = view(none)}, {"held_out has no rows"});
  refuses({.x = x, .y = view(data.y), .held_out = view(all).first(3)}, {"9 rows", "held_out has 3"});
  const std::vector<std::int32_t> starts = {0, 2, 1};
  const std::vector<std::int32_t> late = {1, 2, 2};
  const std::vector<std::int32_t> places = {0, 3};
  const std::vector<std::int32_t> y = {0, 1};
  refuses({.x = {view(pair), view(places), view(starts), 3}, .y = view(y)}, {"no CSR matrix", "begins at 1"});
  refuses({.x = {view(pair), view(places), view(late), 3}, .y = view(y)}, {"no CSR matrix", "begins at 1"});
  refuses({.x = {view(pair), view(places), view(late).last(2), 3}, .y = view(y)}, {"begins at 2"});
  CHECK(without(message_of([&] { RowsView<double>(view(pair), view(places).first(1), view(y), 3); }),
                {"2 values in 1 places"}) == "");
  CHECK(without(message_of([&] { RowsView<double>(view(pair), view(places), {}, 3); }), {"no starts"}) == "");
  CHECK(without(message_of([] { Perceptron<double>(0, 2); }), {"features must be at least 1"}) == "");
  CHECK(without(message_of([] { Perceptron<double>(1, 1); }), {"classes must be at least 2"}) == "");
  std::vector<double> z(2);
  CHECK(without(message_of([&] { unit.decide(rows(data.x, 3), {std::span<double>(z), 1}); }),
                {"z must have shape (9, 1)", "(2, 1)"}) == "");
}
