// SPDX-License-Identifier: Apache-2.0
#include "laminar/model.hpp"

#include <algorithm>

#include "laminar/checks.hpp"
#include "laminar/error.hpp"
#include "laminar/inference.hpp"

namespace laminar {

template <typename T>
Model<T>::Model(Network network, std::uint64_t seed) : state_(std::make_unique<State<T>>(std::move(network), seed)) {}

template <typename T>
Model<T>::Model(std::unique_ptr<State<T>> state) : state_(std::move(state)) {
  if (state_->optimizer.has_value()) trainer_ = std::make_unique<Trainer<T>>(*state_, state_->optimizer->optimizer);
}

template <typename T>
void Model<T>::set_parameters(std::span<const T> values) {
  if (values.size() != parameters().size()) {
    fail("set_parameters: expected ", parameters().size(), " values (padding included), got ", values.size());
  }
  std::copy(values.begin(), values.end(), state_->parameters.data());
  state_->packed.refresh(state_->network, state_->parameters.data());
}

template <typename T>
std::span<const T> Model<T>::tensor(std::size_t i) const {
  const Tensor& tensor = state_->network.parameters()[i];
  return parameters().subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size));
}

template <typename T>
void Model<T>::compile(const Loss& loss, const Optimizer& optimizer, const std::vector<Metric>& metrics) {
  Objective objective(state_->network, loss, metrics);
  OptimizerState<T> optimizer_state(optimizer, state_->network.parameters());
  auto trainer = std::make_unique<Trainer<T>>(*state_, optimizer);
  state_->objective = std::move(objective);
  state_->optimizer = std::move(optimizer_state);
  state_->position.reset();
  state_->next_epoch = 0;
  state_->penalties_per_row = false;
  trainer_ = std::move(trainer);
}

template <typename T>
const Objective& Model<T>::objective(const char* operation) const {
  if (!state_->objective.has_value()) fail(operation, ": the model has no loss and optimizer yet; call compile first");
  return *state_->objective;
}

template <typename T>
const std::vector<std::string>& Model<T>::metric_names() const {
  return objective("metric_names").names;
}

template <typename T>
double Model<T>::learning_rate() const {
  objective("learning_rate");
  return state_->optimizer->learning_rate();
}

template <typename T>
void Model<T>::set_learning_rate(double rate) {
  objective("learning_rate");
  state_->optimizer->optimizer.set("learning_rate", rate);
}

template <typename T>
Index Model<T>::iterations() const {
  return state_->optimizer.has_value() ? state_->optimizer->iterations : 0;
}

template <typename T>
Index Model<T>::optimizer_parameters() const {
  if (!state_->optimizer.has_value()) return 0;
  Index trainable = 0;
  for (const Tensor& tensor : network().parameters().tensors()) trainable += tensor.trainable ? tensor.size : 0;
  return state_->optimizer->arrays() * trainable;
}

template <typename T>
History Model<T>::fit(const Dataset<T>& data, const FitOptions<T>& options) {
  check_dataset("fit", network(), objective("fit"), data);
  if (options.validation != nullptr)
    check_dataset("fit: validation_data", network(), objective("fit"), *options.validation);
  network().require_gradient();
  if (options.batch_size < 1) fail("fit: batch_size must be at least 1, got ", options.batch_size);
  if (options.memory_limit < 0) fail("fit: memory_limit must not be negative, got ", options.memory_limit);
  if (options.epochs < 0) fail("fit: epochs must not be negative, got ", options.epochs);
  if (options.initial_epoch < 0) fail("fit: initial_epoch must not be negative, got ", options.initial_epoch);
  return trainer_->fit(data, options);
}

template <typename T>
std::vector<double> Model<T>::train_on_batch(const Dataset<T>& data) {
  check_dataset("train_on_batch", network(), objective("train_on_batch"), data);
  network().require_gradient();
  return trainer_->train_on_batch(data);
}

template <typename T>
std::vector<double> Model<T>::evaluate(const Dataset<T>& data) const {
  check_dataset("evaluate", network(), objective("evaluate"), data);
  return laminar::evaluate(*state_, data);
}

template <typename T>
void Model<T>::predict(MatrixView<const T> x, MatrixView<T> out) const {
  check_input("predict", network(), x);
  if (out.rows != x.rows || out.columns != network().outputs()) {
    fail("predict: out must have shape (", x.rows, ", ", network().outputs(), "), got (", out.rows, ", ", out.columns,
         ")");
  }
  laminar::predict(*state_, x, out);
}

template <typename T>
double Model<T>::loss_and_gradients(const Dataset<T>& data, std::span<T> gradients) {
  check_dataset("loss_and_gradients", network(), objective("loss_and_gradients"), data);
  network().require_gradient();
  if (gradients.size() != parameters().size()) {
    fail("loss_and_gradients: gradients needs ", parameters().size(), " elements, got ", gradients.size());
  }
  return trainer_->loss_and_gradients(data, gradients);
}

template class Model<float>;
template class Model<double>;

}  // namespace laminar
