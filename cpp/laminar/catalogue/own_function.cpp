// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/own_function.hpp"

#include <algorithm>
#include <array>

#include "laminar/base/error.hpp"
#include "laminar/operations/simplify.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {

OwnFunction::OwnFunction(std::string name, Program program, bool gradient)
    : name_(std::move(name)), program_(std::move(program)) {
  if (program_.inputs().size() != 2 || !program_.weights().empty() || program_.outputs.size() != 1) {
    fail(name_, ": must be a program of two inputs, targets and outputs, and of one output");
  }
  for (const int input : program_.inputs()) {
    const Shape& shape = program_.shape(input);
    if (std::count(shape.begin(), shape.end(), kBatch) == 1 && shape[0] == kBatch) continue;
    fail(name_, ": its inputs must have an axis of rows first, got shape ", rows_text(shape));
  }
  if (program_.shape(program_.outputs[0]) != Shape{kBatch}) {
    fail(name_, ": must return one number a row, of shape (None,), got ",
         rows_text(program_.shape(program_.outputs[0])));
  }
  const auto mixes = [](const Program& made) {
    const std::vector<Dependence> known = dependences(made);
    return std::any_of(made.outputs.begin(), made.outputs.end(),
                       [&](int output) { return known[static_cast<std::size_t>(output)] == Dependence::batch; });
  };
  const auto counts = [](const Instruction& value) { return value.operation == Operation::batch_rows; };
  with_gradient_ = program_;
  if (gradient) {
    const int d_values = with_gradient_.add_input({kBatch});
    const int outputs = with_gradient_.inputs()[1];
    int slope = add_gradients(with_gradient_, with_gradient_.outputs[0], d_values, {outputs})[0];
    if (slope < 0) fail(name_, ": no gradient leads from its value back to the outputs (y_pred)");
    with_gradient_.outputs.push_back(slope);
    with_gradient_ = simplify(with_gradient_, program_.size()).program;
  }
  const auto& values = program_.values();
  mixes_rows_ = mixes(with_gradient_) || std::any_of(values.begin(), values.end(), counts);
  plan_ = ProgramPlan(program_, kBlockRows);
  gradient_plan_ = ProgramPlan(with_gradient_, kBlockRows);
}

template <typename T>
void OwnFunction::run_block(const OwnRows<T>& rows, const Program& program, const ProgramPlan& plan, T* memory) const {
  std::array<RowValues<const T>, 3> inputs{rows.targets, rows.outputs, {rows.d_values, 1}};
  if (rows.labels != nullptr) {
    T* const targets = memory + plan.size();
    std::transform(rows.labels, rows.labels + rows.rows, targets,
                   [](std::int32_t label) { return static_cast<T>(label); });
    inputs[0] = {targets, 1};
  }
  std::array<RowValues<T>, 2> outputs{RowValues<T>{rows.values, 1}, rows.d_outputs};
  ProgramRun<T> work{.program = program, .plan = plan, .kernels = kernels::kernels<T>()};
  work.memory = memory;
  work.inputs = std::span(inputs).first(program.inputs().size());
  work.outputs = std::span(outputs).first(program.outputs.size());
  work.rows = rows.rows;
  work.batch = rows.rows;
  run(work);
}

template <typename T>
void OwnFunction::operator()(const OwnRows<T>& rows) const {
  const Program& program = rows.d_values != nullptr ? with_gradient_ : program_;
  if (mixes_rows_) {
    const ProgramPlan plan(program, rows.rows);
    AlignedBuffer<T> memory(plan.size() + rows.rows);
    return run_block(rows, program, plan, memory.data());
  }
  T* const memory = scratch<T>(Scratch::program, room());
  const ProgramPlan& plan = rows.d_values != nullptr ? gradient_plan_ : plan_;
  for (Index first = 0; first < rows.rows; first += kBlockRows) {
    OwnRows<T> block = rows;
    block.rows = std::min(kBlockRows, rows.rows - first);
    block.targets.values += first * rows.targets.stride;
    if (block.labels != nullptr) block.labels += first;
    block.outputs.values += first * rows.outputs.stride;
    block.values += first;
    if (block.d_values != nullptr) {
      block.d_values += first;
      block.d_outputs.values += first * rows.d_outputs.stride;
    }
    run_block(block, program, plan, memory);
  }
}

template void OwnFunction::operator()(const OwnRows<float>&) const;
template void OwnFunction::operator()(const OwnRows<double>&) const;

}  // namespace laminar
