// SPDX-License-Identifier: Apache-2.0
#include "laminar/perceptron.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "laminar/error.hpp"
#include "laminar/random.hpp"

namespace laminar {
namespace {

// Multiplications between two polls, about a millisecond.
constexpr Index kPollWork = 1 << 20;

template <typename T>
void check(MatrixView<const T> x, std::span<const std::int32_t> y, std::span<const T> sample_weight, Index features,
           Index classes, const PerceptronOptions& options) {
  if (x.rows < 1) fail("Perceptron: x has no rows");
  if (x.columns != features) fail("Perceptron: x has ", x.columns, " features, expected ", features);
  if (static_cast<Index>(y.size()) != x.rows) fail("Perceptron: x has ", x.rows, " rows, y has ", y.size());
  if (!sample_weight.empty() && static_cast<Index>(sample_weight.size()) != x.rows) {
    fail("Perceptron: x has ", x.rows, " rows, sample_weight has ", sample_weight.size());
  }
  for (Index i = 0; i < x.rows * x.columns; ++i) {
    if (std::isfinite(x.data[i])) continue;
    fail("Perceptron: x must be finite, but row ", i / x.columns, ", column ", i % x.columns, " is ", x.data[i]);
  }
  for (const std::int32_t label : y) {
    if (label < 0 || label >= classes) fail("Perceptron: y must be from 0 to ", classes - 1, ", got ", label);
  }
  for (const T weight : sample_weight) {
    if (!std::isfinite(weight) || weight < 0) fail("Perceptron: sample_weight must be at least 0, got ", weight);
  }
  if (!std::isfinite(options.eta0) || options.eta0 <= 0) fail("Perceptron: eta0 must be above 0, got ", options.eta0);
  if (options.max_epochs < 1) fail("Perceptron: max_epochs must be at least 1, got ", options.max_epochs);
  if (options.patience < 1) fail("Perceptron: patience must be at least 1, got ", options.patience);
  if (options.tol && std::isnan(*options.tol)) fail("Perceptron: tol must be a number, got nan");
}

/// Whether training goes on improving: the stopping rule of scikit-learn's linear models.
class Patience {
 public:
  explicit Patience(const PerceptronOptions& options) : options_(options) {}

  bool in_vain(double mean_loss) {
    if (!options_.tol) return false;
    waited_ = mean_loss > best_ - *options_.tol ? waited_ + 1 : 0;
    best_ = std::min(best_, mean_loss);
    return waited_ >= options_.patience;
  }

 private:
  const PerceptronOptions& options_;
  double best_ = std::numeric_limits<double>::infinity();
  Index waited_ = 0;
};

}  // namespace

/// The data as one unit sees them: its class against the rest.
template <typename T>
struct Perceptron<T>::Task {
  MatrixView<const T> x;
  std::span<const std::int32_t> y;
  std::span<const T> sample_weight;
  std::int32_t positive;

  T target(Index row) const { return y[static_cast<std::size_t>(row)] == positive ? T(1) : T(0); }
  T weight(Index row) const { return sample_weight.empty() ? T(1) : sample_weight[static_cast<std::size_t>(row)]; }
};

template <typename T>
Perceptron<T>::Perceptron(Index features, Index classes, std::uint64_t seed)
    : features_(features), classes_(classes), seed_(seed) {
  if (features < 1) fail("Perceptron: features must be at least 1, got ", features);
  if (classes < 2) fail("Perceptron: classes must be at least 2, got ", classes);
  weights_.resize(static_cast<std::size_t>(units() * features));
  biases_.resize(static_cast<std::size_t>(units()));
}

// z = b + sum_i x_i w_i, in this order in training and in use, so that both see the same bits.
template <typename T>
T Perceptron<T>::sum(const T* row, Index unit) const {
  const T* w = weights_.data() + unit * features_;
  T z = biases_[static_cast<std::size_t>(unit)];
  for (Index i = 0; i < features_; ++i) z += row[i] * w[i];
  return z;
}

template <typename T>
PerceptronEnd Perceptron<T>::fit_unit(Index unit, const Task& task, const PerceptronOptions& options) {
  const Index rows = task.x.rows;
  T* w = weights_.data() + unit * features_;
  std::vector<Index> order(static_cast<std::size_t>(rows));
  for (Index i = 0; i < rows; ++i) order[static_cast<std::size_t>(i)] = i;
  Patience patience(options);
  PerceptronEnd end;
  Index work = 0;
  while (end.epochs < options.max_epochs) {
    if (options.shuffle) {
      const auto epoch = epochs_ + static_cast<std::uint32_t>(end.epochs);
      fill_permutation(RandomStream(seed_, Purpose::shuffle, static_cast<std::uint32_t>(unit), epoch), order);
    }
    end.mistakes = 0;
    double loss = 0;
    for (const Index r : order) {
      const T* x = task.x.data + r * features_;
      const T z = sum(x, unit);
      // p = 1 if z > 0 else 0; w += eta (y - p) x, b += eta (y - p)
      const T error = task.target(r) - (z > 0 ? T(1) : T(0));
      if (error != 0) {
        const T step = static_cast<T>(options.eta0) * task.weight(r) * error;
        for (Index i = 0; i < features_; ++i) w[i] += step * x[i];
        if (options.fit_intercept) biases_[static_cast<std::size_t>(unit)] += step;
        loss += static_cast<double>(std::abs(z) * task.weight(r));
        ++end.mistakes;
      }
      if (work += features_; work >= kPollWork && options.poll) {
        work = 0;
        if (options.poll()) return end;
      }
    }
    ++end.epochs;
    if (end.mistakes == 0 || patience.in_vain(loss / static_cast<double>(rows))) break;
  }
  return end;
}

template <typename T>
PerceptronEnd Perceptron<T>::fit(MatrixView<const T> x, std::span<const std::int32_t> y,
                                 std::span<const T> sample_weight, const PerceptronOptions& options) {
  check(x, y, sample_weight, features_, classes_, options);
  PerceptronEnd end;
  for (Index unit = 0; unit < units(); ++unit) {
    const Task task{x, y, sample_weight, static_cast<std::int32_t>(classes_ == 2 ? 1 : unit)};
    const PerceptronEnd one = fit_unit(unit, task, options);
    end.epochs = std::max(end.epochs, one.epochs);
    end.mistakes += one.mistakes;
  }
  epochs_ += static_cast<std::uint32_t>(end.epochs);
  return end;
}

template <typename T>
void Perceptron<T>::decide(MatrixView<const T> x, MatrixView<T> z) const {
  if (x.columns != features_) fail("Perceptron: x has ", x.columns, " features, expected ", features_);
  if (z.rows != x.rows || z.columns != units()) {
    fail("Perceptron: z must have shape (", x.rows, ", ", units(), "), got (", z.rows, ", ", z.columns, ")");
  }
  for (Index r = 0; r < x.rows; ++r) {
    for (Index unit = 0; unit < units(); ++unit) z.data[r * units() + unit] = sum(x.data + r * features_, unit);
  }
}

template class Perceptron<float>;
template class Perceptron<double>;

}  // namespace laminar
