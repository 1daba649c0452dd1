// SPDX-License-Identifier: Apache-2.0
#include "laminar/model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "laminar/base/error.hpp"
#include "laminar/data/checks.hpp"
#include "laminar/execution/inference.hpp"
#include "laminar/execution/vjp.hpp"
#include "laminar/training/loss_gradients.hpp"
#include "laminar/training/trainer.hpp"

namespace laminar {

/// What works with the model holds this, wherever the model goes meanwhile.
template <typename T>
struct Model<T>::Core {
  std::unique_ptr<State<T>> state;  // the trainer refers to it, so it stays where it is
  std::unique_ptr<Trainer<T>> trainer;
  Stage stage = Stage::idle;

  /// The state with all that training has done; any thread that may look at the model may ask.
  const State<T>& settled() {
    if (trainer != nullptr && trainer->ahead()) {
      const std::lock_guard<std::mutex> lock(mutex_);
      trainer->settle();
    }
    return *state;
  }
  /// Calls change(state), which changes what updates go on from.
  template <typename Change>
  void change(const Change& change) {
    settled();
    change(*state);
    if (trainer != nullptr) trainer->changed();
  }

  void set_parameters(std::span<const T> values);
  double loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight);

  /// Memory for loss_and_gradients, kept for the next call. Who finds it taken makes some for himself.
  std::unique_ptr<LossGradients<T>> exchange(std::unique_ptr<LossGradients<T>> other = nullptr) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::swap(spare_, other);
    return other;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<LossGradients<T>> spare_;
};

template <typename T>
Model<T>::Model(Network network, std::uint64_t seed, ProductPrecision precision)
    : Model(std::make_unique<State<T>>(std::move(network), seed, precision)) {}

template <typename T>
Model<T>::Model(std::unique_ptr<State<T>> state) : core_(std::make_shared<Core>()) {
  if (state == nullptr) fail("Model: state must not be null");
  core_->state = std::move(state);
  const std::optional<OptimizerState<T>>& optimizer = core_->state->optimizer;
  if (optimizer.has_value() && !core_->state->for_inference())
    core_->trainer = std::make_unique<Trainer<T>>(*core_->state, optimizer->optimizer);
}

template <typename T>
const State<T>& Model<T>::state() const {
  return core_->settled();
}

template <typename T>
const State<T>& Model<T>::facts() const {
  return *core_->state;
}

template <typename T>
const Network& Model<T>::network() const {
  return facts().network;
}

template <typename T>
std::uint64_t Model<T>::seed() const {
  return facts().seed;
}

template <typename T>
ProductPrecision Model<T>::precision() const {
  return facts().precision;
}

template <typename T>
std::span<const T> Model<T>::parameters() const {
  return state().parameters.span();
}

template <typename T>
Quantization Model<T>::quantization() const {
  return facts().quantization();
}

template <typename T>
void Model<T>::quantize(Quantization quantization) {
  require(Stage::idle, "quantize");
  if (quantization == Quantization::none) fail("quantize: quantization must be bfloat16 or int8, got none");
  if (sizeof(T) != sizeof(float))
    fail("quantize: the weights of a model of float64 stay as they are; make one of float32");
  if (facts().for_inference()) {
    throw std::logic_error(
        std::string("quantize: the model's weights are ").append(name_of(facts().quantization())).append(" already"));
  }
  const std::vector<Scaled> scaled = rounded_tensors(network());
  if (std::all_of(scaled.begin(), scaled.end(), [](Scaled each) { return each == Scaled::not_rounded; })) {
    fail("quantize: no layer of the model multiplies by weights or has a table, so there is nothing to round");
  }
  core_->settled();
  State<T>& state = *core_->state;
  if constexpr (sizeof(T) == sizeof(float)) {
    state.take(QuantizedWeights::of(state.network, quantization, state.parameters.data()), state.parameters.span());
  }
  core_->exchange();
  core_->trainer.reset();
  state.position.reset();
  if (state.optimizer.has_value()) state.optimizer->forget();
}

template <typename T>
bool Model<T>::compiled() const {
  return facts().objective.has_value();
}

template <typename T>
bool Model<T>::penalties_per_row() const {
  return facts().penalties_per_row;
}

template <typename T>
Model<T>::Training::Training(Model& model, const char* operation) : core_(model.core_) {
  model.require(Stage::idle, operation);
  model.require_training(operation);
  core_->stage = Stage::running;
}

template <typename T>
Model<T>::Training::~Training() {
  core_->stage = Stage::idle;
}

template <typename T>
const State<T>& Model<T>::Training::state() const {
  return core_->settled();
}

template <typename T>
void Model<T>::Training::set_parameters(std::span<const T> values) {
  core_->set_parameters(values);
}

template <typename T>
double Model<T>::Training::loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight) {
  return core_->loss_and_gradients(data, gradients, by_weight);
}

template <typename T>
Model<T>::Between::Between(Core& core_) : core(core_) {
  core.stage = Stage::between;
}

template <typename T>
Model<T>::Between::~Between() {
  core.stage = Stage::running;
}

template <typename T>
void Model<T>::require(Stage latest, const char* operation) const {
  if (core_->stage <= latest) return;
  const char* instead = latest == Stage::between ? "; on_batch and on_epoch may do this, poll may not" : "";
  throw std::logic_error(std::string(operation).append(": the model is being trained").append(instead));
}

template <typename T>
void Model<T>::require_training(const char* operation) const {
  if (!facts().for_inference()) return;
  throw std::logic_error(std::string(operation)
                             .append(": the model's weights are ")
                             .append(name_of(facts().quantization()))
                             .append(" since quantize, for inference alone; train the model before, or a copy of it"));
}

template <typename T>
void Model<T>::Core::set_parameters(std::span<const T> values) {
  const auto size = static_cast<std::size_t>(state->parameters.size());
  if (values.size() != size) {
    fail("set_parameters: expected ", size, " values (padding included), got ", values.size());
  }
  change([&](State<T>& changed) {
    if constexpr (sizeof(T) == sizeof(float)) {
      if (changed.for_inference()) {
        changed.take(QuantizedWeights::of(changed.network, changed.quantization(), values.data(),
                                          &changed.packed.quantized(), changed.parameters.data()),
                     values);
        return;
      }
    }
    std::copy(values.begin(), values.end(), changed.parameters.data());
    changed.packed.refresh(changed.network, changed.parameters.data());
  });
}

template <typename T>
void Model<T>::set_parameters(std::span<const T> values) {
  require(Stage::between, "set_parameters");
  core_->set_parameters(values);
}

template <typename T>
void Model<T>::change_parameters(const std::function<void(std::span<T>)>& change) {
  require(Stage::between, "change_parameters");
  if (facts().for_inference()) {  // they are rounded on their way in
    const std::span<const T> now = parameters();
    std::vector<T> values(now.begin(), now.end());
    change(values);
    return core_->set_parameters(values);
  }
  core_->change([&](State<T>& changed) {
    change(changed.parameters.span());
    changed.packed.refresh(changed.network, changed.parameters.data());
  });
}

template <typename T>
std::span<const T> Model<T>::tensor(std::size_t i) const {
  const std::vector<Tensor>& tensors = facts().network.parameters().tensors();
  if (i >= tensors.size()) fail("tensor: i must be less than the ", tensors.size(), " tensors, got ", i);
  const Tensor& tensor = tensors[i];
  return parameters().subspan(static_cast<std::size_t>(tensor.offset), static_cast<std::size_t>(tensor.size));
}

template <typename T>
void Model<T>::set_layer(std::size_t node, Layer layer) {
  require(Stage::between, "set_layer");
  core_->change([&](State<T>& state) { state.network.replace(node, std::move(layer)); });
}

template <typename T>
void Model<T>::compile(const Loss& loss, const Optimizer& optimizer, const std::vector<Metric>& metrics,
                       bool ignore_nan) {
  compile(std::vector<Head>{{.loss = loss, .metrics = metrics}}, optimizer, ignore_nan);
}

template <typename T>
void Model<T>::compile(const std::vector<Head>& heads, const Optimizer& optimizer, bool ignore_nan) {
  require(Stage::idle, "compile");
  State<T>& state = *core_->state;
  Objective objective(state.network, heads, ignore_nan);
  for (const Goal& goal : objective.goals) {
    if (!objective.apart || !goal.labels) continue;
    constexpr Index most = Index{1} << std::numeric_limits<T>::digits;
    if (goal.columns <= most && std::abs(static_cast<double>(goal.ignored.value_or(0))) <= static_cast<double>(most)) {
      continue;
    }
    fail("compile: class numbers stand between values in y, which hold them up to ", most, ", but the output '",
         goal.name, "' has ", goal.columns, " classes or ignores a larger one");
  }
  const bool trains = !state.for_inference();
  OptimizerState<T> optimizer_state(optimizer, trains ? state.network.parameters() : ParameterLayout());
  auto trainer = trains ? std::make_unique<Trainer<T>>(state, optimizer) : nullptr;
  core_->settled();   // by the trainer that was
  core_->exchange();  // what is there is for the objective that was
  state.objective = std::move(objective);
  state.optimizer = std::move(optimizer_state);
  state.position.reset();
  state.next_epoch = 0;
  state.penalties_per_row = false;
  core_->trainer = std::move(trainer);
}

template <typename T>
std::vector<T> Model<T>::side_by_side(const std::vector<NamedTargets<T>>& targets) const {
  const Objective& objective = this->objective("side_by_side");
  if (!objective.apart) fail("side_by_side: the model has one head, whose targets a data set takes as they are");
  for (const NamedTargets<T>& given : targets) {
    const auto is_it = [&](const Goal& goal) { return goal.name == given.output; };
    const auto goals = std::count_if(objective.goals.begin(), objective.goals.end(), is_it);
    if (goals == 0) fail("side_by_side: no output with a loss or metrics is called '", given.output, "'");
  }
  std::vector<T> y;
  Index rows = -1;
  for (const Goal& goal : objective.goals) {
    const auto is_its = [&](const NamedTargets<T>& given) { return given.output == goal.name; };
    const auto given = std::find_if(targets.begin(), targets.end(), is_its);
    if (given == targets.end() || std::any_of(given + 1, targets.end(), is_its)) {
      fail("side_by_side: the output '", goal.name, "' must have targets, once");
    }
    const std::span<const std::int32_t> labels = given->y.labels;
    const MatrixView<const T>& values = given->y.values;
    const Index own = goal.labels ? static_cast<Index>(labels.size()) : values.rows;
    if (goal.labels ? values.data != nullptr : values.columns != goal.targets) {
      fail("side_by_side: the output '", goal.name, "' takes ",
           goal.labels ? "class numbers" : "rows of " + std::to_string(goal.targets) + " values");
    }
    if (rows < 0) y.resize(static_cast<std::size_t>(own * objective.target_columns));
    if (rows >= 0 && own != rows) {
      fail("side_by_side: the output '", goal.name, "' has ", own, " rows, others have ", rows);
    }
    rows = own;
    for (Index i = 0; i < rows; ++i) {
      T* const to = y.data() + i * objective.target_columns + goal.first_target;
      if (!goal.labels) {
        std::copy_n(values.data + i * goal.targets, goal.targets, to);
      } else {
        const std::int32_t label = labels[static_cast<std::size_t>(i)];
        *to = label == kMissingLabel ? std::numeric_limits<T>::quiet_NaN() : static_cast<T>(label);
      }
    }
  }
  return y;
}

template <typename T>
const Objective& Model<T>::objective(const char* operation) const {
  if (!facts().objective.has_value()) fail(operation, ": the model has no loss and optimizer yet; call compile first");
  return *facts().objective;
}

template <typename T>
const std::vector<std::string>& Model<T>::metric_names() const {
  return objective("metric_names").names;
}

template <typename T>
double Model<T>::learning_rate() const {
  objective("learning_rate");
  return facts().optimizer->learning_rate();
}

template <typename T>
void Model<T>::set_learning_rate(double rate) {
  objective("learning_rate");
  require(Stage::between, "learning_rate");
  core_->state->optimizer->optimizer.set("learning_rate", rate);
}

template <typename T>
void Model<T>::set_penalties_per_row(bool per_row) {
  require(Stage::idle, "penalties_per_row");
  if (per_row && facts().objective.has_value() && facts().objective->apart) {
    fail("penalties_per_row: rows weigh something of their own for each output; of several outputs it must be false");
  }
  core_->change([&](State<T>& state) { state.penalties_per_row = per_row; });
}

template <typename T>
Index Model<T>::iterations() const {
  return facts().optimizer.has_value() ? facts().optimizer->iterations : 0;
}

template <typename T>
Index Model<T>::optimizer_parameters() const {
  if (!facts().optimizer.has_value() || facts().for_inference()) return 0;
  Index trainable = 0;
  for (const Tensor& tensor : network().parameters().tensors()) trainable += tensor.trainable ? tensor.size : 0;
  return facts().optimizer->arrays() * trainable;
}

template <typename T>
std::vector<std::string> Model<T>::tables_by_rows() const {
  std::vector<std::string> names;
  if (!facts().optimizer.has_value() || !facts().optimizer->optimizer.by_rows()) return names;
  for (const Tensor& tensor : network().parameters().tensors()) {
    if (tensor.by_rows && tensor.trainable) names.push_back(tensor.name);
  }
  return names;
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
  if (options.validation_frequency < 1) {
    fail("fit: validation_frequency must be at least 1, got ", options.validation_frequency);
  }
  if (options.validation != nullptr && options.validation_source != nullptr) {
    fail("fit: validation must be a data set or a source, got both");
  }
}

template <typename T>
std::unique_ptr<RowBlocks<T>> Model<T>::blocks(const char* operation, RowSource<T>& source, Index batch_size,
                                               Index buffer_size) const {
  const Objective& objective = this->objective(operation);
  const Index targets = objective.target_columns;
  if (source.features() != network().features()) {
    fail(operation, ": the source has ", source.features(), " features, the network takes ", network().features());
  }
  const auto told = [](Index values) {
    return values == 0 ? std::string("class numbers") : "rows of " + std::to_string(values) + " values";
  };
  if (source.outputs() != targets && objective.apart) {
    fail(operation, ": the outputs take ", told(targets), " as y, the source has ", told(source.outputs()));
  }
  if (source.outputs() != targets) {
    fail(operation, ": the loss '", objective.goals.front().loss->name(), "' takes ", told(targets),
         " as y, the source has ", told(source.outputs()));
  }
  const auto check = [core = core_, operation](const Dataset<T>& rows) {
    check_rows(operation, core->state->network, *core->state->objective, rows);
  };
  try {
    return std::make_unique<RowBlocks<T>>(source, check, batch_size, buffer_size);
  } catch (const std::invalid_argument& error) {
    fail(operation, ": ", error.what());
  }
}

template <typename T>
History Model<T>::fit(const Dataset<T>& data, const FitOptions<T>& options) {
  require(Stage::idle, "fit");
  require_training("fit");
  check_dataset("fit", network(), objective("fit"), data);
  check_options(options);
  RowBlocks<T> rows(data);
  return fit(rows, options);
}

template <typename T>
History Model<T>::fit(RowSource<T>& source, const FitOptions<T>& options) {
  require(Stage::idle, "fit");
  require_training("fit");
  objective("fit");
  check_options(options);
  if (options.validation_source == &source) fail("fit: validation_source must be another object than is trained on");
  if (const std::optional<Dataset<T>> all = source.all()) check_dataset("fit", network(), objective("fit"), *all);
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
  Training training(*this, "fit");
  if (options.memory_limit > 0) core_->exchange();
  FitOptions<T> guarded = options;
  if (options.on_epoch) {
    guarded.on_epoch = [&](Index epoch, std::span<const Log> logs) {
      return training.between([&] { return options.on_epoch(epoch, logs); });
    };
  }
  if (options.on_batch) {
    guarded.on_batch = [&](const Progress& progress) {
      return training.between([&] { return options.on_batch(progress); });
    };
  }
  return training.core_->trainer->fit(rows, validation.get(), guarded);
}

template <typename T>
std::vector<double> Model<T>::train_on_batch(const Dataset<T>& data) {
  require(Stage::idle, "train_on_batch");
  require_training("train_on_batch");
  check_dataset("train_on_batch", network(), objective("train_on_batch"), data);
  network().require_gradient();
  return core_->trainer->train_on_batch(data);
}

template <typename T>
std::vector<double> Model<T>::evaluate(const Dataset<T>& data) const {
  check_dataset("evaluate", network(), objective("evaluate"), data);
  return laminar::evaluate(state(), data);
}

template <typename T>
std::vector<double> Model<T>::evaluate(RowSource<T>& source, Index buffer_size,
                                       const std::function<bool()>& stop) const {
  const std::shared_ptr<const Core> core = core_;  // whatever stop does
  return laminar::evaluate(state(), *blocks("evaluate", source, 1, buffer_size), stop);
}

template <typename T>
void Model<T>::predict(MatrixView<const T> x, MatrixView<T> out) const {
  check_input("predict", network(), x);
  check_out("predict", network(), x.rows, out);
  laminar::predict(state(), x, out);
}

template <typename T>
void Model<T>::backward(MatrixView<const T> x, MatrixView<const T> d_out, std::span<T> d_parameters, MatrixView<T> d_x,
                        bool training, Index step) const {
  check_input("backward", network(), x);
  const auto check = [&](const char* name, Index rows, Index columns, Index width) {
    if (rows == x.rows && columns == width) return;
    fail("backward: ", name, " must have shape (", x.rows, ", ", width, "), got (", rows, ", ", columns, ")");
  };
  check("d_out", d_out.rows, d_out.columns, network().outputs());
  if (d_x.data != nullptr) check("d_x", d_x.rows, d_x.columns, network().features());
  if (!d_parameters.empty() && d_parameters.size() != parameters().size()) {
    fail("backward: d_parameters must have ", parameters().size(), " elements, got ", d_parameters.size());
  }
  if (d_out.data == nullptr) fail("backward: d_out must not be null");
  network().require_gradient();
  laminar::backward(state(), x, d_out, d_parameters, d_x, training, step);
}

template <typename T>
void Model<T>::outputs_in_training(MatrixView<const T> x, MatrixView<T> out, Index step, Passage<T>* passage) const {
  check_input("outputs_in_training", network(), x);
  check_out("outputs_in_training", network(), x.rows, out);
  laminar::outputs_in_training<T>(state(), x, out, step, nullptr, passage);
}

template <typename T>
void Model<T>::follow_batch(MatrixView<const T> x, MatrixView<T> out, Index step, Passage<T>* passage) {
  check_input("follow_batch", network(), x);
  check_out("follow_batch", network(), x.rows, out);
  require(Stage::between, "follow_batch");
  core_->change(
      [&](State<T>& state) { laminar::outputs_in_training(state, x, out, step, state.parameters.data(), passage); });
}

template <typename T>
double Model<T>::loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight) const {
  require_training("loss_and_gradients");
  objective("loss_and_gradients");
  return core_->loss_and_gradients(data, gradients, by_weight);
}

template <typename T>
double Model<T>::Core::loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight) {
  settled();
  check_dataset("loss_and_gradients", state->network, *state->objective, data);
  state->network.require_gradient();
  if (static_cast<Index>(gradients.size()) != state->parameters.size()) {
    fail("loss_and_gradients: gradients needs ", state->parameters.size(), " elements, got ", gradients.size());
  }
  std::unique_ptr<LossGradients<T>> memory = exchange();
  if (memory == nullptr) memory = std::make_unique<LossGradients<T>>(*state);
  const double loss = memory->compute(data, gradients, by_weight);
  exchange(std::move(memory));
  return loss;
}

template class Model<float>;
template class Model<double>;

}  // namespace laminar
