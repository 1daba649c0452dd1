// SPDX-License-Identifier: Apache-2.0
// The reference of the families. Activations: reference_activation.cpp, losses: reference_loss.cpp,
// networks: reference_network.cpp.
#include "reference.hpp"

#include <cmath>
#include <stdexcept>

namespace laminar::reference {
namespace {

[[noreturn]] void missing(const Choice& choice) {
  throw std::logic_error(std::string("tests/cpp/reference.cpp lacks the ") + choice.family().title + " '" +
                         choice.name() + "'");
}

double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }

}  // namespace

Matrix one_hot(std::span<const std::int32_t> labels, Index classes) {
  Matrix y = Matrix::Zero(static_cast<Index>(labels.size()), classes);
  for (Index i = 0; i < y.rows(); ++i) y(i, labels[static_cast<std::size_t>(i)]) = 1;
  return y;
}

void update(const Optimizer& o, Index step, std::span<double> w, std::span<const double> g, Slots& slots) {
  const std::string_view name = o.name();
  const double rate = o.value("learning_rate");
  const auto slot = [&](const char* key) -> std::vector<double>& {
    slots[key].resize(w.size());
    return slots[key];
  };
  if (name == "sgd") {
    const double momentum = o.value("momentum");
    auto& v = slot("velocity");
    for (std::size_t i = 0; i < w.size(); ++i) {
      v[i] = momentum * v[i] - rate * g[i];
      w[i] += o.value("nesterov") != 0 ? momentum * v[i] - rate * g[i] : v[i];
    }
  } else if (name == "rmsprop") {
    const double rho = o.value("rho");
    auto& s = slot("square");
    auto& mean = slot("mean");
    auto& v = slot("velocity");
    for (std::size_t i = 0; i < w.size(); ++i) {
      s[i] = rho * s[i] + (1 - rho) * g[i] * g[i];
      mean[i] = rho * mean[i] + (1 - rho) * g[i];
      const double variance = o.value("centered") != 0 ? s[i] - mean[i] * mean[i] : s[i];
      v[i] = o.value("momentum") * v[i] + rate * g[i] / std::sqrt(variance + o.value("epsilon"));
      w[i] -= v[i];
    }
  } else if (name == "adam") {
    const double b1 = o.value("beta_1");
    const double b2 = o.value("beta_2");
    const double t = static_cast<double>(step);
    const double alpha = rate * std::sqrt(1 - std::pow(b2, t)) / (1 - std::pow(b1, t));
    auto& m = slot("first moment");
    auto& v = slot("second moment");
    for (std::size_t i = 0; i < w.size(); ++i) {
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] * g[i];
      w[i] -= alpha * m[i] / (std::sqrt(v[i]) + o.value("epsilon"));
    }
  } else {
    missing(o);
  }
}

}  // namespace laminar::reference
