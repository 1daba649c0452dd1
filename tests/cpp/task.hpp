// SPDX-License-Identifier: Apache-2.0
// Data for models to learn, and short ways to ask a model for its results.
#pragma once

#include "laminar/laminar.hpp"
#include "support.hpp"

namespace laminar::tests {

/// Threads for the tests' models, automatic again at the end of the scope.
struct Threads {
  explicit Threads(int count) { set_num_threads(count); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;
  ~Threads() { set_num_threads(0); }
};

/// Outputs near the middle of (0, 1), where the losses of probabilities bend little.
inline Dense mild_layer(Index in, Index units, const Activation& activation) {
  const double limit = 0.3 / std::sqrt(static_cast<double>(in));
  return {.units = units,
          .activation = activation,
          .kernel_initializer = Initializer("random_uniform", {{"minval", -limit}, {"maxval", limit}}),
          .bias_initializer = Initializer("random_uniform", {{"minval", 0.3}, {"maxval", 0.6}})};
}

/// Samples with targets that every loss takes, and the memory they lie in.
template <typename T>
struct Task {
  Index features;
  Index outputs;
  std::vector<T> x;
  std::vector<T> y;
  std::vector<std::int32_t> labels;
  std::vector<T> weights;  // empty: all 1

  Task(Index rows, Index features_, Index outputs_, std::uint64_t seed = 1)
      : features(features_),
        outputs(outputs_),
        x(draws<T>(rows * features, -1, 1, seed)),
        y(draws<T>(rows * outputs, 0.05, 0.95, seed + 1)),
        labels(as_size(rows)) {
    for (Index i = 0; i < rows; ++i) labels[as_size(i)] = static_cast<std::int32_t>((i * 7 + 3) % outputs);
  }

  Index rows() const { return static_cast<Index>(labels.size()); }
  MatrixView<const T> inputs() const { return {view(x), features}; }
  Dataset<T> dataset(const Loss& loss) const { return dataset(loss, 0, rows()); }
  /// Rows begin … end - 1.
  Dataset<T> dataset(const Loss& loss, Index begin, Index end) const {
    const auto part = [&](const auto& values, Index width) {
      return view(values).subspan(as_size(begin * width), as_size((end - begin) * width));
    };
    Dataset<T> data;
    data.x = {part(x, features), features};
    data.y =
        loss.class_labels() ? Targets<T>(part(labels, 1)) : Targets<T>(MatrixView<const T>{part(y, outputs), outputs});
    if (!weights.empty()) data.sample_weight = part(weights, 1);
    return data;
  }
};

template <typename T>
std::vector<T> predictions(const Model<T>& model, MatrixView<const T> x) {
  std::vector<T> out(as_size(x.rows * model.network().outputs()));
  model.predict(x, {std::span<T>(out), model.network().outputs()});
  return out;
}

/// A copy of the weights, padding included.
template <typename T>
std::vector<T> weights_of(const Model<T>& model) {
  return {model.parameters().begin(), model.parameters().end()};
}

/// Whether outputs of the activation are in the loss's domain, whatever the weights: positive, not all
/// of them 0, and of losses of probabilities not far outside 0 … 1, where they are cut off or 0 / 0.
inline bool suits(const Loss& loss, const Activation& last) {
  const std::string_view name = loss.name();
  const std::string_view f = last.name();
  const bool zeros = f.find("shrink") != f.npos || f == "log_softmax";
  if (name.find("categorical") != name.npos && zeros) return false;
  if (name.starts_with("binary") || name == "dice" || name == "tversky") {
    for (const char* far : {"softplus", "squareplus", "exponential", "log_sigmoid", "log_softmax"}) {
      if (f == far) return false;
    }
  }
  if (name != "poisson" && name != "tweedie" && name != "gamma") return true;
  for (const char* positive : {"sigmoid", "softmax", "exponential", "softplus", "squareplus"}) {
    if (f == positive) return true;
  }
  return false;
}

}  // namespace laminar::tests
