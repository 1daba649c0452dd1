// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/small.hpp"

#include <algorithm>
#include <limits>

#include "laminar/execution/compare.hpp"

namespace laminar {
namespace {

// Multiply-adds a step beyond which tiles and packed weights are taken.
constexpr Index kLargestStep = 16384;

}  // namespace

template <typename T>
bool SmallNetwork<T>::suits(const Network& network, const Objective& objective, Index rows) {
  if (network.parameters().count() * rows > kLargestStep || rows > kBlockRows) return false;
  const Goal& goal = objective.goals.front();
  if (objective.apart || objective.ignore_nan || goal.weight != 1) return false;
  if (goal.loss && goal.loss->own != nullptr) return false;
  if (objective.whole_batch()) return false;  // a step has no place where all losses are known
  if (!network.is_stack() || network.penalizes_activity()) return false;
  for (std::size_t i = 1; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    if (!node.trainable || !std::holds_alternative<Dense>(node.layer)) return false;
    const Activation& activation = std::get<Dense>(node.layer).activation;
    const bool absorbed = goal.absorbs_last && i + 1 == network.nodes().size();
    if (!absorbed && (activation.row_wise() || activation.keeps_input())) return false;
  }
  return true;
}

template <typename T>
Index SmallNetwork<T>::add(const Tensor& tensor, Index rows, Index columns) {
  const Index lanes = kernels_.lanes;
  const Place place{tensor.offset, size_, rows, columns, columns == 1 ? 1 : round_up(columns, lanes)};
  places_.push_back(place);
  size_ += round_up(rows * place.stride, lanes);
  return place.place;
}

template <typename T>
SmallNetwork<T>::SmallNetwork(const Network& network, const Objective& objective, Index rows)
    : goal_(objective.goals.front()),
      kernels_(kernels::kernels<T>()),
      rows_(std::max(rows, kRun)),
      features_(network.features()),
      activation_parameters_(network.nodes().size()),
      loss_parameters_(goal_.loss->values_as<T>()),
      inputs_(rows_ * padded_stride(network.features())),
      targets_(goal_.labels ? 0 : rows_ * padded_stride(network.outputs())),
      weights_(rows_),
      losses_(rows_),
      labels_(static_cast<std::size_t>(goal_.labels ? rows_ : 0)),
      scores_(goal_, rows_) {
  Index values = 0;
  Index largest = 0;
  for (std::size_t i = 1; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    const Dense& dense = std::get<Dense>(node.layer);
    const bool absorbed = goal_.absorbs_last && i + 1 == network.nodes().size();
    const Activation activation = absorbed ? Activation("linear") : dense.activation;
    activation_parameters_[i] = activation.values_as<T>();
    kernels::SmallLayer<T> layer;
    layer.in = network.nodes()[i - 1].width;
    layer.out = node.width;
    layer.width = layer.out == 1 ? 1 : round_up(layer.out, kernels_.lanes);
    layer.kernel = add(network.parameters()[node.tensors[0]], layer.in, layer.out);
    if (dense.use_bias) layer.bias = add(network.parameters()[node.tensors[1]], 1, layer.out);
    layer.stride = padded_stride(layer.out);
    layer.activation = activation.kernel();
    layer.plain = activation.is_linear();
    layer.activation_parameters = activation_parameters_[i].data();
    layers_.push_back(layer);
    values += 2 * rows_ * layer.stride;
    largest = std::max(largest, kernels_.packed_size(layer.out, layer.in));
  }
  parameters_ = AlignedBuffer<T>(size_);
  saved_parameters_ = AlignedBuffer<T>(size_);
  gradients_ = AlignedBuffer<T>(size_);
  scratch_ = AlignedBuffer<T>(largest);
  memory_ = AlignedBuffer<T>(values);
  T* free = memory_.data();
  for (kernels::SmallLayer<T>& layer : layers_) {
    layer.output = free;
    layer.delta = free + rows_ * layer.stride;
    free += 2 * rows_ * layer.stride;
  }

  step_.layers = layers_.data();
  step_.count = static_cast<int>(layers_.size());
  step_.parameters = parameters_.data();
  step_.gradients = gradients_.data();
  step_.scratch = scratch_.data();
  step_.loss.loss = goal_.loss->index();
  step_.loss.parameters = loss_parameters_.data();
  step_.loss.logits = goal_.on_logits();
  step_.loss.write_activation = goal_.absorbs_last && !goal_.metrics.empty();
  step_.loss.outputs = layers_.back().output;
  step_.loss.outputs_stride = layers_.back().stride;
  step_.loss.delta = layers_.back().delta;
  step_.loss.delta_stride = layers_.back().stride;
  step_.loss.losses = losses_.data();
  step_.loss.columns = network.outputs();
  step_.update.coefficients = coefficients_.data();
  step_.update.gradients = gradients_.data();
  step_.update.rows = 1;
  step_.update.columns = size_;
}

template <typename T>
void SmallNetwork<T>::spread(const T* flat, AlignedBuffer<T>& own) const {
  for (const Place& p : places_) {
    for (Index i = 0; i < p.rows; ++i) {
      std::copy_n(flat + p.offset + i * p.columns, p.columns, own.data() + p.place + i * p.stride);
    }
  }
}

template <typename T>
void SmallNetwork<T>::collect(const AlignedBuffer<T>& own, T* flat) const {
  for (const Place& p : places_) {
    for (Index i = 0; i < p.rows; ++i) {
      std::copy_n(own.data() + p.place + i * p.stride, p.columns, flat + p.offset + i * p.columns);
    }
  }
}

template <typename T>
void SmallNetwork<T>::load(const State<T>& state) {
  spread(state.parameters.data(), parameters_);
  if (!state.optimizer.has_value()) return;
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    if (state.optimizer->slots[s].size() == 0) continue;
    if (slots_[s].size() == 0) slots_[s] = saved_slots_[s] = AlignedBuffer<T>(size_);
    step_.update.slots[s] = slots_[s].data();
    spread(state.optimizer->slots[s].data(), slots_[s]);
  }
}

template <typename T>
void SmallNetwork<T>::save(State<T>& state) const {
  collect(parameters_, state.parameters.data());
  for (std::size_t s = 0; s < slots_.size(); ++s) {
    if (slots_[s].size() > 0) collect(slots_[s], state.optimizer->slots[s].data());
  }
}

// What pads a row may be NaN where an optimizer divides 0 by 0, so it does not count.
template <typename T>
bool SmallNetwork<T>::finite() const {
  if (kernels_.all_finite(parameters_.data(), size_)) return true;
  for (const Place& p : places_) {
    for (Index i = 0; i < p.rows; ++i) {
      if (!kernels_.all_finite(parameters_.data() + p.place + i * p.stride, p.columns)) return false;
    }
  }
  return true;
}

template <typename T>
void SmallNetwork<T>::gradients(T* out) const {
  collect(gradients_, out);
}

// Rows that follow each other are read in place, as far as the kernels read nothing past a row.
template <typename T>
bool SmallNetwork<T>::gather(const BatchRows<T>& batch) {
  const Dataset<T>& data = batch.data;
  const bool in_place = batch.order == nullptr || batch.count == 1;
  step_.inputs = in_place ? data.x.data + batch.row(0) * features_ : inputs_.data();
  step_.inputs_stride = in_place ? features_ : padded_stride(features_);
  if (!in_place) {
    kernels_.gather(data.x.data, features_, batch.order + batch.first, batch.count, inputs_.data(),
                    step_.inputs_stride);
  }
  return gather_targets(batch);
}

template <typename T>
bool SmallNetwork<T>::gather_targets(const BatchRows<T>& batch) {
  const Dataset<T>& data = batch.data;
  const Index first = batch.row(0);
  const bool in_place = batch.order == nullptr || batch.count == 1;
  const Index* order = in_place ? nullptr : batch.order + batch.first;
  kernels::LossRows<T>& loss = step_.loss;

  step_.rows = batch.count;
  loss.rows = batch.count;
  bool classes = true;
  if (!labels_.empty()) {
    loss.labels = labels_.data();
    for (Index i = 0; i < batch.count; ++i) {
      const std::int32_t label = data.y.labels[static_cast<std::size_t>(in_place ? first + i : order[i])];
      classes = classes && may_be_label(goal_, label, loss.columns);
      labels_[static_cast<std::size_t>(i)] = label;
    }
  } else {
    const MatrixView<const T>& y = data.y.values;
    const bool direct = in_place && y.columns == 1;
    loss.targets = direct ? y.data + first : targets_.data();
    loss.targets_stride = direct ? 1 : padded_stride(y.columns);
    if (!direct) {
      kernels_.gather(y.data + (in_place ? first * y.columns : 0), y.columns, order, batch.count, targets_.data(),
                      loss.targets_stride);
    }
  }
  if (data.sample_weight.empty()) {
    loss.weights = nullptr;
  } else {
    loss.weights = in_place ? data.sample_weight.data() + first : weights_.data();
    if (!in_place) {
      for (Index i = 0; i < batch.count; ++i) {
        weights_.data()[i] = data.sample_weight[static_cast<std::size_t>(order[i])];
      }
    }
  }
  return classes;
}

template <typename T>
double SmallNetwork<T>::step(const BatchRows<T>& batch, double divisor, const Optimizer* optimizer, Index iteration) {
  if (!gather(batch)) return std::numeric_limits<double>::quiet_NaN();
  step_.loss.scale = divisor > 0 ? static_cast<T>(1 / divisor) : T(0);
  step_.update.weights = nullptr;
  if (optimizer != nullptr) {
    optimizer->coefficients(iteration + 1, coefficients_.data());
    step_.update.optimizer = optimizer->index();
    step_.update.weights = parameters_.data();
  }
  return kernels_.small_step(step_);
}

template <typename T>
bool SmallNetwork<T>::run(const BatchRows<T>& rows, const Optimizer& optimizer, Index iteration) {
  if (!gather_targets(rows)) return false;
  const Index* order = rows.order != nullptr ? rows.order + rows.first : nullptr;
  step_.inputs = rows.data.x.data + (order != nullptr ? 0 : rows.first * features_);
  step_.inputs_stride = features_;
  const bool plain = rows.data.sample_weight.empty() && !goal_.ignored.has_value();
  const Index stride = optimizer.steady() ? 0 : kernels::kMaxCoefficients;
  for (Index i = 0; i < (stride > 0 ? rows.count : 1); ++i) {
    optimizer.coefficients(iteration + i + 1, coefficients_.data() + i * stride);
  }
  for (Index i = 0; i < rows.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    row_weights_[at] = 1;
    scales_[at] = 1;
    if (plain) continue;
    const BatchRows<T> row{rows.data, rows.order, rows.first + i, 1, rows.means, rows.own_weights};
    row_weights_[at] = row.weight(goal_);
    const double divisor = row.divisor(goal_, row_weights_[at]);
    scales_[at] = divisor > 0 ? static_cast<T>(1 / divisor) : T(0);
  }
  step_.update.optimizer = optimizer.index();
  step_.update.weights = parameters_.data();
  std::copy_n(parameters_.data(), size_, saved_parameters_.data());
  for (std::size_t s = 0; s < slots_.size(); ++s)
    std::copy_n(slots_[s].data(), slots_[s].size(), saved_slots_[s].data());
  kernels_.small_run({step_, order, scales_.data(), coefficients_.data(), stride});
  if (kernels_.all_finite(losses_.data(), rows.count)) return true;
  std::copy_n(saved_parameters_.data(), size_, parameters_.data());
  for (std::size_t s = 0; s < slots_.size(); ++s)
    std::copy_n(saved_slots_[s].data(), slots_[s].size(), slots_[s].data());
  return false;
}

template <typename T>
void SmallNetwork<T>::score(Scores& scores) {
  const kernels::LossRows<T>& loss = step_.loss;
  const MeasuredRows<T> rows{loss.outputs, loss.outputs_stride, loss.targets, loss.targets_stride,
                             loss.labels,  loss.rows,           loss.columns};
  scores_.look(goal_, rows, 0);
  scores_.measure(goal_, rows, 0);
  scores.fold(scores_, loss.weights, loss.rows);
}

template class SmallNetwork<float>;
template class SmallNetwork<double>;

}  // namespace laminar
