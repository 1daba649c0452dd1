// SPDX-License-Identifier: Apache-2.0
#include "laminar/own_parts.hpp"

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

Shape with_rows(const Shape& sample) {
  Shape shape{kBatch};
  shape.insert(shape.end(), sample.begin(), sample.end());
  return shape;
}

bool is_of_rows(const Symbol& value) {
  const Shape shape = value.shape();
  return !shape.empty() && shape[0] == kBatch;
}

/// All values of a row as one.
Symbol number_a_row(const Symbol& value, Symbol (*reduce)(const Symbol&, std::vector<Index>, bool)) {
  std::vector<Index> axes;
  for (std::size_t i = 1; i < value.shape().size(); ++i) axes.push_back(static_cast<Index>(i));
  return axes.empty() ? value : reduce(value, std::move(axes), false);
}

/// That, of a value which a layer adds to the loss.
Symbol added_a_row(const Symbol& value, Symbol (*reduce)(const Symbol&, std::vector<Index>, bool)) {
  if (is_of_rows(value)) return number_a_row(value, reduce);
  fail("add_loss: takes a number for each row, of shape (None, …), got ", rows_text(value.shape()));
}

std::shared_ptr<const OwnFunction> own_function(
    std::string name, const Shape& targets, const Shape& outputs, bool gradient,
    const std::function<Symbol(const Symbol& y_true, const Symbol& y_pred)>& write) {
  auto program = std::make_shared<Program>();
  const Symbol y_true(program, program->add_input(with_rows(targets)));
  const Symbol y_pred(program, program->add_input(with_rows(outputs)));
  const Symbol value = write(y_true, y_pred);
  if (!is_of_rows(value)) {
    fail(name, ": must return one number a row, of shape (None,), got ", rows_text(value.shape()));
  }
  program->outputs = {number_a_row(value, mean).value()};
  return std::make_shared<OwnFunction>(std::move(name), *program, gradient);
}

std::shared_ptr<const OwnRule> own_rule(std::string name, const Shape& shape, OwnRule::Gives gives,
                                        const std::function<Symbol(const Symbol& weight)>& write) {
  auto program = std::make_shared<Program>();
  const Symbol weight(program, program->add_weight(shape));
  program->outputs = {write(weight).value()};
  return std::make_shared<OwnRule>(std::move(name), *program, gives);
}

}  // namespace

OwnLayer::OwnLayer(const std::vector<Shape>& inputs) : program_(std::make_shared<Program>()) {
  for (const Shape& shape : inputs) inputs_.emplace_back(program_, program_->add_input(with_rows(shape)));
}

Symbol OwnLayer::weight(const std::string& name, Shape shape, const Initializer& initializer) {
  return weight(OwnWeight{.name = name, .initializer = initializer}, std::move(shape));
}

Symbol OwnLayer::weight(const OwnWeight& weight, Shape shape) {
  weights_.push_back(weight);
  return {program_, program_->add_weight(std::move(shape))};
}

void OwnLayer::add_loss(const Symbol& value) {
  const Symbol losses = added_a_row(value, mean);
  added_ = is_of_rows(added_) ? added_ + losses : losses;
}

void OwnLayer::add_summed_loss(const Symbol& value) {
  const Symbol losses = added_a_row(value, sum);
  summed_ = is_of_rows(summed_) ? summed_ + losses : losses;
}

Operations OwnLayer::layer(const Symbol& output, std::string name) const {
  Operations layer;
  layer.program = *program_;
  layer.program.outputs = {output.value()};
  if (is_of_rows(added_) || is_of_rows(summed_)) {
    for (const Symbol& losses : {added_, summed_}) {
      const bool none = !is_of_rows(losses);
      const int zero = none ? layer.program.add(Operation::broadcast_to, {layer.program.number(0)}, {kBatch}) : 0;
      layer.program.outputs.push_back(none ? zero : losses.value());
    }
  }
  layer.weights = weights_;
  layer.name = std::move(name);
  return layer;
}

Operations own_layer(const std::vector<Shape>& inputs, const std::function<Symbol(OwnLayer&)>& write,
                     std::string name) {
  OwnLayer layer(inputs);
  const Symbol output = write(layer);
  return layer.layer(output, std::move(name));
}

BatchOperations own_batch_layer(const std::vector<Shape>& inputs,
                                const std::function<Symbol(OwnLayer&, bool training)>& write, std::string name) {
  const auto written = [&](bool training) {
    OwnLayer layer(inputs);
    const Symbol output = write(layer, training);
    return layer.layer(output, name);
  };
  BatchOperations layer{written(false)};
  layer.training_program = written(true).program;
  return layer;
}

Loss own_loss(std::string name, const Shape& targets, const Shape& outputs,
              const std::function<Symbol(const Symbol& y_true, const Symbol& y_pred)>& write) {
  return Loss(own_function(std::move(name), targets, outputs, true, write));
}

Metric own_metric(std::string name, const Shape& targets, const Shape& outputs,
                  const std::function<Symbol(const Symbol& y_true, const Symbol& y_pred)>& write) {
  return Metric(own_function(std::move(name), targets, outputs, false, write));
}

Regularizer own_regularizer(std::string name, const Shape& shape,
                            const std::function<Symbol(const Symbol& weight)>& write) {
  return Regularizer(own_rule(std::move(name), shape, OwnRule::Gives::penalty, write));
}

Constraint own_constraint(std::string name, const Shape& shape,
                          const std::function<Symbol(const Symbol& weight)>& write) {
  return Constraint(own_rule(std::move(name), shape, OwnRule::Gives::projection, write));
}

}  // namespace laminar
