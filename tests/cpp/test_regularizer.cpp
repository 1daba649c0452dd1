// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/regularizer.hpp"

#include "laminar/files/config.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
std::vector<T> gradient_of(const Regularizer& r, const Shape& shape, const std::vector<T>& weights, T start = 0) {
  std::vector<T> gradient(weights.size(), start);
  r.add_gradient(shape, view(weights), std::span<T>(gradient));
  return gradient;
}

std::vector<float> narrowed(const std::vector<double>& values) { return {values.begin(), values.end()}; }

const Shape kShapes[] = {{1, 1}, {3, 5}, {5, 3}, {1, 9}, {17, 1}, {33, 7}};

}  // namespace

TEST_CASE("regularizer: gradients are those of central differences") {
  for (const Regularizer& regularizer : variants<Regularizer>(regularizer_family())) {
    const std::string entry = to_json(regularizer);
    CAPTURE(entry);
    for (const Shape& shape : kShapes) {
      auto weights = draws<double>(shape[0] * shape[1], -1, 1);
      const auto gradient = gradient_of(regularizer, shape, weights);
      std::vector<double> numeric;
      for (double& w : weights) {
        const double kept = w;
        const double h = 1e-6;
        w = kept + h;
        const double above = regularizer.penalty(shape, view(weights));
        w = kept - h;
        numeric.push_back((above - regularizer.penalty(shape, view(weights))) / (2 * h));
        w = kept;
      }
      CHECK(difference(gradient, numeric, 1e-8) == "");
      CHECK(difference(gradient_of(regularizer, shape, weights, 2.0), gradient_of(regularizer, shape, weights), 0) !=
            "");
    }
  }
}

TEST_CASE("regularizer: float agrees with double, and both repeat") {
  for (const Regularizer& regularizer : variants<Regularizer>(regularizer_family())) {
    const std::string entry = to_json(regularizer);
    CAPTURE(entry);
    for (const Shape& shape : kShapes) {
      const auto wide = draws<double>(shape[0] * shape[1], -1, 1);
      const auto narrow = narrowed(wide);
      const double penalty = regularizer.penalty(shape, view(wide));
      CHECK(regularizer.penalty(shape, view(narrow)) == doctest::Approx(penalty).epsilon(1e-6));
      CHECK(regularizer.penalty(shape, view(wide)) == penalty);
      const auto gradient = gradient_of(regularizer, shape, wide);
      CHECK(difference(gradient_of(regularizer, shape, narrow), gradient, 1e-6) == "");
    }
  }
}

TEST_CASE("regularizer: closed forms") {
  const std::vector<double> w = {1, -2, 0, 4};
  const Shape shape{2, 2};
  CHECK(Regularizer("l1", {{"l1", 0.5}}).penalty(shape, view(w)) == 3.5);
  CHECK(Regularizer("l2", {{"l2", 0.5}}).penalty(shape, view(w)) == 10.5);
  CHECK(Regularizer("l1_l2", {{"l1", 0.5}, {"l2", 0.25}}).penalty(shape, view(w)) == 8.75);
  CHECK(Regularizer("l1_l2").penalty(shape, view(w)) == 0);
  CHECK(gradient_of(Regularizer("l1", {{"l1", 0.5}}), shape, w) == std::vector<double>{0.5, -0.5, 0, 0.5});
  CHECK(gradient_of(Regularizer("l2", {{"l2", 0.5}}), shape, w, 1.0) == std::vector<double>{2, -1, 1, 5});

  // The rows' cosine is -8 / (sqrt 5 * 4), the columns' 2 / sqrt 20 of opposite signs.
  Regularizer orthogonal("orthogonal", {{"factor", 1}});
  CHECK(orthogonal.penalty(shape, view(w)) == doctest::Approx(2 / std::sqrt(5.0)).epsilon(1e-15));
  orthogonal.set_word("mode", "columns");
  CHECK(orthogonal.penalty(shape, view(w)) == doctest::Approx(2 / std::sqrt(20.0)).epsilon(1e-15));
  const std::vector<double> identity = {1, 0, 0, 1};
  CHECK(orthogonal.penalty(shape, view(identity)) == 0);
  CHECK(orthogonal.penalty({4, 1}, view(w)) == 0);  // one column alone
}

TEST_CASE("regularizer: factors for a loop that takes the penalty along") {
  CHECK(Regularizer("l1").elementwise());
  CHECK(Regularizer("l1").l1() == 0.01);
  CHECK(Regularizer("l1").l2() == 0);
  CHECK(Regularizer("l1_l2", {{"l2", 0.5}}).l2() == 0.5);
  CHECK(!Regularizer("orthogonal").elementwise());
  CHECK(Regularizer("orthogonal").l1() == 0);
}

TEST_CASE("regularizer: NaN goes through; zeros, nothing and the largest float are fine") {
  for (const EntryInfo& entry : regularizer_family().entries) {
    CAPTURE(std::string(entry.name));
    Regularizer regularizer{std::string_view(entry.name)};
    if (regularizer.takes("l1")) regularizer.set("l1", 0.5);
    const Shape shape{3, 4};
    std::vector<float> weights(12, 0.0F);
    CHECK(regularizer.penalty(shape, view(weights)) == 0);
    for (const float g : gradient_of(regularizer, shape, weights)) CHECK(g == 0);
    CHECK(regularizer.penalty(Shape{0, 4}, std::span<const float>()) == 0);
    CHECK(regularizer.penalty(Shape{4, 0}, std::span<const float>()) == 0);
    std::fill(weights.begin(), weights.end(), std::numeric_limits<float>::max());
    CHECK(std::isfinite(regularizer.penalty(shape, view(weights))));
    weights[5] = kNan<float>;
    CHECK(std::isnan(regularizer.penalty(shape, view(weights))));
    CHECK(std::isnan(gradient_of(regularizer, shape, weights)[5]));
  }
}

TEST_CASE("regularizer: orthogonal needs a matrix") {
  const std::vector<double> w(4);
  CHECK(without(message_of([&] { Regularizer("orthogonal").penalty({4}, view(w)); }),
                {"orthogonal", "2 axes", "(4,)"}) == "");
}
