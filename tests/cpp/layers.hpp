// SPDX-License-Identifier: Apache-2.0
// A layer's values against a formula, and its gradients against finite differences.
#pragma once

#include <functional>

#include "laminar/graph/layer.hpp"
#include "task.hpp"

namespace laminar::tests {

inline constexpr Index kWidths[] = {1, 2, 7, 8, 9, 16, 17, 33};

inline Initializer spread(double low, double high) {
  return Initializer("random_uniform", {{"minval", low}, {"maxval", high}});
}

/// Outputs of one layer for rows of x, in double.
using Formula = std::function<std::vector<double>(const std::vector<double>& x, const Model<double>& model)>;

/// Values of a network of one layer, in float and double, for several numbers of rows and threads.
template <typename T>
void check_values(const Layer& layer, const Shape& shape, const Formula& formula, double low = -2, double high = 2) {
  const Model<double> exact(Network(shape, {layer}), 5);
  const Model<T> model(Network(shape, {layer}), 5);
  const Index width = model.network().features();
  for (const Index rows : kBatches) {
    const auto x = draws<T>(rows * width, low, high, 7);
    std::vector<double> expected;
    for (Index i = 0; i < rows; ++i) {
      const std::vector<double> row(x.begin() + i * width, x.begin() + (i + 1) * width);
      const auto out = formula(row, exact);
      expected.insert(expected.end(), out.begin(), out.end());
    }
    const auto one = [&] {
      const Threads threads(1);
      return predictions(model, {view(x), width});
    }();
    CHECK(difference(one, expected, sizeof(T) == 4 ? 1e-4 : 1e-12) == "");
    for (const int count : {2, 3}) {
      const Threads threads(count);
      CHECK(bit_difference(predictions(model, {view(x), width}), one) == "");
    }
  }
}

/// The gradient of all parameters against finite differences, and the same bits for any threads.
/// A layer without parameters is differentiated through the one before it.
inline void check_gradient(const Network& network, Index rows) {
  const Task<double> task(rows, network.features(), network.outputs(), 3);
  const Loss loss("mse");
  const auto data = task.dataset(loss);
  Model<double> model(network, 9);
  model.compile(loss, Optimizer("sgd"));
  const Threads one(1);
  std::vector<double> gradients(model.parameters().size());
  model.loss_and_gradients(data, gradients);
  std::vector<double> expected(gradients.size());
  auto weights = weights_of(model);
  std::vector<double> ignored(gradients.size());
  for (const Tensor& tensor : network.parameters().tensors()) {
    if (!tensor.trainable) continue;
    for (std::size_t i = as_size(tensor.offset); i < as_size(tensor.offset + tensor.size); ++i) {
      const double at = weights[i];
      const double step = 1e-5;
      const auto loss_at = [&](double value) {
        weights[i] = value;
        model.set_parameters(weights);
        return model.loss_and_gradients(data, ignored);
      };
      expected[i] = (loss_at(at + step) - loss_at(at - step)) / (2 * step);
      weights[i] = at;
    }
  }
  model.set_parameters(weights);
  double largest = 0;
  for (const double e : expected) largest = std::max(largest, std::abs(e));
  std::vector<double> scaled = gradients;
  for (double& g : scaled) g /= std::max(largest, 1e-12);
  for (double& e : expected) e /= std::max(largest, 1e-12);
  CHECK(difference(scaled, expected, 1e-6) == "");
  for (const int count : {2, 3}) {
    const Threads threads(count);
    std::vector<double> again(gradients.size());
    model.loss_and_gradients(data, again);
    CHECK(bit_difference(again, gradients) == "");
  }
}

/// The layer between dense ones, first, and last.
inline void check_gradients(const Layer& layer) {
  for (const Index width : kWidths) {
    CAPTURE(width);
    const Dense before{.units = width, .bias_initializer = spread(-0.5, 0.5)};
    const Dense after{.units = 3};
    check_gradient(Network(4, {before, layer, after}), width == 9 ? 65 : 3);
    check_gradient(Network(4, {Dense{.units = width, .activation = "tanh"}, layer}), 2);
    check_gradient(Network(width, {layer, after}), 5);
  }
}

inline std::vector<double> tensor_of(const Model<double>& model, std::size_t i) {
  const auto values = model.tensor(i);
  return {values.begin(), values.end()};
}

struct Moments {
  double mean;
  double variance;
};
inline Moments moments(const std::vector<double>& values) {
  double sum = 0;
  double squares = 0;
  for (const double v : values) sum += v;
  const double n = static_cast<double>(values.size());
  for (const double v : values) squares += (v - sum / n) * (v - sum / n);
  return {sum / n, squares / n};
}

}  // namespace laminar::tests
