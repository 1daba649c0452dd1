// SPDX-License-Identifier: Apache-2.0
// Layers, losses, metrics, regularizers and constraints of one's own, written with operations on symbols
// (operations/symbol.hpp):
//   Operations layer = own_layer({{4}}, [](OwnLayer& l) {
//     Symbol w = l.weight("w", {4, 8});
//     Symbol b = l.weight("b", {8}, "zeros");
//     return tanh(matmul(l.input(), w) + b);
//   });
//   Loss loss = own_loss("pinball", {1}, {1}, [](Symbol y, Symbol f) { return maximum((y - f) * 0.9, (f - y) * 0.1);
//   });
// What is written is traced once; it runs, trains and is saved as the built-in parts are.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/metric.hpp"
#include "laminar/graph/layer.hpp"
#include "laminar/operations/symbol.hpp"

namespace laminar {

/// A layer while it is being written.
class OwnLayer {
 public:
  /// Its inputs, (kBatch, the shape of a sample) each.
  explicit OwnLayer(const std::vector<Shape>& inputs);

  Symbol input(std::size_t i = 0) const { return inputs_[i]; }
  /// A weight, drawn by the initializer.
  Symbol weight(const std::string& name, Shape shape, const Initializer& initializer = "glorot_uniform");
  Symbol weight(const OwnWeight& weight, Shape shape);

  /// Adds to the loss of the model the mean over the batch of a number for each row, or of several, which are averaged.
  void add_loss(const Symbol& value);
  /// The same with the sum over the batch of all of them.
  void add_summed_loss(const Symbol& value);

  /// The layer whose output is `output`.
  Operations layer(const Symbol& output, std::string name = {}) const;

 private:
  std::shared_ptr<Program> program_;
  std::vector<Symbol> inputs_;
  std::vector<OwnWeight> weights_;
  Symbol added_ = 0;
  Symbol summed_ = 0;
};

/// What `write` makes of samples of these shapes.
Operations own_layer(const std::vector<Shape>& inputs, const std::function<Symbol(OwnLayer&)>& write,
                     std::string name = {});

/// The same where training does something else, for which it may look at all rows of a batch: `write` is called for
/// prediction and for training, and makes the same weights.
BatchOperations own_batch_layer(const std::vector<Shape>& inputs,
                                const std::function<Symbol(OwnLayer&, bool training)>& write, std::string name = {});

/// A kernel of one's own for `call`, of one operand: a row of the value follows from that row of the operand.
///   auto cube = row_function("cube", [](const auto& r, Index n) { for (Index i = 0; i < n; ++i) r.out[i] = …; }, …);
/// `value` and `gradient` are called with FunctionRows<float> or <double> and the number of elements, by any thread,
/// for some rows; the value has the operand's shape.
template <typename Value, typename Gradient>
std::shared_ptr<const Function> row_function(std::string name, Value value, Gradient gradient);

/// A loss of targets and outputs of these shapes of a sample: `write` returns a number for each row, or several,
/// which are averaged.
Loss own_loss(std::string name, const Shape& targets, const Shape& outputs,
              const std::function<Symbol(const Symbol& y_true, const Symbol& y_pred)>& write);
/// The same for a metric, which is the mean over rows.
Metric own_metric(std::string name, const Shape& targets, const Shape& outputs,
                  const std::function<Symbol(const Symbol& y_true, const Symbol& y_pred)>& write);

/// A penalty on a weight of this shape: `write` returns a number.
Regularizer own_regularizer(std::string name, const Shape& shape,
                            const std::function<Symbol(const Symbol& weight)>& write);
/// What takes the place of such a weight after each update.
Constraint own_constraint(std::string name, const Shape& shape,
                          const std::function<Symbol(const Symbol& weight)>& write);

template <typename Value, typename Gradient>
class RowFunction : public Function {
 public:
  RowFunction(std::string name, Value value, Gradient gradient)
      : Function(std::move(name), {}), value_(std::move(value)), gradient_(std::move(gradient)) {}

  Shape shape(const std::vector<const Shape*>& operands) const override { return *operands[0]; }
  void value(const FunctionRows<float>& rows) const override { value_(rows, elements(rows)); }
  void value(const FunctionRows<double>& rows) const override { value_(rows, elements(rows)); }
  void gradient(const FunctionRows<float>& rows) const override { gradient_(rows, elements(rows)); }
  void gradient(const FunctionRows<double>& rows) const override { gradient_(rows, elements(rows)); }

 private:
  template <typename T>
  static Index elements(const FunctionRows<T>& rows) {
    return row_width(*rows.shapes[0]) * rows.rows;
  }

  Value value_;
  Gradient gradient_;
};

template <typename Value, typename Gradient>
std::shared_ptr<const Function> row_function(std::string name, Value value, Gradient gradient) {
  using Made = RowFunction<Value, Gradient>;
  auto function = std::make_shared<Made>(std::move(name), std::move(value), std::move(gradient));
  register_function(function);
  return function;
}

}  // namespace laminar
