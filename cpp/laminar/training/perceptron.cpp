// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/perceptron.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "laminar/base/error.hpp"
#include "laminar/base/random.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/training/perceptron_unit.hpp"

namespace laminar {
namespace {

// Multiplications between two polls, about a millisecond.
constexpr Index kPollWork = 1 << 20;

template <typename T>
void check_rows(const RowsView<T>& x, Index features) {
  if (x.columns != features) fail("Perceptron: x has ", x.columns, " features, expected ", features);
  if (!x.sparse()) return;
  Index before = 0;
  for (const std::int32_t start : x.starts) {
    if (start < before || start > x.size()) fail("Perceptron: x is no CSR matrix, a row begins at ", start);
    before = start;
  }
  if (x.starts.front() != 0) fail("Perceptron: x is no CSR matrix, the first row begins at ", x.starts.front());
  for (const std::int32_t place : x.places) {
    if (place < 0 || place >= features) fail("Perceptron: x has an element in column ", place, " of ", features);
  }
}

template <typename T>
void check_finite(const RowsView<T>& x) {
  for (Index r = 0; r < x.rows; ++r) {
    leave_if_stopped(static_cast<double>(x.columns));
    x.row(r).each([r](Index column, T value) {
      if (!std::isfinite(value)) {
        fail("Perceptron: x must be finite, but row ", r, ", column ", column, " is ", value);
      }
    });
  }
}

template <typename T>
void check_weights(std::span<const T> weights, Index wanted, const char* of, const char* name) {
  if (weights.empty()) return;
  if (static_cast<Index>(weights.size()) != wanted) {
    fail("Perceptron: ", of, " ", wanted, ", ", name, " has ", weights.size());
  }
  for (const T weight : weights) {
    if (!std::isfinite(weight) || weight < 0) fail("Perceptron: ", name, " must be at least 0, got ", weight);
  }
}

void check(const PerceptronOptions& options) {
  if (!std::isfinite(options.eta0) || options.eta0 <= 0) fail("Perceptron: eta0 must be above 0, got ", options.eta0);
  if (!std::isfinite(options.l1) || options.l1 < 0) fail("Perceptron: l1 must be at least 0, got ", options.l1);
  if (!std::isfinite(options.l2) || options.l2 < 0) fail("Perceptron: l2 must be at least 0, got ", options.l2);
  if (options.max_epochs < 1) fail("Perceptron: max_epochs must be at least 1, got ", options.max_epochs);
  if (options.patience < 1) fail("Perceptron: patience must be at least 1, got ", options.patience);
  if (options.tol && std::isnan(*options.tol)) fail("Perceptron: tol must be a number, got nan");
}

template <typename T>
void check(const PerceptronData<T>& data, Index features, Index classes) {
  const Index rows = data.x.rows;
  if (rows < 1) fail("Perceptron: x has no rows");
  check_rows(data.x, features);
  check_finite(data.x);
  if (static_cast<Index>(data.y.size()) != rows) fail("Perceptron: x has ", rows, " rows, y has ", data.y.size());
  for (const std::int32_t label : data.y) {
    if (label < 0 || label >= classes) fail("Perceptron: y must be from 0 to ", classes - 1, ", got ", label);
  }
  check_weights(data.sample_weight, rows, "the rows are", "sample_weight");
  check_weights(data.class_weight, classes, "the classes are", "class_weight");
  if (data.held_out.empty()) return;
  if (static_cast<Index>(data.held_out.size()) != rows) {
    fail("Perceptron: x has ", rows, " rows, held_out has ", data.held_out.size());
  }
  Index held = 0;
  bool counts = false;
  for (Index r = 0; r < rows; ++r) {
    const auto at = static_cast<std::size_t>(r);
    if (data.held_out[at] == 0) continue;
    ++held;
    counts = counts || data.sample_weight.empty() || data.sample_weight[at] > 0;
  }
  if (held == rows) fail("Perceptron: held_out leaves no rows to train on");
  if (!counts) fail("Perceptron: held_out has no rows of a weight above 0");
}

/// The data as one unit sees them: its class against the rest.
template <typename T>
struct Task {
  const PerceptronData<T>& data;
  Index positive;
  bool one_of_two;

  bool yes(Index row) const { return label(row) == positive; }
  bool held_out(Index row) const { return !data.held_out.empty() && data.held_out[at(row)] != 0; }
  T row_weight(Index row) const { return data.sample_weight.empty() ? T(1) : data.sample_weight[at(row)]; }
  T weight(Index row) const {
    if (data.class_weight.empty() || !(one_of_two || yes(row))) return row_weight(row);
    return data.class_weight[at(label(row))] * row_weight(row);
  }

  /// The weighted share of the held-out rows that are right; nothing where there are none.
  std::optional<double> score(const PerceptronUnit<T>& unit) const {
    if (data.held_out.empty()) return {};
    double right = 0;
    double all = 0;
    for (Index r = 0; r < data.x.rows; ++r) {
      if (!held_out(r)) continue;
      const auto weight = static_cast<double>(row_weight(r));
      all += weight;
      if ((unit.decide(data.x.row(r)) > 0) == yes(r)) right += weight;
    }
    return right / all;
  }

 private:
  static std::size_t at(Index place) { return static_cast<std::size_t>(place); }
  Index label(Index row) const { return data.y[at(row)]; }
};

/// Whether training goes on improving: the stopping rule of scikit-learn's linear models.
class Patience {
 public:
  explicit Patience(const PerceptronOptions& options) : options_(options) {}

  /// Takes what shall become less.
  bool in_vain(double value) {
    if (!options_.tol) return false;
    waited_ = value > best_ - *options_.tol ? waited_ + 1 : 0;
    best_ = std::min(best_, value);
    return waited_ >= options_.patience;
  }

 private:
  const PerceptronOptions& options_;
  double best_ = std::numeric_limits<double>::infinity();
  Index waited_ = 0;
};

}  // namespace

template <typename T>
Perceptron<T>::Perceptron(Index features, Index classes, std::uint64_t seed)
    : features_(features), classes_(classes), seed_(seed) {
  if (features < 1) fail("Perceptron: features must be at least 1, got ", features);
  if (classes < 2) fail("Perceptron: classes must be at least 2, got ", classes);
  weights_.resize(static_cast<std::size_t>(units() * features));
  biases_.resize(static_cast<std::size_t>(units()));
}

template <typename T>
PerceptronEnd Perceptron<T>::fit_unit(Index number, const PerceptronData<T>& data, const PerceptronOptions& options) {
  const Task<T> task{data, classes_ == 2 ? 1 : number, classes_ == 2};
  const auto width = static_cast<std::size_t>(features_);
  PerceptronUnit<T> unit(std::span<T>(weights_).subspan(static_cast<std::size_t>(number) * width, width),
                         biases_[static_cast<std::size_t>(number)], options.l1, options.l2);
  std::vector<Index> order(static_cast<std::size_t>(data.x.rows));
  for (Index i = 0; i < data.x.rows; ++i) order[static_cast<std::size_t>(i)] = i;
  const bool penalized = options.l1 > 0 || options.l2 > 0;
  Patience patience(options);
  PerceptronEnd end;
  PerceptronEpoch at;
  at.unit = number;
  StopScope* const scope = StopScope::current();
  Index work = 0;
  while (end.epochs < options.max_epochs && !at.last) {
    if (options.shuffle) {
      const auto epoch = epochs_ + static_cast<std::uint32_t>(end.epochs);
      fill_permutation(RandomStream(seed_, Purpose::shuffle, static_cast<std::uint32_t>(number), epoch), order);
    }
    end.mistakes = 0;
    double loss = 0;
    double penalty = 0;
    Index rows = 0;
    for (const Index r : order) {
      if (task.held_out(r)) continue;
      const RowView<T> x = data.x.row(r);
      const bool y = task.yes(r);
      const T z = unit.decide(x);
      // p = 1 if z > 0 else 0; w += eta (y - p) x, b += eta (y - p)
      const bool mistaken = y != (z > 0) || (options.strict && z == 0);
      penalty += unit.penalty();
      unit.shrink(options.eta0);
      if (mistaken) {
        loss += static_cast<double>(std::abs(z));
        const T step = static_cast<T>(y ? options.eta0 : -options.eta0) * task.weight(r);
        if (step != 0) {
          unit.add(x, step, options.fit_intercept);
          ++end.mistakes;
        }
      }
      unit.truncate(options.eta0);
      ++rows;
      if (work += penalized ? features_ : x.count; work >= kPollWork) {
        work = 0;
        if ((options.poll && options.poll()) || (scope != nullptr && scope->poll(kPollWork))) {
          unit.settle();
          end.stopped = true;
          return end;
        }
      }
    }
    ++end.epochs;
    if (!unit.finite()) {
      throw NonFiniteError("Floating-point under-/overflow occurred at epoch #" + std::to_string(end.epochs) + ".");
    }
    at.epoch = end.epochs;
    at.rows += rows;
    at.loss = loss / static_cast<double>(rows);
    at.objective = (loss + penalty) / static_cast<double>(rows);
    at.score = task.score(unit);
    at.last =
        patience.in_vain(at.score ? -*at.score : at.objective) || (!options.tol && !penalized && end.mistakes == 0);
    if (options.report) {
      at.norm = unit.norm();
      at.nonzeros = unit.nonzeros();
      at.bias = static_cast<double>(unit.bias());
      options.report(at);
    }
  }
  unit.settle();
  return end;
}

template <typename T>
PerceptronEnd Perceptron<T>::fit(const PerceptronData<T>& data, const PerceptronOptions& options) {
  check_sizes();
  check(data, features_, classes_);
  check(options);
  const std::vector<T> weights = weights_;
  const std::vector<T> biases = biases_;
  PerceptronEnd end;
  try {
    for (Index unit = 0; unit < units() && !end.stopped; ++unit) {
      const PerceptronEnd one = fit_unit(unit, data, options);
      end.epochs = std::max(end.epochs, one.epochs);
      end.mistakes += one.mistakes;
      end.stopped = one.stopped;
    }
  } catch (...) {
    weights_ = weights;
    biases_ = biases;
    throw;
  }
  epochs_ += static_cast<std::uint32_t>(end.epochs);
  return end;
}

template <typename T>
void Perceptron<T>::check_sizes() const {
  const auto units = static_cast<std::size_t>(this->units());
  if (weights_.size() != units * static_cast<std::size_t>(features_) || biases_.size() != units) {
    fail("Perceptron: expected ", units * static_cast<std::size_t>(features_), " weights and ", units, " biases, got ",
         weights_.size(), " and ", biases_.size());
  }
}

template <typename T>
void Perceptron<T>::decide(const RowsView<T>& x, MatrixView<T> z) const {
  check_sizes();
  check_rows(x, features_);
  if (z.rows != x.rows || z.columns != units()) {
    fail("Perceptron: z must have shape (", x.rows, ", ", units(), "), got (", z.rows, ", ", z.columns, ")");
  }
  for (Index r = 0; r < x.rows; ++r) {
    leave_if_stopped(2 * static_cast<double>(x.columns * units()));
    for (Index unit = 0; unit < units(); ++unit) {
      z.data[r * units() + unit] =
          decision(x.row(r), weights_.data() + unit * features_, T(1), biases_[static_cast<std::size_t>(unit)]);
    }
  }
}

template class Perceptron<float>;
template class Perceptron<double>;

}  // namespace laminar
