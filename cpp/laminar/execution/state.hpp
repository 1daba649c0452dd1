// SPDX-License-Identifier: Apache-2.0
// Everything that training changes, and what it needs to go on exactly where it stopped.
#pragma once

#include <optional>

#include "laminar/execution/dense_chain.hpp"
#include "laminar/execution/optimizer_state.hpp"
#include "laminar/execution/packed.hpp"
#include "laminar/execution/plan.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// What the rows of an epoch add up to so far in one goal.
struct LossSum {
  double weight = 0;  // of these rows
  double loss = 0;    // sum over them
};

/// Where training stands inside an epoch, and what its rows so far add up to.
struct EpochPosition {
  Index batches = 0;     // done
  Index rows = 0;        // of the data, all of them
  Index batch_size = 0;  // 0 where each batch has a size of its own
  bool shuffle = true;
  Index block_rows = 0;  // of a source that is read in blocks, and its parts; else 0
  Index parts = 0;       // … or the batches of an epoch, where each has a size of its own and they are known
  Index rows_seen = 0;
  std::vector<LossSum> sums = {};                // one a goal
  double penalties = 0;                          // of the batches, times their weights
  std::vector<std::vector<double>> scores = {};  // states of the metrics, goal by goal
};

/// A network, its weights, and once it is compiled its objective and its optimizer.
template <typename T>
struct State {
  /// With weights drawn from the seed.
  State(Network network_, std::uint64_t seed_, ProductPrecision precision_ = ProductPrecision::full)
      : State(std::move(network_), seed_, precision_,
              [this](AlignedBuffer<T>& to) { initialize(network.parameters(), seed, to); }) {}
  /// With weights that `fill` writes.
  template <typename Fill>
  State(Network network_, std::uint64_t seed_, ProductPrecision precision_, const Fill& fill)
      : network(std::move(network_)),
        seed(seed_),
        precision(precision_),
        parameters(network.parameters().size()),
        packed(network, precision),
        inference_plan(network, kBlockRows, Mode::inference, precision),
        chain(network, inference_plan) {
    fill(parameters);
    packed.refresh(network, parameters.data());
  }

  /// What weights are rounded to since they were.
  Quantization quantization() const { return packed.quantized().quantization; }
  /// Whether there are optimizer states, gradients and all that training needs.
  bool for_inference() const { return quantization() != Quantization::none; }
  /// Takes weights that are rounded so; `values` are all parameters, before they are.
  void take(QuantizedWeights quantized, std::span<const T> values) {
    if constexpr (sizeof(T) == sizeof(float)) {
      packed = PackedWeights<T>(network, precision, std::move(quantized));
      if (values.data() != parameters.data()) std::copy(values.begin(), values.end(), parameters.data());
      packed.quantized().round(network, parameters.data());
      packed.refresh(network, parameters.data());
    }
  }

  Network network;
  std::uint64_t seed;
  ProductPrecision precision;
  AlignedBuffer<T> parameters;
  PackedWeights<T> packed;
  Plan inference_plan;
  DenseChain<T> chain;
  Index epochs = 0;                       // seen so far: the shuffle of the next one is drawn with this number
  Index next_epoch = 0;                   // the number that fit gives to the epoch that comes next, or is going on
  std::optional<EpochPosition> position;  // inside an epoch
  /// Penalties on weights are divided by the sum of the weights of a batch's rows, as scikit-learn has
  /// them.
  bool penalties_per_row = false;
  std::optional<Objective> objective;
  std::optional<OptimizerState<T>> optimizer;
};

}  // namespace laminar
