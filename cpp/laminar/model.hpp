// SPDX-License-Identifier: Apache-2.0
// A network with weights, ready to be trained and to predict: what most users need of the library.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "laminar/base/product_precision.hpp"
#include "laminar/base/quantization.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/graph/head.hpp"
#include "laminar/graph/network.hpp"
#include "laminar/training/fit_options.hpp"

namespace laminar {

struct Objective;
template <typename T>
class Passage;
template <typename T>
class RowBlocks;
template <typename T>
struct State;

/// The targets of one output.
template <typename T>
struct NamedTargets {
  std::string output;
  Targets<T> y;
};

/// Instantiated for float and double. Methods throw std::invalid_argument for bad input before
/// anything changes, and NonFiniteError where training stops being finite. Const methods may be
/// called from many threads at once; the others need the model for themselves.
///
/// What fit calls may predict and evaluate with the model and ask for gradients; between batches and epochs
/// (on_batch, on_epoch) it may also set parameters and the learning rate. Other methods that change it throw
/// std::logic_error there. It may be moved, assigned to and destroyed: fit then
/// goes on with what it began with.
template <typename T>
class Model {
  struct Core;

 public:
  /// Draws the weights from the seed: the same seed, the same bits, on every machine.
  explicit Model(Network network, std::uint64_t seed = 0, ProductPrecision precision = ProductPrecision::full);
  /// Takes over a state, that of a file for example.
  explicit Model(std::unique_ptr<State<T>> state);
  Model(Model&&) noexcept = default;
  Model& operator=(Model&&) noexcept = default;
  ~Model() = default;

  /// All that training changes, as files keep it: an internal type, for laminar's own code. Training may be ahead of
  /// it: whoever asks for it has it brought up to the last update.
  const State<T>& state() const;
  /// The same as it stands: of weights and what optimizers keep of them nothing may be read here.
  const State<T>& facts() const;

  /// The structure.
  const Network& network() const;
  /// What weights, shuffling and dropout are drawn from.
  std::uint64_t seed() const;
  /// What the operands of products are rounded to, in training and in prediction. Processors with
  /// AVX512-BF16 multiply bfloat16 at twice the speed of floats, others more slowly to the same sums.
  ProductPrecision precision() const;

  /// Rounds the weights for inference: what inputs are multiplied by, and tables. The model is not trained from then
  /// on, and a row of a large network takes half the time or a quarter. Of int8 each column has a scale, its largest
  /// weight's size / 127; of a table each row. parameters() are the rounded values, and those that are set are rounded
  /// as well. Throws std::invalid_argument for a model of doubles, weights that are not finite, or where there is
  /// nothing to round; std::logic_error where they are rounded already.
  void quantize(Quantization quantization);
  /// What they are rounded to.
  Quantization quantization() const;

  /// The flat parameter buffer in the layout of network().parameters(), as it is now: whether training changes what
  /// has been asked for before is not said, so it is asked for again.
  std::span<const T> parameters() const;
  /// Replaces all parameters; `values` has the size of parameters().
  void set_parameters(std::span<const T> values);
  /// Calls change(parameters), which changes some of them.
  void change_parameters(const std::function<void(std::span<T>)>& change);
  /// Tensor i of network().parameters(), without padding.
  std::span<const T> tensor(std::size_t i) const;

  /// Gives node number `node` of network().nodes() other options, such as the rate of a dropout: from the
  /// next update on they hold. The layer must be of the same kind, one that acts in training alone. A
  /// callback of fit may do it.
  void set_layer(std::size_t node, Layer layer);

  /// Sets what to train towards; resets the optimizer's state. Of a network with several outputs the loss is of
  /// all of them, as if they were one. With `ignore_nan` targets that are NaN, and class numbers that are
  /// kMissingLabel, are missing: a row of them counts for nothing, and a loss that is a mean over a row's values
  /// is one over those that are there.
  void compile(const Loss& loss, const Optimizer& optimizer, const std::vector<Metric>& metrics = {},
               bool ignore_nan = false);
  /// The same with a head for each of the network's outputs, in their order, or one for all of them. What is
  /// minimized is the sum of their losses times their weights, each divided by what the rows weigh in it. A
  /// data set has the targets of all heads with a loss or metrics side by side in its rows of y, class numbers
  /// as one column, and sample weights for each row or for each head of each row.
  void compile(const std::vector<Head>& heads, const Optimizer& optimizer, bool ignore_nan = false);
  /// Whether it has been, so that fit and evaluate may be called.
  bool compiled() const;
  /// The targets of several heads side by side, as a data set's rows of y have them: of each head with a loss
  /// or metrics by the name in logs, in any order. Throws where one is missing, or does not fit.
  std::vector<T> side_by_side(const std::vector<NamedTargets<T>>& targets) const;
  /// "loss", then the metrics; of several heads the losses of each, "price_loss", before metrics in alphabetical
  /// order, "price_mae".
  const std::vector<std::string>& metric_names() const;
  /// Of the update that comes next.
  double learning_rate() const;
  /// For all later updates; throws where a schedule gives the rate.
  void set_learning_rate(double rate);
  /// Whether penalties on weights are divided by the sum of the weights of a batch's rows, as
  /// scikit-learn has them, in place of being the same for every batch. Files keep it with the training;
  /// compile resets it.
  bool penalties_per_row() const;
  void set_penalties_per_row(bool per_row);
  /// Updates made since compile.
  Index iterations() const;
  /// Numbers that the optimizer keeps for the trainable weights: momenta, averages, summed gradients.
  /// 0 before compile.
  Index optimizer_parameters() const;
  /// Names of the tables of which each update changes the rows alone that its batch reads: others are not moved on by
  /// momenta, nor shrunk by weight decay.
  std::vector<std::string> tables_by_rows() const;

  /// Trains; returns loss and metrics of every epoch.
  History fit(const Dataset<T>& data, const FitOptions<T>& options = {});
  /// The same with rows that need not be in memory all at once. Rows that must not be used are met when
  /// they are read: training ends there, the weights as they are.
  History fit(RowSource<T>& source, const FitOptions<T>& options = {});
  /// One update with all rows as one batch; loss and metrics before it.
  std::vector<double> train_on_batch(const Dataset<T>& data);
  /// Loss and metrics over all rows; those of the loss weighted by sample_weight.
  std::vector<double> evaluate(const Dataset<T>& data) const;
  /// The same of rows that need not be in memory all at once, read in blocks that take buffer_size bytes.
  /// Where stop, asked now and then, returns true, nothing is returned.
  std::vector<double> evaluate(RowSource<T>& source, Index buffer_size = FitOptions<T>().buffer_size,
                               const std::function<bool()>& stop = {}) const;
  /// out (rows, outputs) = the network's outputs for x (rows, features). NaN in gives NaN out.
  void predict(MatrixView<const T> x, MatrixView<T> out) const;
  /// Gradients of the sum of d_out (rows, outputs) times the network's outputs for x: by the weights, in the
  /// layout of parameters(), and by x (rows, features). Either may be empty where it is not wanted. Layers do as
  /// in prediction, or with `training` as in the update that comes next, dropout drawn and batches followed; or as
  /// in that of number `step`, where that is not negative. On one thread, the caller's.
  void backward(MatrixView<const T> x, MatrixView<const T> d_out, std::span<T> d_parameters, MatrixView<T> d_x = {},
                bool training = false, Index step = -1) const;
  /// out (rows, outputs) = the outputs whose gradients backward() computes with `training` and the same step. A
  /// `passage` for so many rows keeps what its own way back needs (execution/vjp.hpp).
  void outputs_in_training(MatrixView<const T> x, MatrixView<T> out, Index step = -1,
                           Passage<T>* passage = nullptr) const;
  /// The same, and running statistics follow this batch's as they do in an update.
  void follow_batch(MatrixView<const T> x, MatrixView<T> out, Index step = -1, Passage<T>* passage = nullptr);
  /// Loss of all rows, dropout included, and its gradient in the layout of the parameters. The sum of the
  /// rows' losses times their weights is divided by the number of rows, or by the sum of their weights. The memory
  /// that this takes is kept for the next call; calls at the same time have some each.
  double loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight = false) const;

  /// For algorithms that train a model in a way of their own, such as fit_lbfgs: as long as it lives,
  /// the model is being trained as it is in fit, and is kept alive.
  class Training {
   public:
    /// Throws std::logic_error where the model is being trained already.
    Training(Model& model, const char* operation);
    Training(const Training&) = delete;
    Training& operator=(const Training&) = delete;
    ~Training();

    const State<T>& state() const;
    void set_parameters(std::span<const T> values);
    double loss_and_gradients(const Dataset<T>& data, std::span<T> gradients, bool by_weight = false);
    /// Returns user(), which may do what it may between two batches.
    template <typename User>
    auto between(const User& user) {
      const Between between(*core_);
      return user();
    }

   private:
    friend Model;
    std::shared_ptr<Core> core_;
  };

 private:
  enum class Stage { idle, between, running };
  /// While the user is called between batches.
  struct Between {
    explicit Between(Core& core_);
    Between(const Between&) = delete;
    Between& operator=(const Between&) = delete;
    ~Between();
    Core& core;
  };

  /// Throws std::logic_error where training is further than `latest`.
  void require(Stage latest, const char* operation) const;
  /// Throws std::logic_error where weights are rounded for inference.
  void require_training(const char* operation) const;
  const Objective& objective(const char* operation) const;
  void check_options(const FitOptions<T>& options) const;
  /// Blocks of a source's rows, each of which is checked when it is read.
  std::unique_ptr<RowBlocks<T>> blocks(const char* operation, RowSource<T>& source, Index batch_size,
                                       Index buffer_size) const;
  History fit(RowBlocks<T>& rows, const FitOptions<T>& options);

  std::shared_ptr<Core> core_;
};

}  // namespace laminar
