// SPDX-License-Identifier: Apache-2.0
// Prediction of one row from C++: laminar beside the loop over Eigen's products that a program would have
// without a library, and beside RTNeural's static model, where its folder is given. All must agree before a
// time is taken. At the end one row of a network larger than the nearer caches, beside plain reading of as
// many bytes: at best a row takes as long as its weights take to arrive.
#include <Eigen/Dense>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <string_view>

#include "laminar/laminar.hpp"
#include "turns.hpp"

#ifdef LAMINAR_BENCH_RTNEURAL
#include <RTNeural/RTNeural.h>
#endif

namespace {

using laminar::Index;
using rivals::Rival;

struct Layers {
  std::vector<Index> widths;
  const char* hidden;
  const char* last;
};

laminar::Model<float> model_of(const Layers& layers) {
  std::vector<laminar::Layer> dense;
  for (std::size_t i = 1; i < layers.widths.size(); ++i) {
    const bool last = i + 1 == layers.widths.size();
    dense.push_back(laminar::Dense{.units = layers.widths[i], .activation = last ? layers.last : layers.hidden});
  }
  return laminar::Model<float>(laminar::Network(layers.widths.front(), dense), 1);
}

/// What one writes with Eigen alone.
class Loop {
 public:
  Loop(const Layers& layers, const laminar::Model<float>& model) : layers_(layers) {
    for (std::size_t i = 1; i < layers.widths.size(); ++i) {
      // (in, out) by rows is (out, in) by columns
      kernels_.emplace_back(
          Eigen::Map<const Eigen::MatrixXf>(model.tensor(2 * i - 2).data(), layers.widths[i], layers.widths[i - 1]));
      biases_.emplace_back(Eigen::Map<const Eigen::VectorXf>(model.tensor(2 * i - 1).data(), layers.widths[i]));
      values_.emplace_back(layers.widths[i]);
    }
  }

  const Eigen::VectorXf& operator()(const Eigen::VectorXf& x) {
    for (std::size_t i = 0; i < kernels_.size(); ++i) {
      values_[i].noalias() = kernels_[i] * (i == 0 ? x : values_[i - 1]);
      values_[i] += biases_[i];
      activate(values_[i], i + 1 == kernels_.size() ? layers_.last : layers_.hidden);
    }
    return values_.back();
  }

 private:
  static void activate(Eigen::VectorXf& v, std::string_view how) {
    if (how == "relu") v = v.cwiseMax(0.0f);
    if (how == "tanh") v = v.array().tanh();
    if (how == "sigmoid") v = 1.0f / (1.0f + (-v.array()).exp());
    if (how == "softmax") {
      v = (v.array() - v.maxCoeff()).exp();
      v /= v.sum();
    }
  }

  Layers layers_;
  std::vector<Eigen::MatrixXf> kernels_;
  std::vector<Eigen::VectorXf> biases_;
  std::vector<Eigen::VectorXf> values_;
};

#ifdef LAMINAR_BENCH_RTNEURAL
template <typename Model, int... DenseLayers>
void give_weights(Model& model, const Layers& layers, const laminar::Model<float>& from,
                  std::integer_sequence<int, DenseLayers...>) {
  const auto give = [&](auto& dense, std::size_t i) {
    const auto kernel = from.tensor(2 * i);
    std::vector<std::vector<float>> rows(static_cast<std::size_t>(layers.widths[i + 1]));
    for (std::size_t out = 0; out < rows.size(); ++out) {
      for (std::size_t in = 0; in < static_cast<std::size_t>(layers.widths[i]); ++in) {
        rows[out].push_back(kernel[in * rows.size() + out]);
      }
    }
    dense.setWeights(rows);
    const auto bias = from.tensor(2 * i + 1);
    std::vector<float> values(bias.begin(), bias.end());
    dense.setBias(values.data());
  };
  (give(model.template get<2 * DenseLayers>(), DenseLayers), ...);
}

using RTNeural::DenseT;
using RTNeural::ModelT;
using RTNeural::ReLuActivationT;
using RTNeural::SigmoidActivationT;
using RTNeural::SoftmaxActivationT;
using RTNeural::TanhActivationT;
using Static17 = ModelT<float, 17, 6, DenseT<float, 17, 64>, TanhActivationT<float, 64>, DenseT<float, 64, 64>,
                        TanhActivationT<float, 64>, DenseT<float, 64, 6>, SoftmaxActivationT<float, 6>>;
using Static30 = ModelT<float, 30, 1, DenseT<float, 30, 128>, ReLuActivationT<float, 128>, DenseT<float, 128, 64>,
                        ReLuActivationT<float, 64>, DenseT<float, 64, 1>, SigmoidActivationT<float, 1>>;
using Static784 = ModelT<float, 784, 10, DenseT<float, 784, 128>, ReLuActivationT<float, 128>, DenseT<float, 128, 10>,
                         SoftmaxActivationT<float, 10>>;
#else
struct Static17;
struct Static30;
struct Static784;
#endif

Eigen::VectorXf normal(Index size) {
  std::mt19937 generator(7);
  std::normal_distribution<float> draw;
  return Eigen::VectorXf::NullaryExpr(size, [&] { return draw(generator); });
}

void require_same(const char* name, const Eigen::VectorXf& mine, const Eigen::VectorXf& theirs) {
  const float apart = (mine - theirs).cwiseAbs().maxCoeff();
  if (!(apart <= 1e-4f * mine.cwiseAbs().maxCoeff())) {
    std::fprintf(stderr, "%s: the outputs are up to %g apart\n", name, static_cast<double>(apart));
    std::exit(1);
  }
}

void print(const char* name, const std::vector<double>& seconds) {
  std::printf("| %s |", name);
  for (const double s : seconds) std::printf(" %.3g |", 1e6 * s);
  const double best = *std::min_element(seconds.begin() + 1, seconds.end());
  std::printf(" %.2f |\n", best / seconds.front());
}

template <typename Static, int DenseLayers>
void compare(const char* name, const Layers& layers) {
  const auto model = model_of(layers);
  const Eigen::VectorXf x = normal(layers.widths.front());
  Eigen::VectorXf out(layers.widths.back());
  const auto predict = [&] {
    model.predict({x.data(), 1, static_cast<Index>(x.size())}, {out.data(), 1, static_cast<Index>(out.size())});
  };
  Loop loop(layers, model);
  predict();
  require_same(name, out, loop(x));
  std::vector<Rival> all = {{"laminar",
                             [&](long n) {
                               while (n-- > 0) predict();
                             }},
                            {"Eigen", [&](long n) {
                               while (n-- > 0) loop(x);
                             }}};
#ifdef LAMINAR_BENCH_RTNEURAL
  const auto fixed = std::make_unique<Static>();
  give_weights(*fixed, layers, model, std::make_integer_sequence<int, DenseLayers>());
  fixed->forward(x.data());
  require_same(name, out, Eigen::Map<const Eigen::VectorXf>(fixed->getOutputs(), out.size()));
  all.push_back({"RTNeural", [&](long n) {
                   while (n-- > 0) fixed->forward(x.data());
                 }});
#endif
  print(name, rivals::take_turns(all));
}

/// A sum of floats in as many accumulators as keep the additions out of the way.
float read_all(const std::vector<float>& buffer) {
  using Line = Eigen::Array<float, 64, 1>;
  Line sum = Line::Zero();
  for (std::size_t i = 0; i + 64 <= buffer.size(); i += 64) sum += Eigen::Map<const Line>(&buffer[i]);
  return sum.sum();
}

void compare_with_reading() {
  const Layers layers{{1024, 2048, 2048, 1024}, "relu", "linear"};
  const auto model = model_of(layers);
  const Eigen::VectorXf x = normal(layers.widths.front());
  Eigen::VectorXf out(layers.widths.back());
  Loop loop(layers, model);
  const std::vector<float> buffer(model.parameters().size(), 1.0f);
  volatile float sink = 0;
  const std::vector<Rival> all = {{"laminar",
                                   [&](long n) {
                                     while (n-- > 0) model.predict({x.data(), 1, 1024}, {out.data(), 1, 1024});
                                   }},
                                  {"Eigen",
                                   [&](long n) {
                                     while (n-- > 0) loop(x);
                                   }},
                                  {"reading", [&](long n) {
                                     while (n-- > 0) sink = sink + read_all(buffer);
                                   }}};
  all.front().work(1);
  require_same("1024-2048-2048-1024", out, loop(x));
  const auto seconds = rivals::take_turns(all, 25, 0.03);
  const double gigabytes = 4e-9 * static_cast<double>(buffer.size());
  std::printf(
      "\n1024-2048-2048-1024: laminar %.0f us, Eigen %.0f us; reading its %.1f MB of weights %.0f us, %.1f GB/s; "
      "laminar's share of that %.0f %%\n",
      1e6 * seconds[0], 1e6 * seconds[1], 1e3 * gigabytes, 1e6 * seconds[2], gigabytes / seconds[2],
      100 * seconds[2] / seconds[0]);
}

}  // namespace

int main() {
  laminar::set_num_threads(1);
  std::printf("kernels: %s, Eigen: %s; microseconds a row, medians\n\n", laminar::build_info().isa.c_str(),
              Eigen::SimdInstructionSetsInUse());
#ifdef LAMINAR_BENCH_RTNEURAL
  std::printf("| network | laminar | Eigen loop | RTNeural | best other / laminar |\n|---|---|---|---|---|\n");
#else
  std::printf("| network | laminar | Eigen loop | Eigen loop / laminar |\n|---|---|---|---|\n");
#endif
  compare<Static17, 3>("17-64-64-6", {{17, 64, 64, 6}, "tanh", "softmax"});
  compare<Static30, 3>("30-128-64-1", {{30, 128, 64, 1}, "relu", "sigmoid"});
  compare<Static784, 2>("784-128-10", {{784, 128, 10}, "relu", "softmax"});
  compare_with_reading();
  return 0;
}
