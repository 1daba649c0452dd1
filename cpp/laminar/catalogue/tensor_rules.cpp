// SPDX-License-Identifier: Apache-2.0
// Sums over a tensor are taken in double and in the order of its elements.
#include "laminar/catalogue/tensor_rules.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cctype>
#include <cmath>

#include "laminar/catalogue/entries.hpp"

namespace laminar {
namespace {

template <typename T>
double squares(const T* values, Index n) {
  double sum = 0;
  for (Index i = 0; i < n; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
  return sum;
}

/// What is left of 1 - beta^step.
double correction(double beta, Index step) { return 1 - std::pow(beta, static_cast<double>(step)); }

/// m += (1 - b1)(g - m), v += (1 - b2)(g^2 - v)
template <typename T>
void moments(const TensorUpdate<T>& u, double beta_1, double beta_2) {
  const T share_1 = static_cast<T>(1 - beta_1);
  const T share_2 = static_cast<T>(1 - beta_2);
  T* const m = u.slots[0];
  T* const v = u.slots[1];
  for (Index i = 0; i < u.tensor.size; ++i) {
    const T g = u.gradients[i];
    m[i] += (g - m[i]) * share_1;
    v[i] += (g * g - v[i]) * share_2;
  }
}

/// w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
template <typename T>
void adam(const TensorUpdate<T>& u, double rate, double beta_1, double beta_2, double epsilon) {
  moments(u, beta_1, beta_2);
  const T alpha = static_cast<T>(rate * std::sqrt(correction(beta_2, u.step)) / correction(beta_1, u.step));
  const T eps = static_cast<T>(epsilon);
  for (Index i = 0; i < u.tensor.size; ++i) u.weights[i] -= u.slots[0][i] * alpha / (std::sqrt(u.slots[1][i]) + eps);
}

template <typename T>
using RowMajor = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
template <typename T>
using MatrixMap = Eigen::Map<RowMajor<T>>;

std::size_t number_of(const Optimizer& optimizer) {
  const std::size_t rules = entry_infos<TensorRules>().size();
  return static_cast<std::size_t>(optimizer.index()) + rules - optimizer_family().entries.size();
}

}  // namespace

template <typename T>
void Lamb::update(const TensorUpdate<T>& u) {
  const Optimizer& o = u.optimizer;
  moments(u, o.value("beta_1"), o.value("beta_2"));
  const T first = static_cast<T>(1 / correction(o.value("beta_1"), u.step));
  const T second = static_cast<T>(1 / correction(o.value("beta_2"), u.step));
  const T eps = static_cast<T>(o.value("epsilon"));
  T* const d = u.gradients;
  for (Index i = 0; i < u.tensor.size; ++i) d[i] = u.slots[0][i] * first / (std::sqrt(u.slots[1][i] * second) + eps);
  const double weights = std::sqrt(squares(u.weights, u.tensor.size));
  const double steps = std::sqrt(squares(d, u.tensor.size));
  const T scale = static_cast<T>(u.rate * (weights > 0 && steps > 0 ? weights / steps : 1));
  for (Index i = 0; i < u.tensor.size; ++i) u.weights[i] -= scale * d[i];
}

// Slot 0 holds the means over rows, or v of a vector; slot 1 the means over columns.
template <typename T>
void Adafactor::update(const TensorUpdate<T>& u) {
  const Optimizer& o = u.optimizer;
  const Index n = u.tensor.size;
  const double step = static_cast<double>(u.step);
  const double epsilon = o.value("epsilon_1");
  // beta_2 = 1 - t^decay, alpha = max(eps_2, rms(w)) min(lr, 1 / sqrt(t))
  const double share = std::pow(step, o.value("beta_2_decay"));
  const double size = std::sqrt(squares(u.weights, n) / static_cast<double>(n));
  const double alpha = std::max(o.value("epsilon_2"), size) * std::min(u.rate, 1 / std::sqrt(step));
  T* const g = u.gradients;
  const auto mix = [share](T& mean, double value) {
    mean = static_cast<T>((1 - share) * static_cast<double>(mean) + share * value);
  };
  const auto square = [&](Index i) { return static_cast<double>(g[i]) * static_cast<double>(g[i]) + epsilon; };
  if (u.tensor.shape.size() < 2) {
    for (Index i = 0; i < n; ++i) {
      mix(u.slots[0][i], square(i));
      g[i] /= std::sqrt(u.slots[0][i]);
    }
  } else {
    const Index columns = u.tensor.shape.back();
    const Index rows = u.tensor.shape[u.tensor.shape.size() - 2];
    for (Index first = 0; first < n; first += rows * columns) {
      T* const row_means = u.slots[0] + first / columns;
      T* const column_means = u.slots[1] + first / rows;
      double mean = 0;
      for (Index i = 0; i < rows; ++i) {
        double sum = 0;
        for (Index j = 0; j < columns; ++j) sum += square(first + i * columns + j);
        mix(row_means[i], sum / static_cast<double>(columns));
        mean += static_cast<double>(row_means[i]);
      }
      mean /= static_cast<double>(rows);
      for (Index j = 0; j < columns; ++j) {
        double sum = 0;
        for (Index i = 0; i < rows; ++i) sum += square(first + i * columns + j);
        mix(column_means[j], sum / static_cast<double>(rows));
      }
      for (Index i = 0; i < rows; ++i) {
        const double ratio = static_cast<double>(row_means[i]) / mean;
        for (Index j = 0; j < columns; ++j) {
          T& value = g[first + i * columns + j];
          value = static_cast<T>(static_cast<double>(value) / std::sqrt(ratio * static_cast<double>(column_means[j])));
        }
      }
    }
  }
  const double length = std::sqrt(squares(g, n) / static_cast<double>(n));
  const T scale = static_cast<T>(alpha / std::max(1.0, length / o.value("clip_threshold")));
  for (Index i = 0; i < n; ++i) u.weights[i] -= scale * g[i];
}

bool Muon::takes(const Optimizer& optimizer, const Tensor& tensor) {
  if (tensor.shape.size() != 2) return false;
  if (optimizer.value("exclude_embeddings") == 0) return true;
  std::string name = tensor.name;
  std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name.find("embedding") == std::string::npos;
}

Index Muon::scratch(const Optimizer& optimizer, const Tensor& tensor) {
  if (!takes(optimizer, tensor)) return 0;
  const Index small = std::min(tensor.shape[0], tensor.shape[1]);
  return 2 * tensor.size + 2 * small * small;
}

double Muon::decay(const Optimizer& optimizer, const Tensor& tensor) {
  return optimizer.value(takes(optimizer, tensor) ? "weight_decay" : "adam_weight_decay");
}

template <typename T>
void Muon::update(const TensorUpdate<T>& u) {
  const Optimizer& o = u.optimizer;
  if (!takes(o, u.tensor)) {
    adam(u, u.rate * o.value("adam_lr_ratio"), o.value("adam_beta_1"), o.value("adam_beta_2"), o.value("epsilon"));
    return;
  }
  // m = momentum m + g; Nesterov: g + momentum m in its place
  const T momentum = static_cast<T>(o.value("momentum"));
  T* const m = u.slots[0];
  for (Index i = 0; i < u.tensor.size; ++i) {
    m[i] = momentum * m[i] + u.gradients[i];
    u.gradients[i] = o.value("nesterov") != 0 ? u.gradients[i] + momentum * m[i] : m[i];
  }
  const Index rows = u.tensor.shape[0];
  const Index columns = u.tensor.shape[1];
  const Index small = std::min(rows, columns);
  const Index large = std::max(rows, columns);
  MatrixMap<T> x(u.scratch, small, large);
  MatrixMap<T> next(x.data() + u.tensor.size, small, large);
  MatrixMap<T> square(next.data() + u.tensor.size, small, small);
  MatrixMap<T> terms(square.data() + small * small, small, small);
  const MatrixMap<T> g(u.gradients, rows, columns);
  const T norm = static_cast<T>(std::sqrt(squares(u.gradients, u.tensor.size)) + 1e-7);
  if (rows > columns) {
    x = g.transpose() / norm;
  } else {
    x = g / norm;
  }
  const T a = static_cast<T>(o.value("muon_a"));
  const T b = static_cast<T>(o.value("muon_b"));
  const T c = static_cast<T>(o.value("muon_c"));
  for (Index step = static_cast<Index>(o.value("ns_steps")); step > 0; --step) {
    square.noalias() = x * x.transpose();
    terms.noalias() = square * square;
    terms = b * square + c * terms;
    next.noalias() = terms * x;
    x = a * x + next;
  }
  const T scale = static_cast<T>(u.rate * std::sqrt(static_cast<double>(large)) * o.value("rms_rate"));
  MatrixMap<T> w(u.weights, rows, columns);
  if (rows > columns) {
    w -= scale * x.transpose();
  } else {
    w -= scale * x;
  }
}

template <typename T>
const TensorRule<T>& tensor_rule(const Optimizer& optimizer) {
  static constexpr auto rules = from_list(TensorRules{}, [](auto tag) {
    using Rule = typename decltype(tag)::type;
    return TensorRule<T>{&Rule::scratch, &Rule::decay, &Rule::template update<T>};
  });
  return rules[number_of(optimizer)];
}

template const TensorRule<float>& tensor_rule(const Optimizer&);
template const TensorRule<double>& tensor_rule(const Optimizer&);

}  // namespace laminar
