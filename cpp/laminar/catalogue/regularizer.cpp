// SPDX-License-Identifier: Apache-2.0
// To add a regularizer, write a struct and put its name in the list. An entry that looks at one
// weight at a time has no more than `l1` and `l2`; others have `penalty` and `add_gradient`.
#include "laminar/catalogue/regularizer.hpp"

#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/catalogue/entries.hpp"

namespace laminar {
namespace {

/// 1 with the sign of v; zeros and NaN stay what they are.
double sign(double v) { return v == 0 || std::isnan(v) ? v : std::copysign(1.0, v); }

/// l1 sum |w|  (Tibshirani 1996)
struct L1 {
  static constexpr EntryInfo info{"l1", "", {{"l1", 0.01, Range::non_negative}}};
};

/// l2 sum w^2, without a factor 1/2  (Hoerl & Kennard 1970)
struct L2 {
  static constexpr EntryInfo info{"l2", "", {{"l2", 0.01, Range::non_negative}}};
};

/// l1 sum |w| + l2 sum w^2  (Zou & Hastie 2005)
struct L1L2 {
  static constexpr EntryInfo info{"l1_l2", "", {{"l1", 0, Range::non_negative}, {"l2", 0, Range::non_negative}}};
};

/// The rows or columns of a matrix, one after the other, each divided by the larger of its norm and 1e-7.
struct Directions {
  std::size_t count = 0;
  std::size_t length = 0;
  std::vector<double> values;
  std::vector<double> inverse_norms;

  template <typename T>
  Directions(std::size_t rows, std::size_t columns, bool by_rows, std::span<const T> matrix)
      : count(by_rows ? rows : columns), length(by_rows ? columns : rows), values(matrix.size()), inverse_norms(count) {
    for (std::size_t i = 0; i < count; ++i) {
      double* v = values.data() + i * length;
      double squares = 0;
      for (std::size_t k = 0; k < length; ++k) {
        v[k] = static_cast<double>(by_rows ? matrix[i * columns + k] : matrix[k * columns + i]);
        squares += v[k] * v[k];
      }
      const double norm = std::sqrt(squares);
      inverse_norms[i] = 1 / (norm < kSmallest ? kSmallest : norm);
      for (std::size_t k = 0; k < length; ++k) v[k] *= inverse_norms[i];
    }
  }

  double product(std::size_t i, std::size_t j) const {
    double sum = 0;
    for (std::size_t k = 0; k < length; ++k) sum += values[i * length + k] * values[j * length + k];
    return sum;
  }
  /// Whether direction i was divided by its norm, and so has none of its own to change.
  bool unit(std::size_t i) const { return inverse_norms[i] != 1 / kSmallest; }

  static constexpr double kSmallest = 1e-7;  // Keras's epsilon
};

/// factor mean_{i<j} |<u_i, u_j>|, u_i the directions of the rows or columns; 0 where there is one alone
struct Orthogonal {
  static constexpr EntryInfo info{"orthogonal",
                                  "orthogonal_regularizer",
                                  {{"factor", 0.01, Range::non_negative}, {"mode", 0, Range::word, "rows columns"}}};

  static void check(const Shape& shape) {
    if (shape.size() != 2) fail("regularizer 'orthogonal': needs a tensor of 2 axes, got shape ", to_string(shape));
  }
  template <typename T>
  static Directions directions(const Shape& shape, const double* p, std::span<const T> weights) {
    check(shape);
    return {static_cast<std::size_t>(shape[0]), static_cast<std::size_t>(shape[1]), p[1] == 0, weights};
  }
  static double pairs(const Directions& u) {
    return static_cast<double>(u.count) * (static_cast<double>(u.count) - 1) / 2;
  }

  template <typename T>
  static double penalty(const Shape& shape, const double* p, std::span<const T> weights) {
    const Directions u = directions(shape, p, weights);
    if (u.count < 2) return 0;
    double sum = 0;
    for (std::size_t i = 0; i < u.count; ++i) {
      for (std::size_t j = i + 1; j < u.count; ++j) sum += std::abs(u.product(i, j));
    }
    return p[0] * sum / pairs(u);
  }

  // d_u_i = factor / pairs sum_{j != i} sign <u_i, u_j> u_j,  d_r_i = (d_u_i - <d_u_i, u_i> u_i) / |r_i|
  template <typename T>
  static void add_gradient(const Shape& shape, const double* p, std::span<const T> weights, std::span<T> gradient,
                           double scale) {
    const Directions u = directions(shape, p, weights);
    if (u.count < 2) return;
    const bool by_rows = p[1] == 0;
    std::vector<double> d_u(u.values.size());
    for (std::size_t i = 0; i < u.count; ++i) {
      for (std::size_t j = i + 1; j < u.count; ++j) {
        const double direction = sign(u.product(i, j));
        for (std::size_t k = 0; k < u.length; ++k) {
          d_u[i * u.length + k] += direction * u.values[j * u.length + k];
          d_u[j * u.length + k] += direction * u.values[i * u.length + k];
        }
      }
    }
    for (std::size_t i = 0; i < u.count; ++i) {
      const double* direction = u.values.data() + i * u.length;
      const double* d = d_u.data() + i * u.length;
      double along = 0;
      for (std::size_t k = 0; k < u.length && u.unit(i); ++k) along += d[k] * direction[k];
      for (std::size_t k = 0; k < u.length; ++k) {
        const double slope = scale * p[0] / pairs(u) * (d[k] - along * direction[k]) * u.inverse_norms[i];
        T& out = gradient[by_rows ? i * u.length + k : k * u.count + i];
        out = static_cast<T>(static_cast<double>(out) + slope);
      }
    }
  }
};

using Regularizers = kernels::List<L1, L2, L1L2, Orthogonal>;

/// What an entry that is not elementwise computes itself.
template <typename T>
struct Functions {
  double (*penalty)(const Shape&, const double*, std::span<const T>) = nullptr;
  void (*add_gradient)(const Shape&, const double*, std::span<const T>, std::span<T>, double) = nullptr;
};

template <typename T, typename R>
constexpr Functions<T> functions_of() {
  if constexpr (requires { &R::template penalty<T>; }) return {&R::template penalty<T>, &R::template add_gradient<T>};
  return {};
}

template <typename T>
constexpr auto kFunctions =
    from_list(Regularizers{}, [](auto tag) { return functions_of<T, typename decltype(tag)::type>(); });

constexpr auto kInfos = entry_infos<Regularizers>();

/// sum of f(w) in eight interleaved sums, so that the compiler may use vectors without another order.
template <typename T, typename F>
double sum(std::span<const T> weights, F f) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= weights.size(); i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += f(static_cast<double>(weights[i + lane]));
  }
  for (std::size_t lane = 0; i < weights.size(); ++i, ++lane) sums[lane] += f(static_cast<double>(weights[i]));
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

}  // namespace

const Family& regularizer_family() {
  static constexpr Family family{"regularizer", kInfos};
  return family;
}

template <typename T>
double Regularizer::penalty(const Shape& shape, std::span<const T> weights) const {
  check_elements(family().title, name(), "weights", weights.size(), shape);
  if (own != nullptr) {
    own->check(shape);
    return own->penalty(weights);
  }
  const auto function = kFunctions<T>[static_cast<std::size_t>(index())].penalty;
  if (function != nullptr) return function(shape, values().data(), weights);
  // A factor of 0 takes no part: 0 times an overflowed sum would be NaN.
  double total = 0;
  if (l1() != 0) total += l1() * sum(weights, [](double w) { return std::abs(w); });
  if (l2() != 0) total += l2() * sum(weights, [](double w) { return w * w; });
  return total;
}

template <typename T>
void Regularizer::add_gradient(const Shape& shape, std::span<const T> weights, std::span<T> gradient,
                               double scale) const {
  check_elements(family().title, name(), "weights", weights.size(), shape);
  check_elements(family().title, name(), "gradient", gradient.size(), shape);
  if (own != nullptr) {
    own->check(shape);
    return own->add_gradient(weights, gradient, scale);
  }
  const auto function = kFunctions<T>[static_cast<std::size_t>(index())].add_gradient;
  if (function != nullptr) return function(shape, values().data(), weights, gradient, scale);
  const double a = scale * l1();
  const double b = scale * 2 * l2();
  const auto add = [&](const auto& slope) {
    for (std::size_t i = 0; i < weights.size(); ++i) {
      gradient[i] = static_cast<T>(static_cast<double>(gradient[i]) + slope(static_cast<double>(weights[i])));
    }
  };
  // Signs of weights as branches, which no processor foresees, took a third of a small network's step.
  if (a == 0) {
    add([b](double w) { return b * w; });
  } else {
    add([a, b](double w) { return a * sign(w) + b * w; });
  }
}

void Regularizer::check(const Shape& shape) const {
  if (own != nullptr) {
    own->check(shape);
  } else if (!elementwise()) {
    Orthogonal::check(shape);
  }
}

bool Regularizer::elementwise() const {
  return own == nullptr && kFunctions<double>[static_cast<std::size_t>(index())].penalty == nullptr;
}
double Regularizer::l1() const { return takes("l1") ? value("l1") : 0; }
double Regularizer::l2() const { return takes("l2") ? value("l2") : 0; }

template double Regularizer::penalty(const Shape&, std::span<const float>) const;
template double Regularizer::penalty(const Shape&, std::span<const double>) const;
template void Regularizer::add_gradient(const Shape&, std::span<const float>, std::span<float>, double) const;
template void Regularizer::add_gradient(const Shape&, std::span<const double>, std::span<double>, double) const;

}  // namespace laminar
