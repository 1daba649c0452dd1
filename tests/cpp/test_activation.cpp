// SPDX-License-Identifier: Apache-2.0
// Every activation, by every table, against the reference; and what holds for all of them.
#include "laminar/catalogue/activation.hpp"

#include "block.hpp"
#include "laminar/files/config.hpp"
#include "reference.hpp"
#include "ulps.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr double kMostUlps = 4;

template <typename T>
constexpr double kTolerance = 16 * static_cast<double>(std::numeric_limits<T>::epsilon());

/// Numbers away from 0, where slopes jump.
template <typename T>
std::vector<T> logits(Index n) {
  auto values = draws<T>(n, -4, 4);
  for (T& v : values) v += v < 0 ? T(-0.01) : T(0.01);
  return values;
}

template <typename T>
std::vector<T> activated(const kernels::Kernels<T>& k, const Activation& f, const std::vector<T>& z) {
  const auto columns = static_cast<Index>(z.size());
  const auto parameters = f.values_as<T>();
  Block<T> block(1, columns, z);
  k.activate({f.kernel(), parameters.data(), block.data(), block.stride(), block.data(), block.stride(), 1, columns});
  CHECK(block.intact());
  return block.values();
}

std::vector<Activation> all() { return variants<Activation>(activation_family()); }

}  // namespace

TEST_CASE_TEMPLATE("activation: value and gradient of every entry and form are the reference's", T, float, double) {
  for (const Activation& f : all()) {
    const std::string entry = to_json(f);
    CAPTURE(entry);
    const auto parameters = f.values_as<T>();
    for (const Index rows : kBatches) {
      for (const Index columns : kSizes) {
        CAPTURE(rows);
        CAPTURE(columns);
        const auto values = logits<T>(rows * columns);
        const auto d_a = draws<T>(rows * columns, -1, 1, 2);
        const auto z = reference::matrix(values, rows, columns);
        const auto expected = reference::activate(f, z);
        const auto expected_gradient = reference::activation_gradient(f, z, reference::matrix(d_a, rows, columns));
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          for (const int number : {f.kernel(), f.index()}) {
            const Block<T> in(rows, columns, values);
            Block<T> a(rows, columns);
            k.activate({number, parameters.data(), in.data(), in.stride(), a.data(), a.stride(), rows, columns});
            CHECK(difference(a.values(), expected, kTolerance<T>) == "");
            CHECK(a.intact());
            const Block<T>& kept = f.keeps_input() || number != f.kernel() ? in : a;
            Block<T> d(rows, columns, d_a);
            k.activation_gradient(
                {number, parameters.data(), kept.data(), kept.stride(), d.data(), d.stride(), rows, columns});
            CHECK(difference(d.values(), expected_gradient, kTolerance<T>) == "");
            CHECK(d.intact());
            if (f.kernel() == f.index()) break;
          }
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("activation: a number gives the same bits wherever it stands in a block", T, float, double) {
  const auto z = logits<T>(203);
  const auto d_a = draws<T>(203, -1, 1, 2);
  for (const Activation& f : all()) {
    if (f.row_wise()) continue;
    CAPTURE(to_json(f));
    const auto parameters = f.values_as<T>();
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      const auto both = [&](Index rows, Index columns, const std::vector<T>& in, std::vector<T> gradient) {
        const Block<T> kept(rows, columns, in);
        Block<T> a(rows, columns);
        Block<T> d(rows, columns, gradient);
        k.activate({f.index(), parameters.data(), kept.data(), kept.stride(), a.data(), a.stride(), rows, columns});
        const Block<T>& from = f.keeps_input() ? kept : a;
        k.activation_gradient(
            {f.kernel(), parameters.data(), from.data(), from.stride(), d.data(), d.stride(), rows, columns});
        auto values = a.values();
        const auto gradients = d.values();
        values.insert(values.end(), gradients.begin(), gradients.end());
        return values;
      };
      std::vector<T> alone(2 * z.size());
      for (std::size_t i = 0; i < z.size(); ++i) {
        const auto one = both(1, 1, {z[i]}, {d_a[i]});
        alone[i] = one[0];
        alone[z.size() + i] = one[1];
      }
      CHECK(bit_difference(both(203, 1, z, d_a), alone) == "");
      CHECK(bit_difference(both(7, 29, z, d_a), alone) == "");
      CHECK(bit_difference(both(1, 203, z, d_a), alone) == "");
    });
  }
}

TEST_CASE_TEMPLATE("activation: NaN in gives NaN out and touches no neighbour", T, float, double) {
  for (const Activation& f : all()) {
    if (f.row_wise()) continue;  // test_rows
    CAPTURE(std::string(f.name()));
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      for (const Index columns : {1, 15, 16, 17, 33}) {
        const auto clean = logits<T>(columns);
        const auto expected = activated(k, f, clean);
        for (Index at = 0; at < columns; ++at) {
          auto z = clean;
          z[as_size(at)] = kNan<T>;
          auto a = activated(k, f, z);
          CHECK(std::isnan(a[as_size(at)]));
          a[as_size(at)] = expected[as_size(at)];
          CHECK(bit_difference(a, expected) == "");
        }
      }
    });
  }
}

// 4 ULP over all magnitudes, in float as in double; hyper-parameters that both hold exactly.
TEST_CASE_TEMPLATE("activation: elementwise values are exact but for a few units in the last place", T, float, double) {
  std::vector<Activation> entries;
  for (const EntryInfo& entry : activation_family().entries) entries.emplace_back(std::string_view(entry.name));
  entries.emplace_back("gelu", std::initializer_list<NamedValue>{{"approximate", 1}});
  entries.emplace_back("relu", std::initializer_list<NamedValue>{{"max_value", 6}});
  entries.emplace_back("relu", std::initializer_list<NamedValue>{{"negative_slope", 0.25}, {"threshold", 1}});
  entries.emplace_back("celu", std::initializer_list<NamedValue>{{"alpha", 0.5}});
  const auto z = samples<T>();
  for (const Activation& f : entries) {
    if (f.row_wise()) continue;
    const std::string entry = to_json(f);
    CAPTURE(entry);
    const auto exact = reference::elementwise(f);
    std::vector<long double> expected;
    for (const T v : z) expected.push_back(std::isnan(v) ? static_cast<long double>(v) : exact(v));
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      const auto a = activated(k, f, z);
      double most = 0;
      T where = 0;
      for (std::size_t i = 0; i < z.size(); ++i) {
        const double error = ulps(a[i], expected[i]);
        if (error > most) where = z[i];
        most = std::max(most, error);
      }
      CAPTURE(where);
      CHECK(most <= kMostUlps);
    });
  }
}

TEST_CASE("activation: slopes are those of central differences") {
  constexpr double kStep = 1e-5;
  for (const Activation& f : all()) {
    if (!f.has_gradient()) continue;
    const std::string entry = to_json(f);
    CAPTURE(entry);
    constexpr Index kColumns = 31;
    const auto z = logits<double>(kColumns);
    const auto d_a = draws<double>(kColumns, -1, 1, 2);
    std::vector<double> gradient(as_size(kColumns));
    const MatrixView<const double> weights{d_a.data(), 1, kColumns};
    activation_gradient<double>(f, {z.data(), 1, kColumns}, weights, {gradient.data(), 1, kColumns});
    const auto weighted = [&](Index at, double step) {
      auto moved = z;
      moved[as_size(at)] += step;
      activate<double>(f, {moved.data(), 1, kColumns}, {moved.data(), 1, kColumns});
      long double sum = 0;
      for (Index j = 0; j < kColumns; ++j) sum += static_cast<long double>(moved[as_size(j)] * d_a[as_size(j)]);
      return sum;
    };
    for (Index i = 0; i < kColumns; ++i) {
      const auto slope = static_cast<double>((weighted(i, kStep) - weighted(i, -kStep)) / (2 * kStep));
      CHECK(gradient[as_size(i)] == doctest::Approx(slope).epsilon(1e-6));
    }
  }
}

TEST_CASE_TEMPLATE("activation: on arrays, any size, in place, rows where they matter", T, float, double) {
  for (const Activation& f : all()) {
    const std::string entry = to_json(f);
    CAPTURE(entry);
    for (const auto& [rows, columns] : {std::pair<Index, Index>{0, 3}, {1, 1}, {3, 7}, {2, 1025}, {70, 33}}) {
      auto z = logits<T>(rows * columns);
      auto d = draws<T>(rows * columns, -1, 1, 2);
      const auto m = reference::matrix(z, rows, columns);
      const auto gradient = reference::activation_gradient(f, m, reference::matrix(d, rows, columns));
      activation_gradient<T>(f, {z.data(), rows, columns}, {d.data(), rows, columns}, {d.data(), rows, columns});
      CHECK(difference(d, gradient, kTolerance<T>) == "");
      activate<T>(f, {z.data(), rows, columns}, {z.data(), rows, columns});
      CHECK(difference(z, reference::activate(f, m), kTolerance<T>) == "");
    }
  }
}

TEST_CASE_TEMPLATE("activation: finite for every finite input, infinities go to their limits", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> ends = {
      Limits::max(), Limits::lowest(),      Limits::min(), -Limits::min(), Limits::denorm_min(),
      T(0),          -Limits::denorm_min(), -T(0),         T(1e30),        T(-1e30)};
  for (const Activation& f : all()) {
    CAPTURE(std::string(f.name()));
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      const auto a = activated(k, f, ends);
      if (f.row_wise()) {
        const auto expected = reference::activate(f, reference::matrix(ends, 1, static_cast<Index>(ends.size())));
        for (std::size_t i = 0; i < ends.size(); ++i) {
          if (std::isfinite(static_cast<T>(expected.data()[i]))) CHECK(std::isfinite(a[i]));
          CHECK_FALSE(std::isnan(a[i]));
        }
        return;
      }
      const auto exact = reference::elementwise(f);
      for (std::size_t i = 0; i < ends.size(); ++i) {  // e^1e30 is infinite, and so is selu of the largest number
        if (std::isfinite(static_cast<T>(exact(ends[i])))) CHECK(std::isfinite(a[i]));
        CHECK_FALSE(std::isnan(a[i]));
      }
      std::vector<T> slopes(ends.size());
      const std::vector<T> ones(ends.size(), T(1));
      const auto n = static_cast<Index>(ends.size());
      activation_gradient<T>(f, {ends.data(), 1, n}, {ones.data(), 1, n}, {slopes.data(), 1, n});
      for (const T v : slopes) CHECK_FALSE(std::isnan(v));
      constexpr T kInfinity = Limits::infinity();
      const auto expected = reference::activate(f, reference::matrix(std::vector<T>{kInfinity, -kInfinity}, 1, 2));
      CHECK(difference(activated<T>(k, f, {kInfinity, -kInfinity}), expected, kTolerance<T>) == "");
    });
  }
}

TEST_CASE_TEMPLATE("activation: worked values", T, float, double) {
  constexpr double kClose = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    const auto check = [&](const Activation& f, const std::vector<T>& z, const std::vector<double>& a, double within) {
      CHECK(difference(activated(k, f, z), a, within) == "");
    };
    check("sigmoid", {T(1.16), T(0.0452266543)}, {0.7613327148, 0.5113047367}, kClose + 1e-10);
    check("softmax", {-1, 0, 3, 5}, {0.0021656965, 0.0058869733, 0.1182430203, 0.8737043100}, kClose + 1e-10);
    check("softmax", {T(.8), T(.7), T(.6), T(.1)}, {.31054, .28099, .25425, .15421}, 5e-6);
    check("step", {T(-1), 0, std::numeric_limits<T>::denorm_min(), 2}, {0, 0, 1, 1}, 0);
    check("relu", {T(-1), -T(0), 0, 2}, {0, 0, 0, 2}, 0);
    check("leaky_relu", {T(-1), 0, 2}, {-0.2, 0, 2}, kClose);
    check("elu", {T(-1), 0, 2}, {-0.6321205588, 0, 2}, kClose + 1e-10);
    check(Activation("relu", {{"negative_slope", 0.5}, {"max_value", 6}, {"threshold", 1}}), {T(-1), 1, 2, 7},
          {-1, 0, 2, 6}, 0);
    check("silu", {T(-1), 0, 1}, {-0.2689414214, 0, 0.7310585786}, kClose + 1e-10);
    check("gelu", {T(-1), 0, 1}, {-0.1586552539, 0, 0.8413447461}, kClose + 1e-10);
    check(Activation("gelu", {{"approximate", 1}}), {T(-1), 1}, {-0.1588080094, 0.8411919906}, kClose + 1e-10);
    check("mish", {T(-1), 1}, {-0.3034014614, 0.8650983883}, kClose + 1e-10);
    check("softplus", {T(0), T(1e30)}, {std::log(2.0), static_cast<double>(T(1e30))}, kClose);
    check("sparsemax", {T(0.5), T(0.25), -3}, {0.625, 0.375, 0}, kClose);
    check("log_softmax", {0, T(-200)}, {-std::exp(-200.0), -200}, 0x1p-120);
    check("tanh", {T(0.5)}, {2 / (1 + std::exp(-1.0)) - 1}, kClose);

    const Activation sigmoid("sigmoid");  // slopes at 5, 3 and 0
    Block<T> a(1, 3, activated<T>(k, sigmoid, {5, 3, 0}));
    Block<T> d(1, 3, {1, 1, 1});
    k.activation_gradient({sigmoid.index(), nullptr, a.data(), a.stride(), d.data(), d.stride(), 1, 3});
    CHECK(difference(d.values(), std::vector<double>{0.006648, 0.045177, 0.25}, 5e-7) == "");
  });
}

TEST_CASE("activation: traits") {
  for (const Activation& f : all()) {
    CHECK(f.is_linear() == (std::string_view(f.name()) == "linear"));
    CHECK(f.row_wise() == (std::string_view(f.name()).ends_with("max")));
    CHECK((f.kernel() == f.index()) == (std::string_view(to_json(f)) != to_json(Activation("relu"))));
    CHECK(f.has_gradient() == (std::string_view(f.name()) != "step"));
  }
}

TEST_CASE("activation: relu needs its input for its slope only where it has arguments") {
  CHECK_FALSE(Activation("relu").keeps_input());
  CHECK(Activation("relu", {{"max_value", 6}}).keeps_input());
}

TEST_CASE("activation: products of the steepest slopes of sigmoid vanish") {
  std::vector<double> z = {0};
  const std::vector<double> one = {1};
  activation_gradient<double>("sigmoid", {z.data(), 1, 1}, {one.data(), 1, 1}, {z.data(), 1, 1});
  CHECK(z[0] == 0.25);
  for (const auto& [layers, product] : {std::pair{5, 9.8e-4}, {10, 9.5e-7}, {20, 9.1e-13}}) {
    CHECK(std::pow(z[0], layers) == doctest::Approx(product).epsilon(0.01));
  }
}
