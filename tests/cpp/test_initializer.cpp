// SPDX-License-Identifier: Apache-2.0
#include "laminar/initializer.hpp"

#include <Eigen/Core>

#include "laminar/config.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<double> drawn(const Initializer& initializer, const Shape& shape, std::uint32_t item = 0) {
  Index size = 1;
  for (const Index extent : shape) size *= extent;
  std::vector<double> values(as_size(size));
  initializer.fill(shape, RandomStream(5, Purpose::initializer, item, 0), values);
  return values;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
  double largest = 0;
};

Moments moments(const std::vector<double>& values) {
  Moments m;
  for (const double v : values) m.mean += v / static_cast<double>(values.size());
  for (const double v : values) {
    m.deviation += (v - m.mean) * (v - m.mean) / static_cast<double>(values.size());
    m.largest = std::max(m.largest, std::abs(v));
  }
  m.deviation = std::sqrt(m.deviation);
  return m;
}

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Largest deviation of the shorter side's products from gain^2 times the identity.
double distance_from_orthogonal(Index rows, Index columns, double gain) {
  const auto values = drawn(Initializer("orthogonal", {{"gain", gain}}), {rows, columns});
  const Eigen::Map<const Matrix> q(values.data(), rows, columns);
  const Matrix products = rows < columns ? Matrix(q * q.transpose()) : Matrix(q.transpose() * q);
  return (products - gain * gain * Matrix::Identity(products.rows(), products.cols())).cwiseAbs().maxCoeff();
}

}  // namespace

TEST_CASE("initializer: every entry draws finite values, the same for the same stream, others for another") {
  for (const Initializer& initializer : variants<Initializer>(initializer_family())) {
    const std::string entry = to_json(initializer);
    CAPTURE(entry);
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 5}, Shape{65, 33}, Shape{33, 65}}) {
      const auto values = drawn(initializer, shape);
      for (const double v : values) CHECK(std::isfinite(v));
      CHECK(bit_difference(drawn(initializer, shape), values) == "");
      const std::string_view name = initializer.name();
      if (values.size() > 1 && name != "zeros" && name != "ones") CHECK(drawn(initializer, shape, 1) != values);
    }
  }
}

TEST_CASE("initializer: limits and deviations are the published ones") {
  const Shape shape{300, 100};
  const auto check_uniform = [&](const Initializer& initializer, double low, double high) {
    const Moments m = moments(drawn(initializer, shape));
    const double width = high - low;
    CHECK(m.largest <= std::max(std::abs(low), std::abs(high)));
    CHECK(m.largest > std::max(std::abs(low), std::abs(high)) - width / 1000);
    CHECK(std::abs(m.mean - (low + high) / 2) < 4 * width / std::sqrt(12.0 * 30000));
    CHECK(m.deviation == doctest::Approx(width / std::sqrt(12)).epsilon(0.01));
  };
  const double glorot = std::sqrt(6.0 / 400);
  const double he = std::sqrt(6.0 / 300);
  check_uniform("glorot_uniform", -glorot, glorot);
  check_uniform("he_uniform", -he, he);
  check_uniform("random_uniform", -0.05, 0.05);
  check_uniform(Initializer("random_uniform", {{"minval", -0.5}, {"maxval", 1.5}}), -0.5, 1.5);

  // Cut at two deviations of the normal that was stretched: 2 / 0.8796 of the wanted deviation.
  const auto check_normal = [&](const Initializer& initializer, double mean, double deviation, bool cut) {
    const Moments m = moments(drawn(initializer, shape));
    CHECK(std::abs(m.mean - mean) < 4 * deviation / std::sqrt(30000.0));
    CHECK(m.deviation == doctest::Approx(deviation).epsilon(0.02));
    if (cut) CHECK(m.largest <= 2 / 0.87962566103423978 * deviation);
    if (!cut) CHECK(m.largest > 3.5 * deviation);
  };
  check_normal("glorot_normal", 0, std::sqrt(2.0 / 400), true);
  check_normal("he_normal", 0, std::sqrt(2.0 / 300), true);
  check_normal("random_normal", 0, 0.05, false);
  check_normal(Initializer("random_normal", {{"mean", 1}, {"stddev", 2}}), 1, 2, false);
}

TEST_CASE("initializer: He for three inputs") {
  CHECK(moments(drawn("he_uniform", {3, 10000})).largest == doctest::Approx(1.414214).epsilon(1e-3));
  CHECK(moments(drawn("he_uniform", {3, 10000})).largest <= std::sqrt(2.0));
  CHECK(moments(drawn("he_normal", {3, 10000})).deviation == doctest::Approx(0.816497).epsilon(0.01));
}

TEST_CASE("initializer: fans of vectors and of more axes are those of Keras") {
  CHECK(moments(drawn("glorot_uniform", {10000})).largest == doctest::Approx(std::sqrt(6.0 / 20000)).epsilon(1e-3));
  CHECK(moments(drawn("he_uniform", {5, 4, 3, 1000})).largest == doctest::Approx(std::sqrt(6.0 / 60)).epsilon(1e-3));
  CHECK(drawn("glorot_uniform", {}).size() == 1);
}

TEST_CASE("initializer: constants") {
  for (const double v : drawn("zeros", {4, 5})) CHECK(v == 0);
  for (const double v : drawn("ones", {4, 5})) CHECK(v == 1);
}

TEST_CASE("initializer: orthogonal rows or columns, times the gain") {
  for (const double gain : {1.0, 0.5}) {
    CHECK(distance_from_orthogonal(20, 20, gain) < 1e-14);
    CHECK(distance_from_orthogonal(40, 7, gain) < 1e-14);
    CHECK(distance_from_orthogonal(7, 40, gain) < 1e-14);
    CHECK(distance_from_orthogonal(1, 1, gain) < 1e-14);
  }
  CHECK(without(message_of([] { drawn("orthogonal", {5}); }), {"orthogonal", "2 axes", "(5,)"}) == "");
}

TEST_CASE("initializer: weights are these bits on every machine") {
  const auto uniform = drawn("glorot_uniform", {3, 3}, 2);
  const auto normal = drawn("random_normal", {3, 3}, 2);
  const RandomStream stream(5, Purpose::initializer, 2, 0);
  for (std::size_t i = 0; i < uniform.size(); ++i) {
    CHECK(uniform[i] == (2 * stream.uniform(i) - 1) * 1.0);  // sqrt(6 / 6)
    CHECK(normal[i] == 0.05 * normal_quantile(stream.uniform(i)));
  }
}
