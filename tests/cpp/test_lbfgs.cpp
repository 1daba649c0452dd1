// SPDX-License-Identifier: Apache-2.0
#include "laminar/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "laminar/base/error.hpp"
#include "support.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

// sum_i 100 (x_{i+1} - x_i^2)^2 + (1 - x_i)^2, least at (1, …, 1)  (Rosenbrock 1960)
double rosenbrock(std::span<const double> x, std::span<double> gradient) {
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double value = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const double a = x[i + 1] - x[i] * x[i];
    const double b = 1 - x[i];
    value += 100 * a * a + b * b;
    gradient[i] += -400 * x[i] * a - 2 * b;
    gradient[i + 1] += 200 * a;
  }
  return value;
}

std::vector<double> alternating(Index n) {
  std::vector<double> x;
  for (Index i = 0; i < n; ++i) x.push_back(i % 2 == 0 ? -1.2 : 1);
  return x;
}

}  // namespace

TEST_CASE("lbfgs: finds the minimum of Rosenbrock's valley") {
  for (const Index n : {2, 3, 10, 100}) {
    CAPTURE(n);
    LbfgsOptions options;
    options.gradient_tolerance = 1e-8;
    options.decrease_tolerance = 0;
    for (const Index memory : {1, 3, 10}) {
      options.memory = memory;
      std::vector<double> x(as_size(n), 0.5);
      const LbfgsEnd end = minimize(rosenbrock, x, options);
      CHECK(std::string(name_of(end.reason)) == "gradient");
      CHECK(end.value < 1e-14);
      CHECK(end.evaluations > end.iterations);
      for (const double v : x) CHECK(v == doctest::Approx(1).epsilon(1e-7));
    }
  }
}

// SciPy 1.17's L-BFGS-B, of the same memory: 36 iterations and 44 evaluations, f = 2.8e-12.
TEST_CASE("lbfgs: takes about as many evaluations as SciPy") {
  std::vector<double> x = alternating(2);
  LbfgsOptions options;
  const LbfgsEnd end = minimize(rosenbrock, x, options);
  CHECK(end.value < 1e-9);
  CHECK(end.evaluations < 75);
}

TEST_CASE("lbfgs: a quadratic's minimum is the solution of its equations") {
  const std::vector<double> scales = draws<double>(40, 0.1, 50);
  const std::vector<double> centre = draws<double>(40, -3, 3, 2);
  const auto quadratic = [&](std::span<const double> x, std::span<double> gradient) {
    double value = 7;
    for (std::size_t i = 0; i < x.size(); ++i) {
      gradient[i] = scales[i] * (x[i] - centre[i]);
      value += 0.5 * gradient[i] * (x[i] - centre[i]);
    }
    return value;
  };
  std::vector<double> x(40, 0.0);
  LbfgsOptions options;
  options.gradient_tolerance = 1e-9;
  options.decrease_tolerance = 0;
  const LbfgsEnd end = minimize(quadratic, x, options);
  CHECK(end.value == doctest::Approx(7).epsilon(1e-14));
  for (std::size_t i = 0; i < x.size(); ++i) CHECK(std::abs(x[i] - centre[i]) < 1e-8);
}

TEST_CASE("lbfgs: says why it ended") {
  const auto ends = [](LbfgsOptions options) {
    std::vector<double> x = alternating(10);
    return std::string(name_of(minimize(rosenbrock, x, options).reason));
  };
  LbfgsOptions options;
  options.max_iterations = 3;
  CHECK(ends(options) == "max_iterations");
  options = {};
  options.max_evaluations = 3;
  CHECK(ends(options) == "max_evaluations");
  options = {};
  options.on_iteration = [](Index iteration, double) { return iteration == 2; };
  CHECK(ends(options) == "stopped");
  options = {};
  options.gradient_tolerance = 0;
  options.decrease_tolerance = 1e-3;
  CHECK(ends(options) == "decrease");
  std::vector<double> least(4, 1.0);
  CHECK(minimize(rosenbrock, least).iterations == 0);
  // A gradient that points uphill.
  std::vector<double> x(1, 1.0);
  const auto wrong = [](std::span<const double> at, std::span<double> gradient) {
    gradient[0] = -1;
    return at[0];
  };
  CHECK(std::string(name_of(minimize(wrong, x).reason)) == "line_search");
  CHECK(x[0] == 1.0);
}

TEST_CASE("lbfgs: steps to where the function is not finite are shortened") {
  // -log x + x, of which the first step may leave the domain.
  const auto barrier = [](std::span<const double> x, std::span<double> gradient) {
    gradient[0] = 1 - 1 / x[0];
    return x[0] > 0 ? x[0] - std::log(x[0]) : kNan<double>;
  };
  std::vector<double> x{1.9};
  CHECK(minimize(barrier, x).value == doctest::Approx(1));
  CHECK(x[0] == doctest::Approx(1).epsilon(1e-4));
  x = {-1.0};
  CHECK_THROWS_AS(minimize(barrier, x), NonFiniteError);
}

TEST_CASE("lbfgs: bad options are refused") {
  std::vector<double> x{1, 1};
  for (auto&& set : {+[](LbfgsOptions& o) { o.max_iterations = 0; }, +[](LbfgsOptions& o) { o.max_evaluations = 0; },
                     +[](LbfgsOptions& o) { o.memory = 0; }, +[](LbfgsOptions& o) { o.gradient_tolerance = -1; },
                     +[](LbfgsOptions& o) { o.decrease_tolerance = kNan<double>; }}) {
    LbfgsOptions options;
    set(options);
    CHECK_THROWS_AS(minimize(rosenbrock, x, options), std::invalid_argument);
  }
}

// Without hidden layers the loss is convex: ridge regression, whose minimum solves
// (X^T X + alpha I) w = X^T y.
TEST_CASE_TEMPLATE("lbfgs: a linear network ends where the normal equations do", T, float, double) {
  const Index rows = 50;
  const double alpha = 3;
  Task<T> task(rows, 2, 1);
  Network network(2, {Dense{.units = 1, .use_bias = false, .kernel_regularizer = Regularizer("l2", {{"l2", alpha}})}});
  Model<T> model(std::move(network), 1);
  model.compile(Loss("mse"), Optimizer("sgd"));
  model.set_penalties_per_row(true);
  LbfgsOptions options;
  options.gradient_tolerance = 1e-7;
  const LbfgsEnd end = fit_lbfgs(model, task.dataset("mse"), options);
  CHECK(std::string(name_of(end.reason)) != "line_search");
  double a = alpha, b = 0, c = alpha, p = 0, q = 0;
  for (Index i = 0; i < rows; ++i) {
    const auto x0 = static_cast<double>(task.x[as_size(2 * i)]);
    const auto x1 = static_cast<double>(task.x[as_size(2 * i + 1)]);
    const auto y = static_cast<double>(task.y[as_size(i)]);
    a += x0 * x0;
    b += x0 * x1;
    c += x1 * x1;
    p += x0 * y;
    q += x1 * y;
  }
  const double precision = std::is_same_v<T, float> ? 1e-4 : 1e-7;
  CHECK(static_cast<double>(model.tensor(0)[0]) ==
        doctest::Approx((c * p - b * q) / (a * c - b * b)).epsilon(precision));
  CHECK(static_cast<double>(model.tensor(0)[1]) ==
        doctest::Approx((a * q - b * p) / (a * c - b * b)).epsilon(precision));
}

TEST_CASE_TEMPLATE("lbfgs: a network's path does not depend on threads", T, float, double) {
  Task<T> task(300, 5, 2);
  std::vector<std::vector<T>> ends;
  for (const int threads : {1, 2, 3}) {
    const Threads limited(threads);
    Network network(5, {Dense{.units = 40, .activation = "tanh"}, Dense{.units = 2}});
    Model<T> model(std::move(network), 1);
    model.compile(Loss("mse"), Optimizer("sgd"));
    const double before = model.evaluate(task.dataset("mse"))[0];
    LbfgsOptions options;
    options.max_iterations = 30;
    const LbfgsEnd end = fit_lbfgs(model, task.dataset("mse"), options, 2.0);
    CHECK(end.value < before);
    CHECK(end.value == doctest::Approx(2 * model.evaluate(task.dataset("mse"))[0]).epsilon(1e-5));
    CHECK(model.iterations() == 0);
    ends.emplace_back(model.parameters().begin(), model.parameters().end());
  }
  CHECK(ends[0] == ends[1]);
  CHECK(ends[0] == ends[2]);
}

TEST_CASE("penalties: per row they are divided by the weights of the batch's rows") {
  Task<double> task(7, 3, 1);
  task.weights = draws<double>(7, 0.5, 2);
  double sum = 0;
  for (const double w : task.weights) sum += w;
  const auto loss_with = [&](double l2, bool per_row, std::vector<double>& gradients) {
    Network network(3, {Dense{.units = 4, .kernel_regularizer = Regularizer("l2", {{"l2", l2}})},
                        Dense{.units = 1, .kernel_regularizer = Regularizer("orthogonal", {{"factor", l2}})}});
    Model<double> model(std::move(network), 1);
    model.compile(Loss("mse"), Optimizer("sgd"));
    model.set_penalties_per_row(per_row);
    CHECK(model.penalties_per_row() == per_row);
    gradients.resize(model.parameters().size());
    const double loss = model.loss_and_gradients(task.dataset("mse"), gradients, true);
    CHECK(loss == doctest::Approx(model.evaluate(task.dataset("mse"))[0]).epsilon(1e-12));
    return loss;
  };
  std::vector<double> per_row, plain;
  CHECK(loss_with(0.3, true, per_row) == doctest::Approx(loss_with(0.3 / sum, false, plain)).epsilon(1e-12));
  for (std::size_t i = 0; i < plain.size(); ++i) CHECK(per_row[i] == doctest::Approx(plain[i]).epsilon(1e-12));
}

namespace {

/// A function that notes what it is asked.
struct Noted {
  SmoothFunction function;
  std::vector<std::vector<double>> points = {};
  std::vector<double> values = {};

  double operator()(std::span<const double> x, std::span<double> gradient) {
    points.emplace_back(x.begin(), x.end());
    values.push_back(function(x, gradient));
    return values.back();
  }
};

double distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += (a[i] - b[i]) * (a[i] - b[i]);
  return std::sqrt(sum);
}

double product(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace

TEST_CASE("lbfgs: the first step is as long as the gradient, but no longer than 1") {
  for (const double slope : {0.25, 40.0}) {
    Noted noted{[&](std::span<const double> x, std::span<double> gradient) {
      gradient[0] = slope * std::cos(x[0]);
      return slope * std::sin(x[0]);
    }};
    std::vector<double> x{0.0};
    minimize(std::ref(noted), x, {.max_iterations = 1});
    CHECK(distance(noted.points[1], noted.points[0]) == doctest::Approx(std::min(slope, 1.0)));
  }
}

// With one change kept, d = -H g where H is the update of (s y / y y) I by the last change alone.
TEST_CASE("lbfgs: no more changes are kept than memory says") {
  std::vector<std::vector<double>> x;
  std::vector<std::vector<double>> g;
  for (const Index iterations : {1, 2, 3}) {
    x.emplace_back(std::vector<double>{-1.2, 1, -1.2});
    LbfgsOptions options;
    options.memory = 1;
    options.max_iterations = iterations;
    REQUIRE(minimize(rosenbrock, x.back(), options).iterations == iterations);
    g.emplace_back(3);
    rosenbrock(x.back(), g.back());
  }
  std::vector<double> s(3), y(3), d(3), step(3);
  for (std::size_t i = 0; i < 3; ++i) {
    s[i] = x[1][i] - x[0][i];
    y[i] = g[1][i] - g[0][i];
    step[i] = x[2][i] - x[1][i];
  }
  const double along = product(s, g[1]) / product(s, y);
  const double gamma = product(s, y) / product(y, y);
  for (std::size_t i = 0; i < 3; ++i) d[i] = gamma * (g[1][i] - along * y[i]);
  const double back = product(y, d) / product(s, y);
  for (std::size_t i = 0; i < 3; ++i) d[i] = -(d[i] + (along - back) * s[i]);
  CHECK(product(d, step) / std::sqrt(product(d, d) * product(step, step)) == doctest::Approx(1).epsilon(1e-9));
}

// A parabola that goes on as a straight line, where a search runs out of trials and learns no curvature.
TEST_CASE("lbfgs: a change without curvature is left out, those before it stay") {
  Noted noted{[](std::span<const double> x, std::span<double> gradient) {
    const double below = std::min(x[0], 0.0);
    gradient[0] = 4 * below - 1;
    return 2 * below * below - x[0];
  }};
  std::vector<double> x{-1.0};  // to 0, where the slope is -1 after -5: steps of a quarter of it follow
  const LbfgsEnd before = minimize(std::ref(noted), x, {.max_iterations = 2});
  REQUIRE(before.iterations == 2);
  std::vector<double> again{-1.0};
  noted.points.clear();
  minimize(std::ref(noted), again, {.max_iterations = 3});
  CHECK(noted.points[static_cast<std::size_t>(before.evaluations)][0] - x[0] == 0.25);
}

// No slope between those on both sides of a kink is small enough: the search runs out of trials.
TEST_CASE("lbfgs: a search that finds no step ends at the lowest point that it has seen") {
  for (const double kink : {0.1, 0.237, 0.31, 0.4142, 0.5772, 0.618, 0.7071, 0.87}) {
    CAPTURE(kink);
    Noted noted{[&](std::span<const double> x, std::span<double> gradient) {
      gradient[0] = x[0] < kink ? -1 : 10;
      return gradient[0] * (x[0] - kink);
    }};
    std::vector<double> x{0.0};
    const LbfgsEnd end = minimize(std::ref(noted), x, {.max_iterations = 1});
    REQUIRE(end.iterations == 1);
    CHECK(end.value == *std::min_element(noted.values.begin(), noted.values.end()));
    CHECK(end.value == std::abs(x[0] - kink) * (x[0] < kink ? 1 : 10));
  }
}
