// SPDX-License-Identifier: Apache-2.0
// The reference of the families. Activations: reference_activation.cpp; networks: reference_network.cpp.
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

namespace {

/// Value and slope of one output, averaged over a row's outputs.
template <typename Value, typename Slope>
LossRows averaged(const Matrix& p, const Matrix& y, Value value, Slope slope) {
  const double n = static_cast<double>(p.cols());
  return {p.binaryExpr(y, value).rowwise().sum() / n, p.binaryExpr(y, slope) / n};
}

double sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }

/// Keras: targets are drawn towards the uniform distribution.
Matrix smoothed(const Loss& loss, const Matrix& y, double towards) {
  if (std::string_view(loss.name()).starts_with("sparse")) return y;
  const double share = loss.value("label_smoothing");
  return (y.array() * (1 - share) + share * towards).matrix();
}

LossRows binary_crossentropy(const Matrix& outputs, const Matrix& y, bool logits, Clip clip) {
  if (logits) {
    return averaged(
        outputs, y, [](double z, double t) { return t * std::log1p(std::exp(-z)) + (1 - t) * std::log1p(std::exp(z)); },
        [](double z, double t) { return (1 - t) * sigmoid(z) - t * sigmoid(-z); });
  }
  const auto clipped = [clip](double p) { return std::min(std::max(p, clip.low), clip.high); };
  return averaged(
      outputs, y, [=](double p, double t) { return -t * std::log(clipped(p)) - (1 - t) * std::log(1 - clipped(p)); },
      [=](double p, double t) { return clipped(p) == p ? -t / p + (1 - t) / (1 - p) : 0.0; });
}

LossRows categorical_crossentropy(const Matrix& outputs, const Matrix& y, bool logits, Clip clip) {
  LossRows r{Eigen::VectorXd::Zero(outputs.rows()), Matrix::Zero(outputs.rows(), outputs.cols())};
  for (Index i = 0; i < outputs.rows(); ++i) {
    const auto row = outputs.row(i).array();
    if (logits) {
      r.values[i] = (y.row(i).array() * (std::log(row.exp().sum()) - row)).sum();
      r.slopes.row(i) = (row.exp() / row.exp().sum() * y.row(i).sum() - y.row(i).array()).matrix();
      continue;
    }
    // d(p_j / sum) / d p_k = (j == k) / sum - p_j / sum^2
    const double total = row.sum();
    for (Index j = 0; j < outputs.cols(); ++j) {
      const double share = row[j] / total;
      const double inside = std::min(std::max(share, clip.low), clip.high);
      if (y(i, j) != 0) r.values[i] -= y(i, j) * std::log(inside);
      if (inside != share || y(i, j) == 0) continue;
      for (Index k = 0; k < outputs.cols(); ++k) {
        r.slopes(i, k) -= y(i, j) / share * ((j == k ? 1 / total : 0) - row[j] / (total * total));
      }
    }
  }
  return r;
}

}  // namespace

LossRows loss(const Loss& loss, const Matrix& outputs, const Matrix& targets, bool logits, Clip clip) {
  const std::string_view name = loss.name();
  if (name == "mse") {
    return averaged(
        outputs, targets, [](double p, double y) { return (y - p) * (y - p); },
        [](double p, double y) { return 2 * (p - y); });
  }
  if (name == "mae") {
    return averaged(
        outputs, targets, [](double p, double y) { return std::abs(y - p); },
        [](double p, double y) { return sign(p - y); });
  }
  if (name == "huber") {
    const double d = loss.value("delta");
    return averaged(
        outputs, targets,
        [d](double p, double y) {
          const double e = std::abs(y - p);
          return e <= d ? e * e / 2 : d * (e - d / 2);
        },
        [d](double p, double y) { return std::abs(p - y) <= d ? p - y : d * sign(p - y); });
  }
  if (name == "binary_crossentropy") {
    return binary_crossentropy(outputs, smoothed(loss, targets, 0.5), logits, clip);
  }
  if (name == "categorical_crossentropy" || name == "sparse_categorical_crossentropy") {
    const Matrix y = smoothed(loss, targets, 1 / static_cast<double>(outputs.cols()));
    return categorical_crossentropy(outputs, y, logits, clip);
  }
  missing(loss);
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
