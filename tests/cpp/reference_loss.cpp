// SPDX-License-Identifier: Apache-2.0
// The reference of the losses.
#include <cmath>
#include <stdexcept>

#include "reference.hpp"

namespace laminar::reference {
namespace {

/// Value and slope of one output, averaged over a row's outputs.
template <typename Value, typename Slope>
LossRows averaged(const Matrix& p, const Matrix& y, Value value, Slope slope) {
  const double n = static_cast<double>(p.cols());
  return {p.binaryExpr(y, value).rowwise().sum() / n, p.binaryExpr(y, slope) / n};
}

double sign(double v) { return v > 0 ? 1 : v < 0 ? -1 : 0; }
double sigmoid(double z) { return 1 / (1 + std::exp(-z)); }
double clipped(double p, Clip clip) { return std::min(std::max(p, clip.low), clip.high); }

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
  return averaged(
      outputs, y,
      [=](double p, double t) { return -t * std::log(clipped(p, clip)) - (1 - t) * std::log(1 - clipped(p, clip)); },
      [=](double p, double t) { return clipped(p, clip) == p ? -t / p + (1 - t) / (1 - p) : 0.0; });
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
      const double inside = clipped(share, clip);
      if (y(i, j) != 0) r.values[i] -= y(i, j) * std::log(inside);
      if (inside != share || y(i, j) == 0) continue;
      for (Index k = 0; k < outputs.cols(); ++k) {
        r.slopes(i, k) -= y(i, j) / share * ((j == k ? 1 / total : 0) - row[j] / (total * total));
      }
    }
  }
  return r;
}

/// On logits its derivative is that by p times dp/dz = p (1 - p).
LossRows binary_focal(const Loss& loss, const Matrix& outputs, const Matrix& y, bool logits, Clip clip) {
  const double gamma = loss.value("gamma");
  const double alpha = loss.value("alpha");
  const bool balanced = loss.value("apply_class_balancing") != 0;
  const auto probability = [=](double x) { return logits ? sigmoid(x) : clipped(x, clip); };
  const auto weight = [=](double t) { return balanced ? t * alpha + (1 - t) * (1 - alpha) : 1.0; };
  const auto value = [=](double x, double t) {
    const double p = probability(x);
    const double missed = t * (1 - p) + (1 - t) * p;
    return weight(t) * std::pow(missed, gamma) * (-t * std::log(p) - (1 - t) * std::log(1 - p));
  };
  const auto slope = [=](double x, double t) {
    const double p = probability(x);
    const double missed = t * (1 - p) + (1 - t) * p;
    const double entropy = -t * std::log(p) - (1 - t) * std::log(1 - p);
    const double by_p = gamma * std::pow(missed, gamma - 1) * (1 - 2 * t) * entropy +
                        std::pow(missed, gamma) * (-t / p + (1 - t) / (1 - p));
    return weight(t) * by_p * (logits ? p * (1 - p) : p == x ? 1 : 0);
  };
  return averaged(outputs, y, value, slope);
}

/// Through the matrix of derivatives of softmax, or of p / sum p.
LossRows categorical_focal(const Loss& loss, const Matrix& outputs, const Matrix& y, bool logits, Clip clip) {
  const double gamma = loss.value("gamma");
  const double alpha = loss.value("alpha");
  LossRows r{Eigen::VectorXd::Zero(outputs.rows()), Matrix::Zero(outputs.rows(), outputs.cols())};
  for (Index i = 0; i < outputs.rows(); ++i) {
    const Eigen::ArrayXd row = outputs.row(i).transpose().array();
    const Eigen::ArrayXd powers = logits ? Eigen::ArrayXd(row.exp()) : row;
    for (Index j = 0; j < outputs.cols(); ++j) {
      const double share = powers[j] / powers.sum();
      const double p = logits ? share : clipped(share, clip);
      const double left = outputs.cols() == 1 && logits ? 0 : 1 - p;
      r.values[i] -= alpha * std::pow(left, gamma) * y(i, j) * std::log(p);
      if (p != share || left == 0) continue;
      const double by_p =
          alpha * y(i, j) * (gamma * std::pow(left, gamma - 1) * std::log(p) - std::pow(left, gamma) / p);
      for (Index k = 0; k < outputs.cols(); ++k) {
        const double one = j == k ? 1 : 0;
        r.slopes(i, k) += by_p * (logits ? share * (one - powers[k] / powers.sum()) : (one - share) / powers.sum());
      }
    }
  }
  return r;
}

LossRows tweedie(double power, const Matrix& outputs, const Matrix& y) {
  const auto value = [power](double p, double t) {
    if (power == 0) return (t - p) * (t - p);
    if (!(p > 0)) return std::nan("");
    if (power == 1) return 2 * ((t > 0 ? t * std::log(t / p) : 0) - t + p);
    if (power == 2) return 2 * (std::log(p / t) + t / p - 1);
    return 2 * (std::pow(std::max(t, 0.0), 2 - power) / ((1 - power) * (2 - power)) -
                t * std::pow(p, 1 - power) / (1 - power) + std::pow(p, 2 - power) / (2 - power));
  };
  return averaged(outputs, y, value, [power](double p, double t) { return 2 * (p - t) * std::pow(p, -power); });
}

/// value(p, y) of whole rows and its derivatives, by rows.
template <typename Value, typename Slopes>
LossRows by_rows(const Matrix& outputs, const Matrix& y, Value value, Slopes slopes) {
  LossRows r{Eigen::VectorXd::Zero(outputs.rows()), Matrix::Zero(outputs.rows(), outputs.cols())};
  for (Index i = 0; i < outputs.rows(); ++i) {
    const Eigen::VectorXd p = outputs.row(i).transpose();
    const Eigen::VectorXd t = y.row(i).transpose();
    r.values[i] = value(p, t);
    r.slopes.row(i) = Eigen::VectorXd(slopes(p, t)).transpose();
  }
  return r;
}

using Row = Eigen::VectorXd;

LossRows cosine_similarity(const Matrix& outputs, const Matrix& y, double margin) {
  return by_rows(
      outputs, y,
      [=](const Row& p, const Row& t) { return -p.dot(t) / (std::max(p.norm(), margin) * std::max(t.norm(), margin)); },
      [=](const Row& p, const Row& t) -> Row {
        const double n = p.norm();
        if (n <= margin) return -t / (std::max(t.norm(), margin) * margin);
        return (p * (p.dot(t) / (n * n)) - t) / (n * std::max(t.norm(), margin));
      });
}

LossRows tversky(double alpha, double beta, const Matrix& outputs, const Matrix& y, double margin) {
  const auto all = [=](const Row& p, const Row& t) {
    return p.dot(t) + alpha * (t.sum() - p.dot(t)) + beta * (p.sum() - p.dot(t)) + margin;
  };
  return by_rows(
      outputs, y, [=](const Row& p, const Row& t) { return 1 - p.dot(t) / all(p, t); },
      [=](const Row& p, const Row& t) -> Row {
        const double d = all(p, t);
        return -t / d + p.dot(t) / (d * d) * ((1 - alpha - beta) * t + beta * Row::Ones(t.size()));
      });
}

LossRows categorical_hinge(const Matrix& outputs, const Matrix& y) {
  const auto others = [](const Row& p, const Row& t) -> Row { return ((1 - t.array()) * p.array()).matrix(); };
  return by_rows(
      outputs, y, [=](const Row& p, const Row& t) { return std::max(others(p, t).maxCoeff() - p.dot(t) + 1, 0.0); },
      [=](const Row& p, const Row& t) -> Row {
        const Row other = others(p, t);
        Row slopes = -t;
        Index best = 0;
        if (!(other.maxCoeff(&best) - p.dot(t) + 1 > 0)) return Row::Zero(t.size());
        const double ties = static_cast<double>((other.array() == other[best]).count());
        for (Index j = 0; j < t.size(); ++j) slopes[j] += other[j] == other[best] ? (1 - t[j]) / ties : 0;
        return slopes;
      });
}

/// Losses of the error of one output.
bool error_loss(const Loss& loss, const Matrix& outputs, const Matrix& targets, double margin, LossRows& out) {
  const std::string_view name = loss.name();
  const auto set = [&](auto value, auto slope) {
    out = averaged(outputs, targets, value, slope);
    return true;
  };
  if (name == "mse" || name == "rmse") {
    return set([](double p, double y) { return (y - p) * (y - p); }, [](double p, double y) { return 2 * (p - y); });
  }
  if (name == "mae") {
    return set([](double p, double y) { return std::abs(y - p); }, [](double p, double y) { return sign(p - y); });
  }
  if (name == "huber") {
    const double d = loss.value("delta");
    return set(
        [d](double p, double y) {
          const double e = std::abs(y - p);
          return e <= d ? e * e / 2 : d * (e - d / 2);
        },
        [d](double p, double y) { return std::abs(p - y) <= d ? p - y : d * sign(p - y); });
  }
  if (name == "log_cosh") {
    return set([](double p, double y) { return std::log(std::cosh(p - y)); },
               [](double p, double y) { return std::tanh(p - y); });
  }
  if (name == "mape") {
    return set([=](double p, double y) { return 100 * std::abs(y - p) / std::max(std::abs(y), margin); },
               [=](double p, double y) { return 100 * sign(p - y) / std::max(std::abs(y), margin); });
  }
  if (name == "msle") {
    const auto raised = [=](double v) { return std::max(v, margin); };
    const auto error = [=](double p, double y) { return std::log((1 + raised(p)) / (1 + raised(y))); };
    return set([=](double p, double y) { return error(p, y) * error(p, y); },
               [=](double p, double y) { return p >= margin ? 2 * error(p, y) / (1 + p) : 0.0; });
  }
  if (name == "quantile") {
    const double q = loss.value("quantile");
    return set([q](double p, double y) { return std::max(q * (y - p), (q - 1) * (y - p)); },
               [q](double p, double y) { return y > p   ? -q
                                                : y < p ? 1 - q
                                                        : 0.0; });
  }
  if (name == "hinge" || name == "squared_hinge") {
    const bool squared = name == "squared_hinge";
    const auto short_of = [](double p, double y) { return std::max(1 - (y == 0 ? -1 : y) * p, 0.0); };
    return set([=](double p, double y) { return squared ? short_of(p, y) * short_of(p, y) : short_of(p, y); },
               [=](double p, double y) {
                 return -(y == 0 ? -1 : y) * (squared ? 2 * short_of(p, y) : short_of(p, y) > 0 ? 1 : 0);
               });
  }
  if (name == "poisson") {
    return set([=](double p, double y) { return p - y * std::log(p + margin); },
               [=](double p, double y) { return 1 - y / (p + margin); });
  }
  return false;
}

}  // namespace

LossRows loss(const Loss& loss, const Matrix& outputs, const Matrix& targets, bool logits, Clip clip) {
  const std::string_view name = loss.name();
  if (LossRows rows; error_loss(loss, outputs, targets, clip.low, rows)) return rows;
  if (name == "kl_divergence") {
    const auto kept = [=](double v) { return std::min(std::max(v, clip.low), 1.0); };
    LossRows r = averaged(
        outputs, targets, [=](double p, double y) { return kept(y) * std::log(kept(y) / kept(p)); },
        [=](double p, double y) { return kept(p) == p ? -kept(y) / p : 0.0; });
    const double n = static_cast<double>(outputs.cols());
    return {r.values * n, r.slopes * n};
  }
  if (name == "tweedie") return tweedie(loss.value("power"), outputs, targets);
  if (name == "gamma") return tweedie(2, outputs, targets);
  if (name == "cosine_similarity") return cosine_similarity(outputs, targets, clip.low);
  if (name == "dice") return tversky(0.5, 0.5, outputs, targets, clip.low / 2);
  if (name == "tversky") return tversky(loss.value("alpha"), loss.value("beta"), outputs, targets, clip.low);
  if (name == "categorical_hinge") return categorical_hinge(outputs, targets);
  if (name == "binary_crossentropy") {
    return binary_crossentropy(outputs, smoothed(loss, targets, 0.5), logits, clip);
  }
  if (name == "categorical_crossentropy" || name == "sparse_categorical_crossentropy") {
    const Matrix y = smoothed(loss, targets, 1 / static_cast<double>(outputs.cols()));
    return categorical_crossentropy(outputs, y, logits, clip);
  }
  if (name == "binary_focal_crossentropy") {
    return binary_focal(loss, outputs, smoothed(loss, targets, 0.5), logits, clip);
  }
  if (name == "categorical_focal_crossentropy") {
    const Matrix y = smoothed(loss, targets, 1 / static_cast<double>(outputs.cols()));
    return categorical_focal(loss, outputs, y, logits, clip);
  }
  throw std::logic_error(std::string("tests/cpp/reference_loss.cpp lacks the loss '") + loss.name() + "'");
}

}  // namespace laminar::reference
