// SPDX-License-Identifier: Apache-2.0
// Errors of the vector functions in units in the last place, on samples that cover all magnitudes:
// directly at the baseline's width, and through the entries that use them in every table.
#include "laminar/kernels/math.hpp"

#include "block.hpp"
#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/loss.hpp"
#include "ulps.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

#ifdef __SANITIZE_ADDRESS__
// The sanitizers' checks stand between products and sums, which are then rounded one by one.
constexpr double kMostUlps = 2.5;
#else
constexpr double kMostUlps = 2.0;
#endif

/// Largest error of `f` over the samples for which `use` holds.
template <typename T, typename F, typename Exact, typename Use>
double worst(const F& f, const Exact& exact, const Use& use) {
  using V = kernels::Vector<T>;
  double most = 0;
  for (const T x : samples<T>()) {
    if (!use(x)) continue;
    const V y = f(kernels::broadcast<V>(x));
    most = std::max(most, ulps(T(y[0]), exact(static_cast<long double>(x))));
  }
  return most;
}

long double exact_sigmoid(long double x) { return 1 / (1 + std::exp(-x)); }

const auto all = [](auto) { return true; };
const auto not_negative = [](auto x) { return !(x < 0); };

}  // namespace

TEST_CASE_TEMPLATE("math: errors at the baseline's width", T, float, double) {
  using V = kernels::Vector<T>;
  const double exp = worst<T>([](V x) { return kernels::exp(x); }, [](long double x) { return std::exp(x); }, all);
  CHECK(exp <= kMostUlps);
  const double expm1 =
      worst<T>([](V x) { return kernels::expm1(x); }, [](long double x) { return std::expm1(x); }, all);
  CHECK(expm1 <= kMostUlps);
  const double tanh = worst<T>([](V x) { return kernels::tanh(x); }, [](long double x) { return std::tanh(x); }, all);
  CHECK(tanh <= kMostUlps);
  const double sigmoid = worst<T>([](V x) { return kernels::sigmoid(x); }, exact_sigmoid, all);
  CHECK(sigmoid <= kMostUlps);
  const double log = worst<T>([](V x) { return kernels::log(x); }, [](long double x) { return std::log(x); }, all);
  CHECK(log <= kMostUlps);
  const double log1p =
      worst<T>([](V x) { return kernels::log1p(x); }, [](long double x) { return std::log1p(x); }, not_negative);
  CHECK(log1p <= kMostUlps);
}

TEST_CASE_TEMPLATE("math: tanh never decreases where its steps are wide", T, float, double) {
  const Activation f("tanh");
  for (const T start : {T(0.5), T(0.7), T(1), T(1.4669), T(2), T(3)}) {
    std::vector<T> x(20000, start);
    for (std::size_t i = 1; i < x.size(); ++i) x[i] = std::nextafter(x[i - 1], T(10));
    for_each_table<T>([&](const kernels::Kernels<T>& k) {
      const auto n = static_cast<Index>(x.size());
      const Block<T> in(1, n, x);
      Block<T> out(1, n);
      k.activate({f.index(), nullptr, in.data(), in.stride(), out.data(), out.stride(), 1, n});
      const std::vector<T> y = out.values();
      CHECK(std::is_sorted(y.begin(), y.end()));
    });
  }
}

TEST_CASE_TEMPLATE("math: the sign of zero stays where the function is odd", T, float, double) {
  using V = kernels::Vector<T>;
  CHECK(same_bits(T(kernels::tanh(kernels::broadcast<V>(-T(0)))[0]), -T(0)));
  CHECK(same_bits(T(kernels::tanh(kernels::broadcast<V>(T(0)))[0]), T(0)));
}

namespace {

/// Largest error of an activation over all samples, in one table.
template <typename T, typename Exact>
double worst_activation(const kernels::Kernels<T>& k, const Activation& f, const Exact& exact) {
  const auto x = samples<T>();
  const auto n = static_cast<Index>(x.size());
  const auto parameters = f.values_as<T>();
  const Block<T> in(1, n, x);
  Block<T> out(1, n);
  k.activate({f.index(), parameters.data(), in.data(), in.stride(), out.data(), out.stride(), 1, n});
  double most = 0;
  for (Index i = 0; i < n; ++i) most = std::max(most, ulps(out(0, i), exact(static_cast<long double>(x[as_size(i)]))));
  return most;
}

/// The same of ln(1 + e^-|z|): the cross-entropy of the class that the logit is for.
template <typename T>
double worst_softplus(const kernels::Kernels<T>& k) {
  const Loss loss("binary_crossentropy");
  const auto parameters = loss.values_as<T>();
  double most = 0;
  for (const T x : samples<T>()) {
    if (std::isinf(x)) continue;  // inf - inf
    Block<T> z(1, 1, {x});
    const Block<T> y(1, 1, {x < 0 ? T(0) : T(1)});
    T value = 0;
    kernels::LossRows<T> r;
    r.loss = loss.index();
    r.parameters = parameters.data();
    r.logits = true;
    r.outputs = z.data();
    r.outputs_stride = z.stride();
    r.targets = y.data();
    r.targets_stride = y.stride();
    r.losses = &value;
    r.rows = 1;
    r.columns = 1;
    k.loss(r);
    most = std::max(most, ulps(value, std::log1p(std::exp(-std::abs(static_cast<long double>(x))))));
  }
  return most;
}

}  // namespace

TEST_CASE_TEMPLATE("math: errors through the activations and losses of every table", T, float, double) {
  for_each_table<T>([](const kernels::Kernels<T>& k) {
    CHECK(worst_activation(k, "sigmoid", exact_sigmoid) <= kMostUlps);
    CHECK(worst_activation(k, "tanh", [](long double x) { return std::tanh(x); }) <= kMostUlps);
    CHECK(worst_activation(k, "elu", [](long double x) { return x > 0 ? x : std::expm1(x); }) <= kMostUlps);
    CHECK(worst_softplus(k) <= 2 * kMostUlps);  // two functions, one after the other
  });
}
