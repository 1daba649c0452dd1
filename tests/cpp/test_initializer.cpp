// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/initializer.hpp"

#include <Eigen/Core>

#include "laminar/files/config.hpp"
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
    for (const Shape& shape : {Shape{1, 1}, Shape{3, 5}, Shape{65, 33}, Shape{33, 65}, Shape{0, 5}, Shape{5, 0}}) {
      const auto values = drawn(initializer, shape);
      for (const double v : values) CHECK(std::isfinite(v));
      CHECK(bit_difference(drawn(initializer, shape), values) == "");
      if (values.size() > 1 && initializer.takes("seed")) {
        CHECK((drawn(initializer, shape, 1) == values) == initializer.has("seed"));
      }
    }
  }
}

TEST_CASE("initializer: a seed of its own decides, whatever the model's seed and tensor") {
  for (const EntryInfo& entry : initializer_family().entries) {
    CAPTURE(std::string(entry.name));
    Initializer initializer{std::string_view(entry.name)};
    if (!initializer.takes("seed")) continue;
    const auto plain = drawn(initializer, {4, 6});
    initializer.set("seed", 5);
    const auto own = drawn(initializer, {4, 6});
    CHECK(drawn(initializer, {4, 6}, 7) == own);
    CHECK(own != plain);  // though the model's seed is 5 as well
    initializer.set("seed", 6);
    CHECK(drawn(initializer, {4, 6}) != own);
  }
  CHECK_THROWS_AS(Initializer("he_normal", {{"seed", -1}}), std::invalid_argument);
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
  check_uniform("lecun_uniform", -0.1, 0.1);
  check_uniform("inverse_sqrt_uniform", -1 / std::sqrt(300.0), 1 / std::sqrt(300.0));
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
  check_normal("lecun_normal", 0, std::sqrt(1.0 / 300), true);
  check_normal("truncated_normal", 0, 0.05 * 0.87962566103423978, true);
  check_normal("random_normal", 0, 0.05, false);
  check_normal(Initializer("random_normal", {{"mean", 1}, {"stddev", 2}}), 1, 2, false);
}

TEST_CASE("initializer: variance_scaling is what the others are cases of") {
  const auto scaled = [](double scale, const char* mode, const char* distribution) {
    Initializer initializer("variance_scaling", {{"scale", scale}});
    initializer.set_word("mode", mode);
    initializer.set_word("distribution", distribution);
    return drawn(initializer, {30, 20});
  };
  CHECK(scaled(2, "fan_in", "truncated_normal") == drawn("he_normal", {30, 20}));
  CHECK(scaled(2, "fan_in", "uniform") == drawn("he_uniform", {30, 20}));
  CHECK(scaled(1, "fan_avg", "truncated_normal") == drawn("glorot_normal", {30, 20}));
  CHECK(scaled(1, "fan_avg", "uniform") == drawn("glorot_uniform", {30, 20}));
  CHECK(scaled(1, "fan_in", "truncated_normal") == drawn("lecun_normal", {30, 20}));
  CHECK(scaled(1, "fan_in", "uniform") == drawn("lecun_uniform", {30, 20}));
  const Initializer normal("random_normal", {{"stddev", std::sqrt(1.0 / 20)}});
  CHECK(difference(scaled(1, "fan_out", "untruncated_normal"), drawn(normal, {30, 20}), 1e-15) == "");
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
  for (const double v : drawn(Initializer("constant", {{"value", -2.5}}), {4, 5})) CHECK(v == -2.5);
  for (const Shape& shape : {Shape{3, 5}, Shape{5, 3}, Shape{4, 4}}) {
    const auto values = drawn(Initializer("identity", {{"gain", 2}}), shape);
    for (Index i = 0; i < shape[0] * shape[1]; ++i) {
      CHECK(values[as_size(i)] == (i / shape[1] == i % shape[1] ? 2 : 0));
    }
  }
  CHECK(without(message_of([] { drawn("identity", {2, 2, 2}); }), {"identity", "2 axes", "(2, 2, 2)"}) == "");
}

TEST_CASE("initializer: orthogonal rows or columns, times the gain") {
  for (const double gain : {1.0, 0.5}) {
    CHECK(distance_from_orthogonal(20, 20, gain) < 1e-14);
    CHECK(distance_from_orthogonal(40, 7, gain) < 1e-14);
    CHECK(distance_from_orthogonal(7, 40, gain) < 1e-14);
    CHECK(distance_from_orthogonal(1, 1, gain) < 1e-14);
    // More columns than are reflected at a time, and than they are reflected in.
    CHECK(distance_from_orthogonal(97, 97, gain) < 1e-13);
    CHECK(distance_from_orthogonal(300, 250, gain) < 1e-13);
    CHECK(distance_from_orthogonal(49, 120, gain) < 1e-13);
  }
  CHECK(without(message_of([] { drawn("orthogonal", {5}); }), {"orthogonal", "2 axes", "(5,)"}) == "");
  CHECK(drawn("orthogonal", {2, 3, 4}) == drawn("orthogonal", {6, 4}));
}

TEST_CASE("initializer: weights are these bits on every machine") {
  const auto uniform = drawn("glorot_uniform", {3, 3}, 2);
  const auto normal = drawn("random_normal", {3, 3}, 2);
  const RandomStream stream(5, Purpose::initializer, 2, 0);
  for (std::size_t i = 0; i < uniform.size(); ++i) {
    CHECK(uniform[i] == 2 * stream.uniform(i) - 1);  // times sqrt(6 / 6)
    CHECK(normal[i] == 0.05 * normal_quantile(stream.uniform(i)));
  }
}
