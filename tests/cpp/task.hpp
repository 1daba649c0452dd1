// SPDX-License-Identifier: Apache-2.0
// Data for models to learn, and short ways to ask a model for its results.
#pragma once

#include <algorithm>

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

/// Whether outputs of the activation are in the loss's domain, whatever the weights: positive where it
/// takes logarithms or quotients of them; not 0 / 0, and not at the ends of 0 … 1, where rounding of the
/// output decides, where it is a loss of probabilities.
inline bool suits(const Loss& loss, const Activation& last) {
  const auto among = [](std::string_view name, std::initializer_list<std::string_view> names) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  const std::string_view name = loss.name();
  if (among(name, {"poisson", "tweedie", "gamma"})) {
    return among(last.name(), {"sigmoid", "softmax", "exponential", "softplus", "squareplus"});
  }
  if (loss.takes("from_logits") || among(name, {"kl_divergence", "dice", "tversky"})) {
    return among(last.name(), {"linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softmax"});
  }
  return true;
}

}  // namespace laminar::tests
