// SPDX-License-Identifier: Apache-2.0
// Training steps of laminar beside dlib's, four cases of bench/peers/cases.py on one thread. Both start from
// the same weights; the losses of what they have reached after 20 steps must agree before a time is taken.
#include <dlib/dnn.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string_view>

#include "laminar/laminar.hpp"
#include "turns.hpp"

namespace {

using laminar::Index;

constexpr Index kSteps = 20;  // an epoch
constexpr double kRate = 1e-3;

struct Case {
  const char* name;
  std::vector<Index> widths;
  const char* activation;
  Index batch;
  bool binary;
};

struct Data {
  explicit Data(const Case& c) : rows(c.batch * kSteps) {
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    const Index features = c.widths.front();
    const Index classes = c.widths.back();
    for (Index i = 0; i < rows * features; ++i) x.push_back(normal(generator));
    for (Index row = 0; row < rows; ++row) {
      // The class is the largest of the first inputs, or the sign of their difference.
      const float* first = &x[static_cast<std::size_t>(row * features)];
      labels.push_back(static_cast<std::int32_t>(std::max_element(first, first + classes) - first));
      signs.push_back(first[0] > first[1] ? 1.0f : 0.0f);
    }
    set.x = {x.data(), rows, features};
    if (c.binary) {
      set.y = laminar::MatrixView<const float>(signs.data(), rows, 1);
    } else {
      set.y = std::span<const std::int32_t>(labels);
    }
  }

  Index rows;
  std::vector<float> x;
  std::vector<std::int32_t> labels;
  std::vector<float> signs;
  laminar::Dataset<float> set;
};

laminar::Model<float> model_of(const Case& c) {
  std::vector<laminar::Layer> layers;
  for (std::size_t i = 1; i < c.widths.size(); ++i) {
    const bool last = i + 1 == c.widths.size();
    layers.push_back(
        laminar::Dense{.units = c.widths[i], .activation = last ? (c.binary ? "sigmoid" : "softmax") : c.activation});
  }
  laminar::Model<float> model(laminar::Network(c.widths.front(), layers), 1);
  model.compile(c.binary ? "binary_crossentropy" : "sparse_categorical_crossentropy", "adam");
  return model;
}

/// A network of dlib's with `dense` layers, each but the last followed by an activation.
template <typename Net, std::size_t dense>
class Dlib {
 public:
  Dlib(const Case& c, const Data& data, const laminar::Model<float>& start) {
    const auto features = static_cast<std::size_t>(c.widths.front());
    for (Index step = 0; step < kSteps; ++step) {
      std::vector<dlib::matrix<float>> rows;
      labels_.emplace_back();
      for (Index i = step * c.batch; i < (step + 1) * c.batch; ++i) {
        const auto row = static_cast<std::size_t>(i);
        rows.push_back(dlib::mat(&data.x[row * features], c.widths.front(), 1));
        if constexpr (std::is_same_v<Label, float>) {
          labels_.back().push_back(data.signs[row] > 0 ? 1.0f : -1.0f);
        } else {
          labels_.back().push_back(static_cast<Label>(data.labels[row]));
        }
      }
      net_.to_tensor(rows.begin(), rows.end(), batches_.emplace_back());
    }
    net_.forward(batches_.front());  // which allocates the weights
    copy(
        std::make_index_sequence<dense>(),
        [&](std::size_t i, float* kernel, float* bias) {
          std::ranges::copy(start.tensor(2 * i), kernel);
          std::ranges::copy(start.tensor(2 * i + 1), bias);
        },
        start);
    solvers_.assign(net_.num_computational_layers, dlib::adam(0, 0.9f, 0.999f));
  }

  void epoch() {
    for (std::size_t step = 0; step < batches_.size(); ++step) {
      net_.compute_parameter_gradients(batches_[step], labels_[step].begin());
      net_.update_parameters(dlib::make_sstack(solvers_), kRate);
    }
  }

  /// The weights in the layout of the model's.
  std::vector<float> weights(const laminar::Model<float>& like) {
    std::vector<float> all(like.parameters().begin(), like.parameters().end());
    copy(
        std::make_index_sequence<dense>(),
        [&](std::size_t i, const float* kernel, const float* bias) {
          const auto place = [&](std::size_t tensor) {
            return all.begin() + (like.tensor(tensor).data() - like.parameters().data());
          };
          std::copy_n(kernel, like.tensor(2 * i).size(), place(2 * i));
          std::copy_n(bias, like.tensor(2 * i + 1).size(), place(2 * i + 1));
        },
        like);
    return all;
  }

 private:
  using Label = typename Net::training_label_type;

  /// Calls use(i, kernel, bias) for each dense layer; layer 0 of dlib's is the loss, its last one the input.
  template <std::size_t... I, typename Use>
  void copy(std::index_sequence<I...>, const Use& use, const laminar::Model<float>& like) {
    const auto one = [&](std::size_t i, auto& layer) {
      float* const values = layer.layer_details().get_layer_params().host();
      use(i, values, values + like.tensor(2 * i).size());
    };
    (one(I, dlib::layer<1 + 2 * (dense - 1 - I)>(net_)), ...);
  }

  Net net_;
  std::vector<dlib::resizable_tensor> batches_;
  std::vector<std::vector<Label>> labels_;
  std::vector<dlib::adam> solvers_;
};

template <typename Net, std::size_t dense>
void compare(const Case& c) {
  const Data data(c);
  auto model = model_of(c);
  Dlib<Net, dense> theirs(c, data, model);
  const double before = model.evaluate(data.set).front();
  const auto fit = [&](Index epochs) {
    model.fit(data.set, {.batch_size = c.batch, .epochs = epochs, .shuffle = false});
  };
  fit(1);
  theirs.epoch();
  auto reached = model_of(c);
  reached.set_parameters(theirs.weights(model));
  const double mine = model.evaluate(data.set).front();
  const double other = reached.evaluate(data.set).front();
  if (!(std::abs(mine - other) <= 1e-3 * std::abs(before - mine))) {
    std::fprintf(stderr, "%s: from a loss of %g laminar has come to %g, dlib to %g\n", c.name, before, mine, other);
    std::exit(1);
  }
  const std::vector<rivals::Rival> all = {{"laminar", [&](long n) { fit(n); }}, {"dlib", [&](long n) {
                                                                                   while (n-- > 0) theirs.epoch();
                                                                                 }}};
  const auto seconds = rivals::take_turns(all, 9, 0.1);
  std::printf("| %s, batch %td | %.4g | %.4g | %.2f |\n", c.name, c.batch, 1e6 * seconds[0] / kSteps,
              1e6 * seconds[1] / kSteps, seconds[1] / seconds[0]);
  std::fflush(stdout);
}

template <long units, typename Below>
using Tanh = dlib::htan<dlib::fc<units, Below>>;
template <long units, typename Below>
using Relu = dlib::relu<dlib::fc<units, Below>>;
using Input = dlib::input<dlib::matrix<float>>;

}  // namespace

int main() {
  laminar::set_num_threads(1);
  std::printf("kernels: %s; Adam; microseconds a step, medians\n\n", laminar::build_info().isa.c_str());
  std::printf("| case | laminar | dlib | dlib / laminar |\n|---|---|---|---|\n");
  compare<dlib::loss_multiclass_log<dlib::fc<6, Tanh<64, Tanh<64, Input>>>>, 3>(
      {"17-64-64-6", {17, 64, 64, 6}, "tanh", 64, false});
  compare<dlib::loss_binary_log<dlib::fc<1, Relu<64, Relu<128, Input>>>>, 3>(
      {"30-128-64-1", {30, 128, 64, 1}, "relu", 32, true});
  compare<dlib::loss_multiclass_log<dlib::fc<10, Relu<128, Input>>>, 2>(
      {"784-128-10", {784, 128, 10}, "relu", 128, false});
  compare<dlib::loss_multiclass_log<dlib::fc<10, Relu<512, Relu<512, Input>>>>, 3>(
      {"784-512-512-10", {784, 512, 512, 10}, "relu", 128, false});
  return 0;
}
