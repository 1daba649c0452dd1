// SPDX-License-Identifier: Apache-2.0
// The reference of whole networks.
#include <cmath>
#include <stdexcept>

#include "laminar/base/random.hpp"
#include "reference.hpp"

namespace laminar::reference {
namespace {

/// Runs a network node by node and remembers what the way back needs.
struct Walk {
  const Network& network;
  std::span<const double> parameters;
  bool training;
  std::uint64_t seed;
  Index step;
  bool last_on_logits;
  std::vector<Matrix> outputs;
  std::vector<Matrix> kept;  // z, or a dropout's mask
  std::vector<double> gradients;

  const Node& node(std::size_t i) const { return network.nodes()[i]; }
  Eigen::Map<const Matrix> tensor(std::size_t t) const {
    const Tensor& tensor = network.parameters()[t];
    const bool vector = tensor.shape.size() == 1;
    return {parameters.data() + tensor.offset, vector ? 1 : tensor.shape[0],
            vector ? tensor.shape[0] : tensor.shape[1]};
  }
  void add_gradient(std::size_t t, const Matrix& gradient) {
    Eigen::Map<Matrix>(gradients.data() + network.parameters()[t].offset, gradient.rows(), gradient.cols()) += gradient;
  }
  bool fused(std::size_t i) const { return last_on_logits && i + 1 == network.nodes().size(); }

  void forward(const Dense& layer, std::size_t i, const Matrix& in) {
    kept[i] = in * tensor(node(i).tensors[0]);
    if (layer.use_bias) kept[i].rowwise() += tensor(node(i).tensors[1]).row(0);
    outputs[i] = fused(i) ? kept[i] : activate(layer.activation, kept[i]);
  }
  void forward(const Activate& layer, std::size_t i, const Matrix& in) {
    kept[i] = in;
    outputs[i] = fused(i) ? in : activate(layer.activation, in);
  }
  void forward(const Dropout& layer, std::size_t i, const Matrix& in) {
    kept[i] = Matrix::Ones(in.rows(), in.cols());
    if (training) {
      const RandomStream stream(seed, Purpose::dropout, static_cast<std::uint32_t>(i),
                                static_cast<std::uint32_t>(step));
      const Index groups = (in.cols() + 3) / 4;
      for (Index r = 0; r < in.rows(); ++r) {
        for (Index j = 0; j < in.cols(); ++j) {
          const auto word =
              stream.words(static_cast<std::uint64_t>(r * groups + j / 4))[static_cast<std::size_t>(j % 4)];
          kept[i](r, j) = static_cast<double>(word) >= std::floor(layer.rate * 0x1p32) ? 1 / (1 - layer.rate) : 0;
        }
      }
    }
    outputs[i] = (in.array() * kept[i].array()).matrix();
  }

  // The moments of the batch while training, the running ones at prediction.
  void forward(const BatchNormalization& layer, std::size_t i, const Matrix& in) {
    std::size_t next = 0;
    const Eigen::RowVectorXd ones = Eigen::RowVectorXd::Ones(in.cols());
    const auto vector = [&](bool there, double otherwise) -> Eigen::RowVectorXd {
      return there ? Eigen::RowVectorXd(tensor(node(i).tensors[next++]).row(0)) : Eigen::RowVectorXd(otherwise * ones);
    };
    const Eigen::RowVectorXd gamma = vector(layer.scale, 1);
    const Eigen::RowVectorXd beta = vector(layer.center, 0);
    Eigen::RowVectorXd mean = vector(true, 0);
    Eigen::RowVectorXd variance = vector(true, 1);
    if (training) {
      mean = in.colwise().mean();
      variance = (in.rowwise() - mean).array().square().colwise().mean();
    }
    const Eigen::RowVectorXd deviation = (variance.array() + layer.epsilon).sqrt();
    kept[i] = ((in.rowwise() - mean).array().rowwise() / deviation.array()).matrix();
    outputs[i] = ((kept[i].array().rowwise() * gamma.array()).rowwise() + beta.array()).matrix();
  }
  /// Kinds with tests of their own: test_layers.cpp.
  template <typename Kind>
  void forward(const Kind&, std::size_t, const Matrix&) {
    throw std::logic_error(std::string("the reference lacks ") + Kind::kKind);
  }
  template <typename Kind>
  Matrix backward(const Kind&, std::size_t, const Matrix&, const Matrix&) {
    throw std::logic_error(std::string("the reference lacks ") + Kind::kKind);
  }

  Matrix backward(const Dense& layer, std::size_t i, const Matrix& in, const Matrix& d_a) {
    const Matrix d_z = fused(i) ? d_a : activation_gradient(layer.activation, kept[i], d_a);
    add_gradient(node(i).tensors[0], in.transpose() * d_z);
    if (layer.use_bias) add_gradient(node(i).tensors[1], d_z.colwise().sum());
    return d_z * tensor(node(i).tensors[0]).transpose();
  }
  Matrix backward(const Activate& layer, std::size_t i, const Matrix&, const Matrix& d_a) {
    return fused(i) ? d_a : activation_gradient(layer.activation, kept[i], d_a);
  }
  // With x^ the standardized x: d_x = gamma / s (d_a - mean(d_a) - x^ mean(d_a x^)).
  Matrix backward(const BatchNormalization& layer, std::size_t i, const Matrix& in, const Matrix& d_a) {
    const Matrix products = (d_a.array() * kept[i].array()).matrix();
    std::size_t next = 0;
    Eigen::RowVectorXd slope = Eigen::RowVectorXd::Ones(in.cols());
    if (layer.scale) {
      slope = tensor(node(i).tensors[next]).row(0);
      add_gradient(node(i).tensors[next++], products.colwise().sum());
    }
    if (layer.center) add_gradient(node(i).tensors[next], d_a.colwise().sum());
    const Eigen::RowVectorXd mean = in.colwise().mean();
    slope.array() /= ((in.rowwise() - mean).array().square().colwise().mean() + layer.epsilon).sqrt();
    const Matrix along = (kept[i].array().rowwise() * products.colwise().mean().array()).matrix();
    return (((d_a.rowwise() - d_a.colwise().mean()) - along).array().rowwise() * slope.array()).matrix();
  }
  Matrix backward(const Dropout&, std::size_t i, const Matrix&, const Matrix& d_a) {
    return (d_a.array() * kept[i].array()).matrix();
  }

  void go_forward(const Matrix& x) {
    outputs.resize(network.nodes().size());
    kept.resize(network.nodes().size());
    outputs[0] = x;
    for (std::size_t i = 1; i < outputs.size(); ++i) {
      const Matrix& in = outputs[static_cast<std::size_t>(node(i).inputs[0])];
      std::visit([&](const auto& layer) { forward(layer, i, in); }, node(i).layer);
    }
  }
  void go_back(Matrix d) {
    gradients.assign(parameters.size(), 0);
    for (std::size_t i = outputs.size(); i-- > 1;) {
      const Matrix& in = outputs[static_cast<std::size_t>(node(i).inputs[0])];
      d = std::visit([&](const auto& layer) -> Matrix { return backward(layer, i, in, d); }, node(i).layer);
    }
  }
};

}  // namespace

Matrix predict(const Network& network, std::span<const double> parameters, const Matrix& x) {
  Walk walk{network, parameters, false, 0, 0, false, {}, {}, {}};
  walk.go_forward(x);
  return walk.outputs.back();
}

Run run(const Network& network, std::span<const double> parameters, const Batch& batch, const Loss& loss_, Clip clip,
        std::uint64_t seed, Index step) {
  const Activation* last = activation_of(network.nodes().back().layer);
  const bool absorbed = last != nullptr && loss_.absorbs(*last);
  Walk walk{network, parameters, true, seed, step, absorbed, {}, {}, {}};
  walk.go_forward(batch.x);
  LossRows rows = loss(loss_, walk.outputs.back(), batch.y, absorbed || loss_.from_logits(), clip);
  if (batch.weights.size() > 0) {
    rows.values.array() *= batch.weights.array();
    rows.slopes.array().colwise() *= batch.weights.array();
  }
  const double rows_weigh = static_cast<double>(batch.x.rows()) * batch.mean_weight;
  const bool own = loss_.reduction() == Reduction::weighted_mean && batch.weights.size() > 0;
  const double divisor = loss_.reduction() == Reduction::sum ? 1 : own ? batch.weights.sum() : rows_weigh;
  const double mean = rows.values.sum() / divisor;
  const bool root = std::string_view(loss_.name()) == "rmse";
  walk.go_back(rows.slopes / divisor * (root ? 0.5 / std::sqrt(mean) : 1));
  return {walk.outputs.back(), rows.values, root ? std::sqrt(mean) : mean, walk.gradients};
}

}  // namespace laminar::reference
