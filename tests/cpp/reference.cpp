// SPDX-License-Identifier: Apache-2.0
// The reference of the families. Activations: reference_activation.cpp, losses: reference_loss.cpp,
// networks: reference_network.cpp.
#include "reference.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace laminar::reference {
namespace {

[[noreturn]] void missing(const Choice& choice) {
  throw std::logic_error(std::string("tests/cpp/reference.cpp lacks the ") + choice.family().title + " '" +
                         choice.name() + "'");
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

}  // namespace

Matrix one_hot(std::span<const std::int32_t> labels, Index classes) {
  Matrix y = Matrix::Zero(static_cast<Index>(labels.size()), classes);
  for (Index i = 0; i < y.rows(); ++i) y(i, labels[static_cast<std::size_t>(i)]) = 1;
  return y;
}

void update(const Optimizer& o, Index step, std::span<double> w, std::span<const double> g, Slots& slots) {
  const std::string_view name = o.name();
  const double rate = o.learning_rate(step - 1);
  const double t = static_cast<double>(step);
  const auto slot = [&](const char* key, double start = 0) -> std::vector<double>& {
    auto& values = slots[key];
    if (values.empty()) values.assign(w.size(), start);
    return values;
  };
  const auto for_each = [&w](const auto& change) {
    for (std::size_t i = 0; i < w.size(); ++i) change(i);
  };
  const auto average = [](double& mean, double beta, double value) { mean = beta * mean + (1 - beta) * value; };
  const double epsilon = o.takes("epsilon") ? o.value("epsilon") : 0;
  const double b1 = o.takes("beta_1") ? o.value("beta_1") : 0;
  const double b2 = o.takes("beta_2") ? o.value("beta_2") : 0;
  const double left_1 = 1 - std::pow(b1, t);
  const double left_2 = 1 - std::pow(b2, t);
  auto& m = slot("first moment");
  auto& v = slot("second moment");

  if (name == "sgd") {
    const double momentum = o.value("momentum");
    for_each([&](std::size_t i) {
      const double down = rate * o.value("dampening") * g[i];
      m[i] = momentum * m[i] - down;
      w[i] += o.value("nesterov") != 0 ? momentum * m[i] - down : m[i];
    });
  } else if (name == "rmsprop") {
    const double rho = o.value("rho");
    auto& velocity = slot("velocity");
    for_each([&](std::size_t i) {
      average(v[i], rho, g[i] * g[i]);
      average(m[i], rho, g[i]);
      const double variance = o.value("centered") != 0 ? v[i] - m[i] * m[i] : v[i];
      velocity[i] = o.value("momentum") * velocity[i] + rate * g[i] / std::sqrt(variance + epsilon);
      w[i] -= velocity[i];
    });
  } else if (name == "adagrad") {
    auto& sum = slot("sum of squares", o.value("initial_accumulator_value"));
    for_each([&](std::size_t i) {
      sum[i] += g[i] * g[i];
      w[i] -= rate * g[i] / std::sqrt(sum[i] + epsilon);
    });
  } else if (name == "adadelta") {
    const double rho = o.value("rho");
    auto& steps = slot("squared steps");
    for_each([&](std::size_t i) {
      average(v[i], rho, g[i] * g[i]);
      const double delta = -std::sqrt(steps[i] + epsilon) / std::sqrt(v[i] + epsilon) * g[i];
      average(steps[i], rho, delta * delta);
      w[i] += rate * delta;
    });
  } else if (name == "adam" || name == "adamw") {
    auto& largest = slot("largest second moment");
    for_each([&](std::size_t i) {
      if (name == "adamw") w[i] -= rate * o.value("weight_decay") * w[i];
      average(m[i], b1, g[i]);
      average(v[i], b2, g[i] * g[i]);
      largest[i] = std::max(largest[i], v[i]);
      const double square = o.value("amsgrad") != 0 ? largest[i] : v[i];
      w[i] -= rate * std::sqrt(left_2) / left_1 * m[i] / (std::sqrt(square) + epsilon);
    });
  } else if (name == "adamax") {
    for_each([&](std::size_t i) {
      average(m[i], b1, g[i]);
      v[i] = std::max(b2 * v[i], std::abs(g[i]));
      w[i] -= rate / left_1 * m[i] / (v[i] + epsilon);
    });
  } else if (name == "nadam") {
    const auto u = [b1](double n) { return b1 * (1 - 0.5 * std::pow(0.96, n)); };
    double product = 1;
    for (double n = 1; n <= t; ++n) product *= u(n);
    for_each([&](std::size_t i) {
      average(m[i], b1, g[i]);
      average(v[i], b2, g[i] * g[i]);
      const double ahead = u(t + 1) * m[i] / (1 - product * u(t + 1)) + (1 - u(t)) * g[i] / (1 - product);
      w[i] -= rate * ahead / (std::sqrt(v[i] / left_2) + epsilon);
    });
  } else if (name == "radam") {
    const double limit = 2 / (1 - b2) - 1;
    const double length = limit - 2 * t * std::pow(b2, t) / left_2;
    for_each([&](std::size_t i) {
      average(m[i], b1, g[i]);
      average(v[i], b2, g[i] * g[i]);
      double step_size = 1;
      if (length > 5) {
        const double numerator = (length - 4) * (length - 2) * limit;
        step_size = std::sqrt(numerator / ((limit - 4) * (limit - 2) * length)) * std::sqrt(left_2) /
                    (std::sqrt(v[i]) + epsilon);
      }
      w[i] -= rate * m[i] / left_1 * step_size;
    });
  } else if (name == "ftrl") {
    const double power = -o.value("learning_rate_power");
    const double l1 = o.value("l1_regularization_strength");
    const double l2 = o.value("l2_regularization_strength");
    const double shrinkage = o.value("l2_shrinkage_regularization_strength");
    auto& sum = slot("sum of squares", o.value("initial_accumulator_value"));
    auto& linear = slot("linear");
    if (rate == 0) return;
    for_each([&](std::size_t i) {
      const double before = std::pow(sum[i], power);
      sum[i] += g[i] * g[i];
      const double after = std::pow(sum[i], power);
      linear[i] += g[i] + 2 * shrinkage * w[i] - (after - before) / rate * w[i];
      const double quadratic = after / rate + 2 * (l2 + o.value("beta") / (2 * rate));
      w[i] = (std::clamp(linear[i], -l1, l1) - linear[i]) / quadratic;
    });
  } else if (name == "lion") {
    for_each([&](std::size_t i) {
      w[i] -= rate * sign(b1 * m[i] + (1 - b1) * g[i]);
      average(m[i], b2, g[i]);
    });
  } else if (name == "rprop") {
    auto& length = slot("step length", o.learning_rate(0));
    if (rate == 0) return;
    for_each([&](std::size_t i) {
      const double agreement = sign(m[i] * g[i]);
      length[i] *= agreement > 0 ? o.value("eta_plus") : agreement < 0 ? o.value("eta_minus") : 1;
      length[i] = std::max(std::min(length[i], o.value("step_max")), o.value("step_min"));
      m[i] = agreement < 0 ? 0 : g[i];
      w[i] -= sign(m[i]) * length[i];
    });
  } else {
    missing(o);
  }
}

}  // namespace laminar::reference
