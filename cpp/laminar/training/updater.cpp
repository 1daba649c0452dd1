// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/updater.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "laminar/base/error.hpp"
#include "laminar/catalogue/tensor_rules.hpp"
#include "laminar/training/excluded_tensors.hpp"

namespace laminar {
namespace {

// A chunk and its slots stay in the nearest cache through all that is done to it.
constexpr Index kChunk = 2048;

template <typename T>
double sum_of_squares(const T* values, Index size) {
  double sum = 0;
  for (Index i = 0; i < size; ++i) {
    const double value = static_cast<double>(values[i]);
    sum += value * value;
  }
  return sum;
}

}  // namespace

template <typename T>
struct Updater<T>::Step {
  const OptimizerState<T>& state;
  Index number;  // 1 for the first update
  double rate;
  double clipnorm;
  double clipvalue;
  T global_factor;
  T* parameters;
  T* gradients;
  std::array<T*, kernels::kMaxSlots> slots{};
  // With and without the weight decay that is part of the rule.
  std::array<T, kernels::kMaxCoefficients> with_decay{};
  std::array<T, kernels::kMaxCoefficients> without_decay{};
};

template <typename T>
Updater<T>::Updater(const ParameterLayout& layout, const Optimizer& optimizer) {
  optimizer.check();
  const std::vector<bool> excluded =
      excluded_from_weight_decay(optimizer.options.exclude_from_weight_decay, layout.tensors());
  for (const Tensor& tensor : layout.tensors()) {
    place_of_.push_back(places_.size());
    if (!tensor.trainable) continue;
    Place place{tensor, !excluded[place_of_.size() - 1], chunks_.size(), 0, {}};
    const bool by_rows = tensor.by_rows && optimizer.by_rows();
    for (Index at = 0; !by_rows && at < tensor.size; at += kChunk) {
      chunks_.push_back({places_.size(), tensor.offset + at, std::min(kChunk, tensor.size - at)});
    }
    place.chunks = chunks_.size() - place.chunk;
    if (optimizer.tensor_wise()) {
      place.scratch = AlignedBuffer<T>(tensor_rule<T>(optimizer).scratch(optimizer, tensor));
    }
    if (by_rows) by_rows_.push_back(places_.size());
    places_.push_back(std::move(place));
  }
  for (std::size_t i = 0; i < by_rows_.size(); ++i) {
    places_[by_rows_[i]].chunk = chunks_.size() + i;
    places_[by_rows_[i]].chunks = 1;
  }
  squares_.resize(chunks_.size() + by_rows_.size());
}

template <typename T>
double Updater<T>::decay_of(const Place& place, const Optimizer& optimizer) const {
  if (!place.decays) return 0;
  if (optimizer.options.has("weight_decay")) return optimizer.options.value("weight_decay");
  return optimizer.tensor_wise() ? tensor_rule<T>(optimizer).decay(optimizer, place.tensor) : 0;
}

// Scaled to the norm where that is exceeded: g = g c / max(|g|, c).
template <typename T>
T Updater<T>::clip_factor(const Step& step, std::size_t place) const {
  if (std::isnan(step.clipnorm)) return step.global_factor;
  const double* first = squares_.data() + places_[place].chunk;
  const double norm = std::sqrt(std::accumulate(first, first + places_[place].chunks, 0.0));
  return static_cast<T>(step.clipnorm / (norm <= step.clipnorm ? step.clipnorm : norm));
}

template <typename T>
void Updater<T>::accumulate(const Chunk& chunk, T* gradients, OptimizerState<T>& state, bool last) const {
  const T count = static_cast<T>(state.optimizer.options.accumulation());
  T* const sum = state.accumulated.data() + chunk.offset;
  T* const g = gradients + chunk.offset;
  for (Index i = 0; i < chunk.size; ++i) {
    sum[i] += g[i];
    if (!last) continue;
    g[i] = sum[i] / count;
    sum[i] = 0;
  }
}

template <typename T>
void Updater<T>::clip_and_update(std::size_t at, Index offset, Index size, T* g, const Step& step) const {
  const Optimizer& optimizer = step.state.optimizer;
  const Place& place = places_[at];
  T* const w = step.parameters + offset;
  const T factor = clip_factor(step, at);
  if (factor != 1) {
    for (Index i = 0; i < size; ++i) g[i] *= factor;
  }
  if (!std::isnan(step.clipvalue)) {
    const T bound = static_cast<T>(step.clipvalue);
    for (Index i = 0; i < size; ++i) g[i] = g[i] > bound ? bound : g[i] < -bound ? -bound : g[i];
  }
  // w -= lr decay w, before the rule
  if (const T share = static_cast<T>(decay_of(place, optimizer) * step.rate); share != 0) {
    for (Index i = 0; i < size; ++i) w[i] -= share * w[i];
  }
  if (optimizer.tensor_wise()) return;
  kernels::Update<T> update;
  update.optimizer = optimizer.index();
  update.coefficients = (place.decays ? step.with_decay : step.without_decay).data();
  update.weights = w;
  for (std::size_t s = 0; s < step.slots.size(); ++s) {
    update.slots[s] = step.slots[s] == nullptr ? nullptr : step.slots[s] + offset;
  }
  update.gradients = g;
  update.rows = 1;
  update.columns = size;
  kernels::kernels<T>().update(update);
}

template <typename T>
void Updater<T>::update_rows(TableRows<T>& table, const Step& step, const Team& team) const {
  const std::size_t place = place_of_[table.tensor()];
  const Team::Share share = team.share(table.count());
  for (Index i = share.begin; i < share.end; ++i) {
    clip_and_update(place, table.offset(i), table.width(), table.gradient(i), step);
  }
}

// As in Keras: after every batch, a copy of the weights until the first update was made.
template <typename T>
void Updater<T>::average(const Chunk& chunk, T* parameters, OptimizerState<T>& state) const {
  const OptimizerOptions& options = state.optimizer.options;
  const T memory = static_cast<T>(state.iterations == 0 ? 0 : options.value("ema_momentum"));
  const bool overwrite = options.has("ema_overwrite_frequency") &&
                         (state.iterations + 1) % static_cast<Index>(options.value("ema_overwrite_frequency")) == 0;
  T* const w = parameters + chunk.offset;
  T* const mean = state.average.data() + chunk.offset;
  for (Index i = 0; i < chunk.size; ++i) {
    mean[i] = memory * mean[i] + (1 - memory) * w[i];
    if (overwrite) w[i] = mean[i];
  }
}

template <typename T>
bool Updater<T>::apply(std::span<T> parameters, std::span<T> gradients, OptimizerState<T>& state, const Team& team,
                       TableGradients<T>* tables) {
  const Optimizer& optimizer = state.optimizer;
  const OptimizerOptions& options = optimizer.options;
  const bool updates = state.waiting + 1 == options.accumulation();
  const Team::Share share = team.share(static_cast<Index>(chunks_.size()));
  const auto for_each_chunk = [&](const auto& work) {
    for (Index c = share.begin; c < share.end; ++c) work(chunks_[static_cast<std::size_t>(c)]);
  };

  if (state.accumulated.size() > 0) {
    for_each_chunk([&](const Chunk& chunk) { accumulate(chunk, gradients.data(), state, updates); });
  }
  if (updates) {
    Step step{state, state.iterations + 1, state.learning_rate(), options.value("clipnorm"), options.value("clipvalue"),
              T(1),  parameters.data(),    gradients.data()};
    optimizer.coefficients(step.number, step.rate, true, step.with_decay.data());
    optimizer.coefficients(step.number, step.rate, false, step.without_decay.data());
    for (std::size_t s = 0; s < step.slots.size(); ++s) {
      step.slots[s] = state.slots[s].size() > 0 ? state.slots[s].data() : nullptr;
    }
    if (options.has("clipnorm") || options.has("global_clipnorm")) {
      for (Index c = share.begin; c < share.end; ++c) {
        const Chunk& chunk = chunks_[static_cast<std::size_t>(c)];
        squares_[static_cast<std::size_t>(c)] = sum_of_squares(gradients.data() + chunk.offset, chunk.size);
      }
      if (tables != nullptr) {
        const Team::Share own = team.share(static_cast<Index>(tables->tables().size()));
        for (Index t = own.begin; t < own.end; ++t) {
          TableRows<T>& table = tables->tables()[static_cast<std::size_t>(t)];
          squares_[places_[place_of_[table.tensor()]].chunk] =
              sum_of_squares(table.gradient(0), table.count() * table.width());
        }
      }
      team.barrier();
    }
    if (options.has("global_clipnorm")) {
      const double norm = std::sqrt(std::accumulate(squares_.begin(), squares_.end(), 0.0));
      const double bound = options.value("global_clipnorm");
      step.global_factor = static_cast<T>(bound / (norm <= bound ? bound : norm));
    }
    for_each_chunk([&](const Chunk& chunk) {
      clip_and_update(chunk.place, chunk.offset, chunk.size, gradients.data() + chunk.offset, step);
    });
    if (tables != nullptr) {
      for (TableRows<T>& table : tables->tables()) update_rows(table, step, team);
    }
    if (optimizer.tensor_wise()) {
      team.barrier();
      const TensorRule<T>& rule = tensor_rule<T>(optimizer);
      const Team::Share tensors = team.share(static_cast<Index>(places_.size()));
      for (Index p = tensors.begin; p < tensors.end; ++p) {
        Place& place = places_[static_cast<std::size_t>(p)];
        const Index offset = place.tensor.offset;
        rule.update({optimizer,
                     place.tensor,
                     step.number,
                     step.rate,
                     step.parameters + offset,
                     step.gradients + offset,
                     {step.slots[0] + offset, step.slots[1] + offset},
                     place.scratch.data()});
      }
      team.barrier();
    }
  }
  if (state.average.size() > 0) {
    for_each_chunk([&](const Chunk& chunk) { average(chunk, parameters.data(), state); });
  }
  team.barrier();
  if (team.rank() == 0) {
    state.waiting = updates ? 0 : state.waiting + 1;
    state.iterations += updates ? 1 : 0;
  }
  team.barrier();
  return updates || state.average.size() > 0;
}

template <typename T>
bool Updater<T>::finalize(std::span<T> parameters, const OptimizerState<T>& state) const {
  if (state.average.size() == 0 || state.batches() == 0) return false;
  for (const Chunk& chunk : chunks_) {
    std::copy_n(state.average.data() + chunk.offset, chunk.size, parameters.data() + chunk.offset);
  }
  return true;
}

template class Updater<float>;
template class Updater<double>;

}  // namespace laminar
