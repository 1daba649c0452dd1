// SPDX-License-Identifier: Apache-2.0
// Every activation, by every table, against the reference; and what holds for all of them.
#include "laminar/activation.hpp"

#include "block.hpp"
#include "laminar/config.hpp"
#include "reference.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

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
  k.activate({f.index(), parameters.data(), block.data(), block.stride(), block.data(), block.stride(), 1, columns});
  CHECK(block.intact());
  return block.values();
}

std::vector<Activation> all() { return variants<Activation>(activation_family()); }

}  // namespace

TEST_CASE_TEMPLATE("activation: value and gradient of every entry are the reference's", T, float, double) {
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
          const Block<T> in(rows, columns, values);
          Block<T> a(rows, columns);
          k.activate({f.index(), parameters.data(), in.data(), in.stride(), a.data(), a.stride(), rows, columns});
          CHECK(difference(a.values(), expected, kTolerance<T>) == "");
          CHECK(a.intact());
          const Block<T>& kept = f.keeps_input() ? in : a;
          Block<T> d(rows, columns, d_a);
          k.activation_gradient(
              {f.index(), parameters.data(), kept.data(), kept.stride(), d.data(), d.stride(), rows, columns});
          CHECK(difference(d.values(), expected_gradient, kTolerance<T>) == "");
          CHECK(d.intact());
        });
      }
    }
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

TEST_CASE_TEMPLATE("activation: finite for every finite input, infinities go to their limits", T, float, double) {
  using Limits = std::numeric_limits<T>;
  const std::vector<T> ends = {
      Limits::max(), Limits::lowest(),      Limits::min(), -Limits::min(), Limits::denorm_min(),
      T(0),          -Limits::denorm_min(), -T(0),         T(1e30),        T(-1e30)};
  for (const Activation& f : all()) {
    CAPTURE(std::string(f.name()));
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      for (const T a : activated(k, f, ends)) CHECK(std::isfinite(a));
      if (f.row_wise()) return;
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
    CHECK(f.row_wise() == (std::string_view(f.name()) == "softmax"));
    CHECK(f.has_gradient() == (std::string_view(f.name()) != "step"));
  }
}
