// SPDX-License-Identifier: Apache-2.0
// Layers that disturb in training: the identity at prediction, draws that follow seeds, and their moments.
#include <array>

#include "layers.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// What a layer makes, in training, of a sample that is `value` everywhere. It comes from the bias of a
/// layer before and shows in the gradient of the bias after: that of mse towards 0 is 2 a / width.
std::vector<double> trained_outputs(const Layer& layer, Index width, double value, std::uint64_t seed) {
  Model<double> model(
      Network(1, {Dense{.units = width, .bias_initializer = Initializer("constant", {{"value", value}})}, layer,
                  Activate{"linear"}, Maxout{.units = width, .pieces = 1}}),
      seed);
  const auto& layout = model.network().parameters();
  auto weights = weights_of(model);
  const Tensor& kernel = layout[2];
  for (Index i = 0; i < width; ++i) {
    for (Index j = 0; j < width; ++j) weights[as_size(kernel.offset + i * width + j)] = i == j ? 1 : 0;
  }
  model.set_parameters(weights);
  model.compile("mse", Optimizer("sgd"));
  const std::vector<double> x(1, 0);
  const std::vector<double> y(as_size(width), 0);
  std::vector<double> gradients(weights.size());
  model.loss_and_gradients({{view(x), 1}, Targets<double>(MatrixView<const double>{view(y), width}), {}}, gradients);
  std::vector<double> out;
  for (Index j = 0; j < width; ++j) {
    out.push_back(gradients[as_size(layout[3].offset + j)] * static_cast<double>(width) / 2);
  }
  return out;
}

}  // namespace

TEST_CASE("layers: what disturbs in training is the identity at prediction and differentiates through its draws") {
  const std::array<Layer, 4> all = {Layer(Dropout{.rate = 0.3}), Layer(AlphaDropout{.rate = 0.3}),
                                    Layer(GaussianNoise{.stddev = 0.5}), Layer(GaussianDropout{.rate = 0.3})};
  for (const Layer& layer : all) {
    const std::string kind = kind_of(layer);
    CAPTURE(kind);
    check_gradients(layer);
    check_values<double>(layer, {17}, [](const std::vector<double>& x, const Model<double>&) { return x; });
    const auto first = trained_outputs(layer, 40, 0.7, 1);
    CHECK(bit_difference(trained_outputs(layer, 40, 0.7, 1), first) == "");
    CHECK(bit_difference(trained_outputs(layer, 40, 0.7, 2), first) != "");
  }
}

TEST_CASE("layers: a seed of its own fixes a layer's draws whatever the model's is") {
  const auto same = [](const Layer& layer) {
    return bit_difference(trained_outputs(layer, 40, 0.7, 1), trained_outputs(layer, 40, 0.7, 2)) == "";
  };
  CHECK(same(Dropout{.rate = 0.3, .seed = 4}));
  CHECK(same(AlphaDropout{.rate = 0.3, .seed = 4}));
  CHECK(same(GaussianNoise{.stddev = 0.5, .seed = 4}));
  CHECK(same(GaussianDropout{.rate = 0.3, .seed = 0}));
}

TEST_CASE("layers: draws have the moments that they should, within 5 standard errors") {
  const Index n = 2000;
  const double root = std::sqrt(static_cast<double>(n));
  const auto check = [&](const Layer& layer, double value, double mean, double variance, double fourth) {
    const std::string kind = kind_of(layer);
    CAPTURE(kind);
    const Moments m = moments(trained_outputs(layer, n, value, 11));
    CHECK(std::abs(m.mean - mean) < 5 * std::sqrt(variance) / root);
    CHECK(std::abs(m.variance - variance) < 5 * std::sqrt(fourth - variance * variance) / root);
  };
  // Fourth central moment of a normal draw: 3 variance^2.
  check(GaussianNoise{.stddev = 0.5}, 1, 1, 0.25, 3 * 0.25 * 0.25);
  check(GaussianDropout{.rate = 0.2}, 2, 2, 4 * 0.25, 3.0);
  // A mask of 1 / q with probability q = 1 - p: variance p / q.
  const double p = 0.4;
  const double q = 0.6;
  const double fourth = q * std::pow(1 / q - 1, 4) + p;
  check(Dropout{.rate = p}, 1, 1, p / q, fourth);
  // A constant input: alpha dropout gives s x + t or s l + t.
  const double l = -1.7580993408473766;
  const double s = 1 / std::sqrt(q * (1 + p * l * l));
  const double t = -s * l * p;
  const double mean = q * s + p * s * l + t;
  const double gap = s * (1 - l);
  const double spread_of = p * q * gap * gap;
  check(AlphaDropout{.rate = p}, 1, mean, spread_of, p * q * (p * p * p + q * q * q) * std::pow(gap, 4));
  // Over inputs of mean 0 and variance 1 these have mean 0 and variance 1.
  CHECK(q * t + p * (s * l + t) == doctest::Approx(0).epsilon(1e-12));
  CHECK(q * (s * s + t * t) + p * (s * l + t) * (s * l + t) == doctest::Approx(1));
}
