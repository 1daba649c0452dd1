// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/layers/operations.hpp"

#include <algorithm>

#include "laminar/graph/layers/declaration.hpp"
#include "laminar/operations/forms.hpp"

namespace laminar {
namespace {

Shape sample_of(const Shape& shape) { return {shape.begin() + 1, shape.end()}; }

bool is_of_rows(const Shape& shape) {
  return shape.size() > 1 && std::count(shape.begin(), shape.end(), kBatch) == 1 && shape[0] == kBatch;
}

/// What a program may do with the rows of a batch.
enum class Mixing {
  none,
  calls,  // functions may want all rows, but get those that there are
  all,
};

void check(const Program& program, const Declaration& declaration, Mixing mixing) {
  const auto& before = declaration.inputs();
  if (program.inputs().size() != before.size()) {
    declaration.refuse("reads ", program.inputs().size(), " values, got ", before.size());
  }
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Shape& wanted = program.shape(program.inputs()[i]);
    if (is_of_rows(wanted) && sample_of(wanted) == before[i]->shape) continue;
    declaration.refuse("was made for values of shape ", rows_text(wanted), ", got samples of shape ",
                       to_string(before[i]->shape), " from '", before[i]->name, "'");
  }
  const std::size_t outputs = program.outputs.size();
  if (outputs != 1 && outputs != 1 + kAddedLosses) {
    declaration.refuse("has one output, or ", 1 + kAddedLosses,
                       ": behind it losses whose mean and losses whose sum is ", "added to that of the model; got ",
                       outputs);
  }
  for (std::size_t o = 1; o < outputs; ++o) {
    if (program.shape(program.outputs[o]) == Shape{kBatch}) continue;
    declaration.refuse("adds a loss that must be one number a row, of shape (None,), got ",
                       rows_text(program.shape(program.outputs[o])));
  }
  const int output = program.outputs[0];
  if (!is_of_rows(program.shape(output))) {
    declaration.refuse("must give a value for each row, got shape ", rows_text(program.shape(output)));
  }
  if (mixing == Mixing::all) return;
  const std::vector<Dependence> known = dependences(program, mixing == Mixing::none);
  for (int i = 0; i < program.size(); ++i) {
    const Instruction& value = program[i];
    if (known[static_cast<std::size_t>(i)] != Dependence::batch && value.operation != Operation::batch_rows) continue;
    declaration.refuse(value.function != nullptr ? value.function->name().c_str() : name_of(value.operation),
                       " brings together rows of a batch, which a layer may not: its output for a row would depend ",
                       "on the others");
  }
}

bool same_sources(const Program& a, const Program& b) {
  const auto shapes = [](const Program& program, const std::vector<int>& values) {
    std::vector<Shape> shapes;
    for (const int value : values) shapes.push_back(program.shape(value));
    return shapes;
  };
  return shapes(a, a.inputs()) == shapes(b, b.inputs()) && shapes(a, a.weights()) == shapes(b, b.weights()) &&
         shapes(a, a.outputs) == shapes(b, b.outputs);
}

void declare_programs(const Operations& layer, Declaration& declaration, Mixing at_prediction, Mixing in_training) {
  check(layer.program, declaration, at_prediction);
  if (layer.training_program.has_value()) {
    check(*layer.training_program, declaration, in_training);
    if (!same_sources(layer.program, *layer.training_program)) {
      declaration.refuse("must have the same inputs, weights and shapes in training and prediction");
    }
  }
  const std::vector<int>& weights = layer.program.weights();
  if (layer.weights.size() != weights.size()) {
    declaration.refuse("has a program of ", weights.size(), " weights, got ", layer.weights.size());
  }
  std::vector<char> trained;
  for (std::size_t w = 0; w < weights.size(); ++w) {
    const OwnWeight& weight = layer.weights[w];
    const auto same = [&](const OwnWeight& other) { return other.name == weight.name; };
    if (std::count_if(layer.weights.begin(), layer.weights.end(), same) > 1) {
      declaration.refuse("two weights are named '", weight.name, "'");
    }
    declaration.tensor(weight.name, layer.program.shape(weights[w]), weight);
    trained.push_back(weight.trainable && declaration.trainable() ? 1 : 0);
  }
  const Program* training = layer.training_program.has_value() ? &*layer.training_program : nullptr;
  auto forms = std::make_shared<ProgramForms>(layer.program, training, std::move(trained));
  forms->form(true, declaration.trained_before());  // an operation without a gradient is refused here
  declaration.forms(std::move(forms));
  declaration.output(sample_of(layer.program.shape(layer.program.outputs[0])));
}

}  // namespace

void declare(const Operations& layer, Declaration& declaration) {
  declare_programs(layer, declaration, Mixing::none, Mixing::none);
}

void declare(const BatchOperations& layer, Declaration& declaration) {
  declare_programs(layer, declaration, Mixing::calls, Mixing::all);
}

}  // namespace laminar
