// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/constraint.hpp"

#include "laminar/files/config.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
std::vector<T> applied(const Constraint& constraint, const Shape& shape, std::vector<T> weights) {
  constraint.apply(shape, std::span<T>(weights));
  return weights;
}

/// Norms along an axis of a matrix.
std::vector<double> norms(const Shape& shape, Index axis, const std::vector<double>& weights) {
  std::vector<double> squares(as_size(axis == 0 ? shape[1] : shape[0]));
  for (Index r = 0; r < shape[0]; ++r) {
    for (Index c = 0; c < shape[1]; ++c) {
      const double w = weights[as_size(r * shape[1] + c)];
      squares[as_size(axis == 0 ? c : r)] += w * w;
    }
  }
  for (double& s : squares) s = std::sqrt(s);
  return squares;
}

const Shape kShapes[] = {{1, 1}, {3, 5}, {1, 9}, {17, 1}, {2, 200}, {200, 3}, {65, 64}};

}  // namespace

TEST_CASE("constraint: norms are what is asked for, along either axis") {
  for (const Shape& shape : kShapes) {
    for (const Index axis : {0, 1, -1, -2}) {
      const auto a = static_cast<double>(axis);
      const auto w = draws<double>(shape[0] * shape[1], -1, 1);
      const auto before = norms(shape, axis & 1, w);
      const auto most =
          norms(shape, axis & 1, applied(Constraint("max_norm", {{"max_value", 0.8}, {"axis", a}}), shape, w));
      const auto unit = norms(shape, axis & 1, applied(Constraint("unit_norm", {{"axis", a}}), shape, w));
      const Constraint between("min_max_norm", {{"min_value", 0.5}, {"max_value", 0.8}, {"rate", 0.25}, {"axis", a}});
      const auto moved = norms(shape, axis & 1, applied(between, shape, w));
      for (std::size_t i = 0; i < before.size(); ++i) {
        const double kept = before[i] / (before[i] + 1e-7);
        CHECK(most[i] == doctest::Approx(std::min(before[i], 0.8) * kept).epsilon(1e-14));
        CHECK(unit[i] == doctest::Approx(kept).epsilon(1e-14));
        const double wanted = 0.25 * std::clamp(before[i], 0.5, 0.8) + 0.75 * before[i];
        CHECK(moved[i] == doctest::Approx(wanted * kept).epsilon(1e-14));
      }
    }
  }
}

TEST_CASE("constraint: applied twice is applied once; float agrees with double") {
  for (const Constraint& constraint : variants<Constraint>(constraint_family())) {
    const std::string entry = to_json(constraint);
    CAPTURE(entry);
    for (const Shape& shape : kShapes) {
      const auto wide = draws<double>(shape[0] * shape[1], -3, 3);
      const std::vector<float> narrow(wide.begin(), wide.end());
      const auto once = applied(constraint, shape, wide);
      CHECK(difference(applied(constraint, shape, narrow), once, 1e-6) == "");
      const bool at_once = !constraint.takes("rate") || constraint.value("rate") == 1;
      // Weights shrink by 1e-7 / norm each time; the smallest of these norms is near 0.01.
      if (at_once) CHECK(difference(applied(constraint, shape, once), once, 1e-5) == "");
    }
  }
}

TEST_CASE("constraint: vectors, more axes, zeros and nothing") {
  const auto w = draws<double>(24, -1, 1);
  const Constraint unit("unit_norm");
  CHECK(applied(unit, {24}, w) == applied(unit, {24, 1}, w));
  CHECK(applied(unit, {4, 3, 2}, w) == applied(unit, {4, 6}, w));
  CHECK(applied(Constraint("unit_norm", {{"axis", 2}}), {4, 3, 2}, w) ==
        applied(Constraint("unit_norm", {{"axis", 1}}), {12, 2}, w));
  for (const EntryInfo& entry : constraint_family().entries) {
    const Constraint constraint{std::string_view(entry.name)};
    for (const double v : applied(constraint, {3, 4}, std::vector<double>(12))) CHECK(v == 0);
    CHECK(applied(constraint, {0, 4}, std::vector<float>()).empty());
    CHECK(applied(constraint, {4, 0}, std::vector<float>()).empty());
  }
  CHECK(applied(Constraint("non_neg"), {3}, std::vector<float>{-1, 0, 2}) == std::vector<float>{0, 0, 2});
}

TEST_CASE("constraint: NaN spoils its own vector alone; the largest float is fine") {
  for (const EntryInfo& entry : constraint_family().entries) {
    CAPTURE(std::string(entry.name));
    const Constraint constraint{std::string_view(entry.name)};
    std::vector<float> weights(12, std::numeric_limits<float>::max());
    for (const float v : applied(constraint, {3, 4}, weights)) CHECK(std::isfinite(v));
    weights[5] = kNan<float>;
    const auto after = applied(constraint, {3, 4}, weights);
    for (std::size_t i = 0; i < 12; ++i) {
      CHECK(std::isnan(after[i]) == (constraint.takes("axis") ? i % 4 == 1 : i == 5));
    }
  }
}

TEST_CASE("constraint: an axis that the shape lacks is refused") {
  const Constraint constraint("max_norm", {{"axis", 1}});
  CHECK(without(message_of([&] { applied(constraint, {3}, std::vector<float>(3)); }),
                {"constraint 'max_norm'", "axis", "(3,)", "got 1"}) == "");
  CHECK_THROWS_AS(applied(Constraint("unit_norm"), {}, std::vector<float>(1)), std::invalid_argument);
}
