// SPDX-License-Identifier: Apache-2.0
// Everything that training changes, and what it needs to go on exactly where it stopped.
#pragma once

#include <optional>

#include "laminar/objective.hpp"
#include "laminar/optimizer_state.hpp"
#include "laminar/packed.hpp"
#include "laminar/plan.hpp"

namespace laminar {

template <typename T>
struct State {
  State(Network network_, std::uint64_t seed_)
      : network(std::move(network_)),
        seed(seed_),
        parameters(network.parameters().size()),
        packed(network),
        inference_plan(network, kBlockRows, Mode::inference) {
    initialize(network.parameters(), seed, parameters);
    packed.refresh(network, parameters.data());
  }

  Network network;
  std::uint64_t seed;
  AlignedBuffer<T> parameters;
  PackedWeights<T> packed;
  Plan inference_plan;
  Index epochs = 0;  // seen so far: the shuffle of the next one is drawn with this number
  std::optional<Objective> objective;
  std::optional<OptimizerState<T>> optimizer;
};

}  // namespace laminar
