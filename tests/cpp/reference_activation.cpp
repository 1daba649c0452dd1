// SPDX-License-Identifier: Apache-2.0
// The reference of the activations, in long double where they are elementwise: formulas may then be the
// textbook's and still tell the kernels' last bits.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <stdexcept>

#include "reference.hpp"

namespace laminar::reference {
namespace {

[[noreturn]] void missing(const Activation& f) {
  throw std::logic_error(std::string("tests/cpp/reference_activation.cpp lacks '") + f.name() + "'");
}

long double sigmoid(long double z) { return 1 / (1 + std::exp(-z)); }

Matrix softmax(const Matrix& z) {
  Matrix a = z;
  for (Index i = 0; i < z.rows(); ++i) {
    a.row(i) = (z.row(i).array() - z.row(i).maxCoeff()).exp().matrix();
    a.row(i) /= a.row(i).sum();
  }
  return a;
}

Matrix log_softmax(const Matrix& z) {
  Matrix a = z;
  for (Index i = 0; i < z.rows(); ++i) {
    const double shift = z.row(i).maxCoeff();
    a.row(i) = (z.row(i).array() - shift - std::log((z.row(i).array() - shift).exp().sum())).matrix();
  }
  return a;
}

/// tau = (sum of the k largest - 1) / k for the largest k whose smallest value is above it.
Matrix sparsemax(const Matrix& z) {
  Matrix a = z;
  for (Index i = 0; i < z.rows(); ++i) {
    std::vector<double> sorted(z.row(i).begin(), z.row(i).end());
    std::sort(sorted.rbegin(), sorted.rend());
    double sum = 0;
    double tau = 0;
    for (std::size_t k = 0; k < sorted.size(); ++k) {
      sum += sorted[k];
      const double next = (sum - 1) / static_cast<double>(k + 1);
      if (sorted[k] > next) tau = next;
    }
    a.row(i) = (z.row(i).array() - tau).max(0.0).matrix();
  }
  return a;
}

/// z - tanh z = (z cosh z - sinh z) / cosh z, term by term.
long double tanh_shrink(long double z) {
  if (std::abs(z) > 2) return z - std::tanh(z);
  long double sum = 0;
  long double power = z;
  for (int k = 1; k < 40; ++k) {
    power *= z * z / ((2 * k) * (2 * k + 1));  // z^(2k + 1) / (2k + 1)!
    sum += 2 * k * power;
  }
  return sum / std::cosh(z);
}

long double normal(long double z) { return std::erfc(-z / std::sqrt(2.0L)) / 2; }
long double normal_density(long double z) {
  return std::exp(-z * z / 2) / std::sqrt(2 * std::numbers::pi_v<long double>);
}
/// The exponent in gelu's approximate form.
long double gelu_exponent(long double z) {
  return std::sqrt(8 / std::numbers::pi_v<long double>) * (z + 0.044715L * z * z * z);
}
long double gelu_exponent_slope(long double z) {
  return std::sqrt(8 / std::numbers::pi_v<long double>) * (1 + 3 * 0.044715L * z * z);
}

constexpr long double kSeluAlpha = 1.6732632423543772848170429916717L;
constexpr long double kSeluScale = 1.0507009873554804934193349852946L;

/// z gate(z), 0 at -infinity.
template <typename Gate>
Function gated(Gate gate) {
  return [gate](long double z) { return std::isinf(z) && z < 0 ? 0 : z * gate(z); };
}

long double clip(long double z, long double low, long double high) { return z < low ? low : z > high ? high : z; }

}  // namespace

Function elementwise(const Activation& f) {
  const std::string_view name = f.name();
  const auto p = [&](const char* parameter) -> long double { return f.value(parameter); };
  const auto hard_sigmoid = [](long double z) { return clip(z + 3, 0, 6) / 6; };
  if (name == "linear") return [](long double z) { return z; };
  if (name == "step") return [](long double z) { return z > 0 ? 1 : 0; };
  if (name == "sigmoid") return [](long double z) { return sigmoid(z); };
  if (name == "tanh") return [](long double z) { return std::tanh(z); };
  if (name == "relu") {
    const long double most = f.has("max_value") ? p("max_value") : std::numeric_limits<long double>::infinity();
    return [slope = p("negative_slope"), start = p("threshold"), most](long double z) {
      if (z > start) return std::min(z, most);
      return slope == 0 ? 0 : slope * (z - start);
    };
  }
  if (name == "leaky_relu") {
    return [slope = p("negative_slope")](long double z) { return z >= 0 ? z : slope * z; };
  }
  if (name == "elu") {
    return [alpha = p("alpha")](long double z) { return z > 0 ? z : alpha * std::expm1(z); };
  }
  if (name == "selu") {
    return [](long double z) { return kSeluScale * (z > 0 ? z : kSeluAlpha * std::expm1(z)); };
  }
  if (name == "celu") {
    return [alpha = p("alpha")](long double z) { return z > 0 ? z : alpha * std::expm1(z / alpha); };
  }
  if (name == "gelu" && p("approximate") != 0) {
    return gated([](long double z) { return sigmoid(gelu_exponent(z)); });
  }
  if (name == "gelu") return gated(normal);
  if (name == "silu") return gated([](long double z) { return sigmoid(z); });
  if (name == "mish") return gated([](long double z) { return std::tanh(std::log1p(std::exp(z))); });
  if (name == "hard_silu") return gated(hard_sigmoid);
  if (name == "hard_sigmoid") return hard_sigmoid;
  if (name == "hard_tanh") return [](long double z) { return clip(z, -1, 1); };
  if (name == "relu6") return [](long double z) { return clip(z, 0, 6); };
  if (name == "softplus") {
    return [](long double z) { return std::max(z, 0.0L) + std::log1p(std::exp(-std::abs(z))); };
  }
  if (name == "log_sigmoid") {
    return [](long double z) { return std::min(z, 0.0L) - std::log1p(std::exp(-std::abs(z))); };
  }
  if (name == "softsign") {
    return [](long double z) { return std::isinf(z) ? std::copysign(1.0L, z) : z / (1 + std::abs(z)); };
  }
  if (name == "exponential") return [](long double z) { return std::exp(z); };
  if (name == "tanh_shrink") return tanh_shrink;
  if (name == "hard_shrink") {
    return [t = p("threshold")](long double z) { return std::abs(z) > t ? z : 0; };
  }
  if (name == "soft_shrink") {
    return [t = p("threshold")](long double z) { return z > t ? z - t : z < -t ? z + t : 0; };
  }
  if (name == "threshold") {
    return [t = p("threshold"), value = p("default_value")](long double z) { return z > t ? z : value; };
  }
  if (name == "squareplus") {
    return [b = p("b")](long double z) {
      const long double root = std::sqrt(z * z + b);
      return z < 0 ? b / 2 / (root - z) : (z + root) / 2;
    };
  }
  if (name == "sparse_plus") {
    return [](long double z) { return z <= -1 ? 0 : z < 1 ? (z + 1) * (z + 1) / 4 : z; };
  }
  if (name == "sparse_sigmoid") return [](long double z) { return clip((z + 1) / 2, 0, 1); };
  missing(f);
}

Function elementwise_slope(const Activation& f) {
  const std::string_view name = f.name();
  const auto p = [&](const char* parameter) -> long double { return f.value(parameter); };
  const auto d_sigmoid = [](long double z) { return sigmoid(z) * sigmoid(-z); };
  /// slope within (low, high), 0 outside
  const auto inside = [](long double low, long double high, long double slope) -> Function {
    return [=](long double z) { return z > low && z < high ? slope : 0; };
  };
  if (name == "linear") return [](long double) { return 1; };
  if (name == "step") return [](long double) { return 0; };
  if (name == "sigmoid") return d_sigmoid;
  if (name == "tanh") return [](long double z) { return 1 / (std::cosh(z) * std::cosh(z)); };
  if (name == "relu") {
    const long double most = f.has("max_value") ? p("max_value") : std::numeric_limits<long double>::infinity();
    return [slope = p("negative_slope"), start = p("threshold"), most](long double z) -> long double {
      if (z > start) return z < most ? 1 : 0;
      return slope;
    };
  }
  if (name == "leaky_relu") {
    return [slope = p("negative_slope")](long double z) { return z > 0 ? 1 : slope; };
  }
  if (name == "elu") {
    return [alpha = p("alpha")](long double z) { return z > 0 ? 1 : alpha * std::exp(z); };
  }
  if (name == "selu") {
    return [](long double z) { return kSeluScale * (z > 0 ? 1 : kSeluAlpha * std::exp(z)); };
  }
  if (name == "celu") {
    return [alpha = p("alpha")](long double z) { return z > 0 ? 1 : std::exp(z / alpha); };
  }
  if (name == "gelu" && p("approximate") != 0) {
    return [d_sigmoid](long double z) {
      return sigmoid(gelu_exponent(z)) + z * d_sigmoid(gelu_exponent(z)) * gelu_exponent_slope(z);
    };
  }
  if (name == "gelu") return [](long double z) { return normal(z) + z * normal_density(z); };
  if (name == "silu") return [d_sigmoid](long double z) { return sigmoid(z) + z * d_sigmoid(z); };
  if (name == "mish") {
    return [](long double z) {
      const long double t = std::tanh(std::log1p(std::exp(z)));
      return t + z * (1 - t * t) * sigmoid(z);
    };
  }
  if (name == "hard_silu") {
    return [](long double z) { return z <= -3 ? 0 : z >= 3 ? 1 : (2 * z + 3) / 6; };
  }
  if (name == "hard_sigmoid") return inside(-3, 3, 1.0L / 6);
  if (name == "hard_tanh") return inside(-1, 1, 1);
  if (name == "relu6") return inside(0, 6, 1);
  if (name == "softplus") return [](long double z) { return sigmoid(z); };
  if (name == "log_sigmoid") return [](long double z) { return sigmoid(-z); };
  if (name == "softsign") return [](long double z) { return 1 / ((1 + std::abs(z)) * (1 + std::abs(z))); };
  if (name == "exponential") return [](long double z) { return std::exp(z); };
  if (name == "tanh_shrink") return [](long double z) { return std::tanh(z) * std::tanh(z); };
  if (name == "hard_shrink" || name == "soft_shrink") {
    return [t = p("threshold")](long double z) { return std::abs(z) > t ? 1 : 0; };
  }
  if (name == "threshold") {
    return [t = p("threshold")](long double z) { return z > t ? 1 : 0; };
  }
  if (name == "squareplus") {
    return [b = p("b")](long double z) { return (1 + z / std::sqrt(z * z + b)) / 2; };
  }
  if (name == "sparse_plus") return [](long double z) { return clip((z + 1) / 2, 0, 1); };
  if (name == "sparse_sigmoid") return inside(-1, 1, 0.5L);
  missing(f);
}

Matrix activate(const Activation& f, const Matrix& z) {
  const std::string_view name = f.name();
  if (name == "softmax") return softmax(z);
  if (name == "log_softmax") return log_softmax(z);
  if (name == "sparsemax") return sparsemax(z);
  const Function value = elementwise(f);
  return z.unaryExpr([&](double v) { return static_cast<double>(value(v)); });
}

Matrix activation_gradient(const Activation& f, const Matrix& z, const Matrix& d_a) {
  const std::string_view name = f.name();
  if (!f.row_wise()) {
    const Function slope = elementwise_slope(f);
    return d_a.array() * z.unaryExpr([&](double v) { return static_cast<double>(slope(v)); }).array();
  }
  const Matrix a = activate(f, z);
  Matrix d_z(z.rows(), z.cols());
  for (Index i = 0; i < z.rows(); ++i) {
    if (name == "softmax") {
      const double dot = a.row(i).dot(d_a.row(i));
      d_z.row(i) = (a.row(i).array() * (d_a.row(i).array() - dot)).matrix();
    } else if (name == "log_softmax") {
      d_z.row(i) = d_a.row(i) - (a.row(i).array().exp() * d_a.row(i).sum()).matrix();
    } else if (name == "sparsemax") {
      const Eigen::RowVectorXd used = (a.row(i).array() > 0).cast<double>();
      const double mean = used.dot(d_a.row(i)) / used.sum();
      d_z.row(i) = (used.array() * (d_a.row(i).array() - mean)).matrix();
    } else {
      missing(f);
    }
  }
  return d_z;
}

}  // namespace laminar::reference
