// SPDX-License-Identifier: Apache-2.0
#include "laminar/lbfgs.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <vector>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/execution/state.hpp"

namespace laminar {
namespace {

using Vector = std::vector<double>;

// The conditions of Wolfe with SciPy's factors: f(t) <= f(0) + kDecrease t f'(0), |f'(t)| <= kSlope |f'(0)|.
constexpr double kDecrease = 1e-3;
constexpr double kSlope = 0.9;
constexpr int kTrials = 20;  // points of one line search

/// a·b in eight interleaved sums, so that the compiler may use vectors without another order.
double dot(std::span<const double> a, std::span<const double> b) {
  double sums[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= a.size(); i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) sums[lane] += a[i + lane] * b[i + lane];
  }
  for (std::size_t lane = 0; i < a.size(); ++i, ++lane) sums[lane] += a[i] * b[i];
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

double largest(std::span<const double> values) {
  double result = 0;
  for (const double v : values) result = std::max(result, std::abs(v));
  return result;
}

/// One change of x and of the gradient.
struct Change {
  Vector x;
  Vector gradient;
  double product;  // x·gradient, above 0
};

/// d = -H g by two loops over the changes, newest first and oldest first.
Vector direction_of(const Vector& gradient, const std::deque<Change>& changes) {
  Vector d(gradient.size());
  std::transform(gradient.begin(), gradient.end(), d.begin(), [](double g) { return -g; });
  if (changes.empty()) return d;
  Vector factors(changes.size());
  for (std::size_t k = changes.size(); k-- > 0;) {
    const Change& c = changes[k];
    leave_if_stopped(4 * static_cast<double>(d.size()));
    factors[k] = dot(c.x, d) / c.product;
    for (std::size_t i = 0; i < d.size(); ++i) d[i] -= factors[k] * c.gradient[i];
  }
  const Change& newest = changes.back();
  const double size = newest.product / dot(newest.gradient, newest.gradient);
  for (double& v : d) v *= size;
  for (std::size_t k = 0; k < changes.size(); ++k) {
    const Change& c = changes[k];
    leave_if_stopped(4 * static_cast<double>(d.size()));
    const double factor = factors[k] - dot(c.gradient, d) / c.product;
    for (std::size_t i = 0; i < d.size(); ++i) d[i] += factor * c.x[i];
  }
  return d;
}

/// A point on the line x + step d.
struct Trial {
  double step = 0;
  double value = 0;
  double slope = 0;

  bool finite() const { return std::isfinite(value) && std::isfinite(slope); }
};

/// Where the cubic through two points with their slopes is least, kept off both ends.
double between(const Trial& a, const Trial& b) {
  const double width = b.step - a.step;
  const double middle = a.step + width / 2;
  if (!b.finite()) return middle;
  const double theta = a.slope + b.slope - 3 * (b.value - a.value) / width;
  const double root = theta * theta - a.slope * b.slope;
  if (!(root >= 0)) return middle;
  const double gamma = std::copysign(std::sqrt(root), width);
  const double step = b.step - width * (b.slope + gamma - theta) / (b.slope - a.slope + 2 * gamma);
  const double low = std::min(a.step, b.step) + 0.1 * std::abs(width);
  const double high = std::max(a.step, b.step) - 0.1 * std::abs(width);
  return std::isfinite(step) ? std::clamp(step, low, high) : middle;
}

/// The line search of Nocedal & Wright (2006), algorithms 3.5 and 3.6.
class LineSearch {
 public:
  Trial trial;
  Vector point;     // of `trial`
  Vector gradient;  // there
  int evaluations = 0;

  LineSearch(const SmoothFunction& function, const Vector& x, const Vector& d, const Trial& start, double precision)
      : point(x.size()),
        gradient(x.size()),
        function_(function),
        x_(x),
        d_(d),
        start_(start),
        allowance_(precision * std::abs(start.value)) {}

  /// True where a step was found: it is `trial`, the last point looked at.
  bool run(double step) {
    Trial previous = start_;
    while (evaluations < kTrials) {
      look(step);
      if (accepted()) return true;
      if (!decreased() || (previous.step > 0 && trial.value >= previous.value)) return zoom(previous, trial);
      if (trial.slope >= 0) return zoom(trial, previous);
      previous = trial;
      step *= 2;
    }
    return trial.finite() && trial.value < start_.value;
  }

 private:
  void look(double step) {
    for (std::size_t i = 0; i < point.size(); ++i) point[i] = x_[i] + step * d_[i];
    ++evaluations;
    trial.step = step;
    trial.value = function_(point, gradient);
    trial.slope = dot(gradient, d_);
  }
  bool decreased() const {
    return trial.finite() && trial.value <= start_.value + kDecrease * trial.step * start_.slope;
  }
  // Close to the minimum the decrease drowns in f's rounding; there the slopes say the same thing
  // (Hager & Zhang 2005, SIAM J. Optim. 16, equation 4.1).
  bool accepted() const {
    if (!trial.finite() || std::abs(trial.slope) > -kSlope * start_.slope) return false;
    return decreased() ||
           (trial.value <= start_.value + allowance_ && trial.slope <= (2 * kDecrease - 1) * start_.slope);
  }
  /// `low` has the least value so far of those that fell enough; a step lies between it and `high`.
  bool zoom(Trial low, Trial high) {
    while (evaluations < kTrials) {
      look(between(low, high));
      if (accepted()) return true;
      if (!decreased() || trial.value >= low.value) {
        high = trial;
        continue;
      }
      if (trial.slope * (high.step - low.step) >= 0) high = low;
      low = trial;
    }
    if (low.step == 0) return false;
    if (trial.step != low.step) look(low.step);
    return trial.value < start_.value;
  }

  const SmoothFunction& function_;
  const Vector& x_;
  const Vector& d_;
  Trial start_;
  double allowance_;
};

void check(const LbfgsOptions& options) {
  if (options.max_iterations < 1) fail("lbfgs: max_iterations must be at least 1, got ", options.max_iterations);
  if (options.max_evaluations < 1) fail("lbfgs: max_evaluations must be at least 1, got ", options.max_evaluations);
  if (options.memory < 1) fail("lbfgs: memory must be at least 1, got ", options.memory);
  for (const auto& [name, value] : {std::pair{"gradient_tolerance", options.gradient_tolerance},
                                    {"decrease_tolerance", options.decrease_tolerance},
                                    {"precision", options.precision}}) {
    if (!(value >= 0)) fail("lbfgs: ", name, " must be at least 0, got ", value);
  }
}

}  // namespace

const char* name_of(LbfgsReason reason) {
  switch (reason) {
    case LbfgsReason::gradient:
      return "gradient";
    case LbfgsReason::decrease:
      return "decrease";
    case LbfgsReason::max_iterations:
      return "max_iterations";
    case LbfgsReason::max_evaluations:
      return "max_evaluations";
    case LbfgsReason::stopped:
      return "stopped";
    case LbfgsReason::line_search:
      break;
  }
  return "line_search";
}

namespace {

/// As minimize; `at` is the best point at any time.
LbfgsEnd minimize_from(const SmoothFunction& function, Vector& at, const LbfgsOptions& options) {
  Vector gradient(at.size());
  std::deque<Change> changes;
  LbfgsEnd end;
  end.value = function(at, gradient);
  end.evaluations = 1;
  if (!std::isfinite(end.value) || !std::isfinite(dot(gradient, gradient))) {
    throw NonFiniteError("lbfgs: the loss or its gradient is not finite at the start");
  }
  const auto ended = [&](LbfgsReason reason) {
    end.reason = reason;
    return end;
  };
  if (largest(gradient) <= options.gradient_tolerance) return ended(LbfgsReason::gradient);
  while (true) {
    const Vector d = direction_of(gradient, changes);
    const Trial start{0, end.value, dot(gradient, d)};
    const double first = changes.empty() ? std::min(1.0, 1 / std::sqrt(dot(d, d))) : 1;
    LineSearch search(function, at, d, start, options.precision);
    const bool found = start.slope < 0 && search.run(first);
    end.evaluations += search.evaluations;
    if (!found) {
      if (changes.empty()) return ended(LbfgsReason::line_search);
      changes.clear();  // try the gradient alone
      continue;
    }
    Change change{Vector(at.size()), Vector(at.size()), 0};
    for (std::size_t i = 0; i < at.size(); ++i) {
      change.x[i] = search.point[i] - at[i];
      change.gradient[i] = search.gradient[i] - gradient[i];
    }
    change.product = dot(change.x, change.gradient);
    const double decrease = end.value - search.trial.value;
    const double size = std::max({std::abs(end.value), std::abs(search.trial.value), 1.0});
    std::swap(at, search.point);
    std::swap(gradient, search.gradient);
    end.value = search.trial.value;
    ++end.iterations;
    if (options.on_iteration && options.on_iteration(end.iterations, end.value)) return ended(LbfgsReason::stopped);
    if (largest(gradient) <= options.gradient_tolerance) return ended(LbfgsReason::gradient);
    if (decrease <= options.decrease_tolerance * size) return ended(LbfgsReason::decrease);
    if (end.iterations >= options.max_iterations) return ended(LbfgsReason::max_iterations);
    if (end.evaluations >= options.max_evaluations) return ended(LbfgsReason::max_evaluations);
    const double curvature = dot(change.gradient, change.gradient);
    if (change.product <= std::numeric_limits<double>::epsilon() * curvature) continue;
    if (static_cast<Index>(changes.size()) == options.memory) changes.pop_front();
    changes.push_back(std::move(change));
  }
}

}  // namespace

LbfgsEnd minimize(const SmoothFunction& function, std::span<double> x, const LbfgsOptions& options) {
  check(options);
  if (!function) fail("lbfgs: function must not be empty");
  Vector at(x.begin(), x.end());
  try {
    const LbfgsEnd end = minimize_from(function, at, options);
    std::copy(at.begin(), at.end(), x.begin());
    return end;
  } catch (...) {
    std::copy(at.begin(), at.end(), x.begin());
    throw;
  }
}

template <typename T>
LbfgsEnd fit_lbfgs(Model<T>& model, const Dataset<T>& data, LbfgsOptions options, double scale) {
  if (!(scale > 0) || !std::isfinite(scale)) fail("lbfgs: scale must be above 0, got ", scale);
  if (!model.compiled()) fail("lbfgs: the model has no loss and optimizer yet; call compile first");
  typename Model<T>::Training training(model, "fit_lbfgs");
  const std::span<const T> parameters = training.state().parameters.span();
  const std::size_t size = parameters.size();
  std::vector<T> weights(size);
  std::vector<T> gradients(size);
  const auto narrow = [&](std::span<const double> x) {
    std::transform(x.begin(), x.end(), weights.begin(), [](double v) { return static_cast<T>(v); });
    training.set_parameters(weights);
  };
  const SmoothFunction loss = [&](std::span<const double> x, std::span<double> gradient) {
    narrow(x);
    const double value = scale * training.loss_and_gradients(data, gradients, true);
    std::transform(gradients.begin(), gradients.end(), gradient.begin(),
                   [&](T g) { return scale * static_cast<double>(g); });
    return value;
  };
  options.precision = std::max<double>(options.precision, std::numeric_limits<T>::epsilon());
  if (options.on_iteration) {
    options.on_iteration = [&, user = std::move(options.on_iteration)](Index iteration, double value) {
      return training.between([&] { return user(iteration, value); });
    };
  }
  Vector x(parameters.begin(), parameters.end());
  try {
    const LbfgsEnd end = minimize(loss, x, options);
    narrow(x);
    return end;
  } catch (...) {
    narrow(x);
    throw;
  }
}

template LbfgsEnd fit_lbfgs(Model<float>&, const Dataset<float>&, LbfgsOptions, double);
template LbfgsEnd fit_lbfgs(Model<double>&, const Dataset<double>&, LbfgsOptions, double);

}  // namespace laminar
