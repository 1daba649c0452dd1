// SPDX-License-Identifier: Apache-2.0
// To add a constraint, write a struct and put its name in the list. `value` projects one weight;
// `factor` says by what the weights of one vector of a given norm are multiplied.
#include "laminar/catalogue/constraint.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/catalogue/entries.hpp"

namespace laminar {
namespace {

constexpr double kEpsilon = 1e-7;  // Keras's: a vector of zeros is not divided by 0

/// Axis along which norms are taken: 0 in a kernel (in, out) is one unit's incoming weights.
constexpr ParameterInfo kAxis{"axis", 0, Range::integer};

/// NaN stays NaN.
double clipped(double v, double low, double high) {
  const double raised = v < low ? low : v;
  return raised > high ? high : raised;
}

/// w min(norm, max_value) / (norm + epsilon)  (Srebro & Shraibman 2005)
struct MaxNorm {
  static constexpr EntryInfo info{"max_norm", "", {{"max_value", 2, Range::non_negative}, kAxis}};
  static double factor(double norm, const double* p) { return clipped(norm, 0, p[0]) / (kEpsilon + norm); }
};

/// max(w, 0)
struct NonNeg {
  static constexpr EntryInfo info{"non_neg", "", {}};
  static double value(double w, const double*) { return w < 0 ? 0 : w; }
};

/// w / (norm + epsilon)
struct UnitNorm {
  static constexpr EntryInfo info{"unit_norm", "", {kAxis}};
  static double factor(double norm, const double*) { return 1 / (kEpsilon + norm); }
};

/// w (rate clip(norm, min_value, max_value) + (1 - rate) norm) / (norm + epsilon)
struct MinMaxNorm {
  static constexpr EntryInfo info{
      "min_max_norm",
      "",
      {{"min_value", 0, Range::non_negative}, {"max_value", 1, Range::non_negative}, {"rate", 1, Range::share}, kAxis}};
  static double factor(double norm, const double* p) {
    return (p[2] * clipped(norm, p[0], p[1]) + (1 - p[2]) * norm) / (kEpsilon + norm);
  }
};

using Constraints = kernels::List<MaxNorm, NonNeg, UnitNorm, MinMaxNorm>;

/// The vectors along one axis: element k of vector (o, i) stands at (o * length + k) * inner + i.
struct Lines {
  std::size_t outer = 1;
  std::size_t length = 1;
  std::size_t inner = 1;
};

Lines lines_along(const Choice& constraint, const Shape& shape) {
  const auto axes = static_cast<double>(shape.size());
  double axis = constraint.value("axis");
  if (axis < -axes || axis >= axes) {
    fail("constraint '", constraint.name(), "': axis must be at least ", -axes, " and less than ", axes, " for shape ",
         to_string(shape), ", got ", axis);
  }
  if (axis < 0) axis += axes;
  Lines lines;
  for (std::size_t i = 0; i < shape.size(); ++i) {
    const auto at = static_cast<double>(i);
    (at < axis ? lines.outer : at > axis ? lines.inner : lines.length) *= static_cast<std::size_t>(shape[i]);
  }
  return lines;
}

template <typename T, typename C>
void apply_entry(const Choice& constraint, const Shape& shape, std::span<T> weights) {
  const double* p = constraint.values().data();
  if constexpr (requires { C::value(0.0, p); }) {
    for (T& w : weights) w = static_cast<T>(C::value(static_cast<double>(w), p));
  } else {
    // Up to 64 neighbouring vectors at once, so that memory is read in runs.
    constexpr std::size_t kTogether = 64;
    const Lines lines = lines_along(constraint, shape);
    for (std::size_t o = 0; o < lines.outer; ++o) {
      for (std::size_t first = 0; first < lines.inner; first += kTogether) {
        const std::size_t count = std::min(kTogether, lines.inner - first);
        T* corner = weights.data() + o * lines.length * lines.inner + first;
        double factors[kTogether] = {};
        for (std::size_t k = 0; k < lines.length; ++k) {
          const T* w = corner + k * lines.inner;
          for (std::size_t i = 0; i < count; ++i) factors[i] += static_cast<double>(w[i]) * static_cast<double>(w[i]);
        }
        for (std::size_t i = 0; i < count; ++i) factors[i] = C::factor(std::sqrt(factors[i]), p);
        for (std::size_t k = 0; k < lines.length; ++k) {
          T* w = corner + k * lines.inner;
          for (std::size_t i = 0; i < count; ++i) w[i] = static_cast<T>(static_cast<double>(w[i]) * factors[i]);
        }
      }
    }
  }
}

constexpr auto kInfos = entry_infos<Constraints>();
template <typename T>
constexpr auto kApply =
    from_list(Constraints{}, [](auto tag) { return &apply_entry<T, typename decltype(tag)::type>; });

}  // namespace

const Family& constraint_family() {
  static constexpr Family family{"constraint", kInfos};
  return family;
}

void Constraint::check(const Shape& shape) const {
  if (own != nullptr) {
    own->check(shape);
  } else if (takes("axis")) {
    lines_along(*this, shape);
  }
}

template <typename T>
void Constraint::apply(const Shape& shape, std::span<T> weights) const {
  check_elements(family().title, name(), "weights", weights.size(), shape);
  if (own != nullptr) {
    own->check(shape);
    return own->apply(weights);
  }
  kApply<T>[static_cast<std::size_t>(index())](*this, shape, weights);
}

template void Constraint::apply(const Shape&, std::span<float>) const;
template void Constraint::apply(const Shape&, std::span<double>) const;

}  // namespace laminar
