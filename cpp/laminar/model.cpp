// SPDX-License-Identifier: Apache-2.0
#include "laminar/model.hpp"

#include <algorithm>

#include "laminar/checks.hpp"
#include "laminar/error.hpp"
#include "laminar/inference.hpp"

namespace laminar {

template <typename T>
Model<T>::Model(Network network, std::uint64_t seed, ProductPrecision precision)
    : state_(std::make_unique<State<T>>(std::move(network), seed, precision)) {}

template <typename T>
Model<T>::Model(std::unique_ptr<State<T>> state) : state_(std::move(state)) {
  if (state_ == nullptr) fail("Model: state must not be null");
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
  const std::vector<Tensor>& tensors = state_->network.parameters().tensors();
  if (i >= tensors.size()) fail("tensor: i must be less than the ", tensors.size(), " tensors, got ", i);
  const Tensor& tensor = tensors[i];
  return parameters().subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size));
}

template <typename T>
void Model<T>::set_layer(std::size_t node, Layer layer) {
  state_->network.replace(node, std::move(layer));
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
void Model<T>::check_options(const FitOptions<T>& options) const {
  network().require_gradient();
  if (options.batch_size < 1) fail("fit: batch_size must be at least 1, got ", options.batch_size);
  if (options.memory_limit < 0) fail("fit: memory_limit must not be negative, got ", options.memory_limit);
  if (options.buffer_size < 1) fail("fit: buffer_size must be positive, got ", options.buffer_size);
  if (options.validation_buffer_size < 1) {
    fail("fit: validation_buffer_size must be positive, got ", options.validation_buffer_size);
  }
  if (options.epochs < 0) fail("fit: epochs must not be negative, got ", options.epochs);
  if (options.initial_epoch < 0) fail("fit: initial_epoch must not be negative, got ", options.initial_epoch);
  if (options.validation != nullptr && options.validation_source != nullptr) {
    fail("fit: validation must be a data set or a source, got both");
  }
}

template <typename T>
std::unique_ptr<RowBlocks<T>> Model<T>::blocks(const char* operation, RowSource<T>& source, Index batch_size,
                                               Index buffer_size) const {
  const Objective& objective = this->objective(operation);
  const Index outputs = objective.loss.class_labels() ? 0 : network().outputs();
  if (source.features() != network().features()) {
    fail(operation, ": the source has ", source.features(), " features, the network takes ", network().features());
  }
  if (source.outputs() != outputs) {
    const auto told = [](Index values) {
      return values == 0 ? std::string("class numbers") : "rows of " + std::to_string(values) + " values";
    };
    fail(operation, ": the loss '", objective.loss.name(), "' takes ", told(outputs), " as y, the source has ",
         told(source.outputs()));
  }
  const auto check = [this, operation, &objective](const Dataset<T>& rows) {
    check_rows(operation, network(), objective, rows);
  };
  try {
    return std::make_unique<RowBlocks<T>>(source, check, batch_size, buffer_size);
  } catch (const std::invalid_argument& error) {
    fail(operation, ": ", error.what());
  }
}

template <typename T>
History Model<T>::fit(const Dataset<T>& data, const FitOptions<T>& options) {
  check_dataset("fit", network(), objective("fit"), data);
  check_options(options);
  RowBlocks<T> rows(data);
  return fit(rows, options);
}

template <typename T>
History Model<T>::fit(RowSource<T>& source, const FitOptions<T>& options) {
  objective("fit");
  check_options(options);
  if (options.validation_source == &source) fail("fit: validation_source must be another object than is trained on");
  return fit(*blocks("fit", source, options.batch_size, options.buffer_size), options);
}

template <typename T>
History Model<T>::fit(RowBlocks<T>& rows, const FitOptions<T>& options) {
  constexpr const char* operation = "fit: validation_data";
  std::unique_ptr<RowBlocks<T>> validation;
  if (options.validation != nullptr) {
    check_dataset(operation, network(), objective("fit"), *options.validation);
    validation = std::make_unique<RowBlocks<T>>(*options.validation);
  }
  if (options.validation_source != nullptr) {
    validation = blocks(operation, *options.validation_source, 1, options.validation_buffer_size);
  }
  return trainer_->fit(rows, validation.get(), options);
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
std::vector<double> Model<T>::evaluate(RowSource<T>& source, Index buffer_size,
                                       const std::function<bool()>& stop) const {
  return laminar::evaluate(*state_, *blocks("evaluate", source, 1, buffer_size), stop);
}

template <typename T>
void Model<T>::predict(MatrixView<const T> x, MatrixView<T> out) const {
  check_input("predict", network(), x);
  if (out.rows != x.rows || out.columns != network().outputs()) {
    fail("predict: out must have shape (", x.rows, ", ", network().outputs(), "), got (", out.rows, ", ", out.columns,
         ")");
  }
  if (out.data == nullptr) fail("predict: out must not be null");
  laminar::predict(*state_, x, out);
}

template <typename T>
double Model<T>::loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight) {
  check_dataset("loss_and_gradients", network(), objective("loss_and_gradients"), data);
  network().require_gradient();
  if (gradients.size() != parameters().size()) {
    fail("loss_and_gradients: gradients needs ", parameters().size(), " elements, got ", gradients.size());
  }
  return trainer_->loss_and_gradients(data, gradients, by_weight);
}

template class Model<float>;
template class Model<double>;

}  // namespace laminar
