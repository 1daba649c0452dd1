// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/own_rule.hpp"

#include <algorithm>

#include "laminar/base/buffer.hpp"
#include "laminar/base/error.hpp"
#include "laminar/threads/scratch.hpp"

namespace laminar {
namespace {

/// Runs a program of one tensor, perhaps with a number as its input, to its one output.
template <typename T>
void run_on(const Program& program, const ProgramPlan& plan, const T* tensor, T number, T* memory, T* out) {
  const RowValues<const T> input{&number, 0};
  const RowValues<T> output{out, 0};
  ProgramRun<T> work{.program = program, .plan = plan, .kernels = kernels::kernels<T>()};
  work.memory = memory;
  work.inputs = std::span(&input, program.inputs().size());
  work.weights = std::span(&tensor, 1);
  work.outputs = std::span(&output, 1);
  work.rows = 1;
  work.batch = 1;
  run(work);
}

Index room_for(std::size_t elements) { return round_up(static_cast<Index>(elements), kSlice); }

}  // namespace

OwnRule::OwnRule(std::string name, Program program, Gives gives)
    : name_(std::move(name)), program_(std::move(program)) {
  if (!program_.inputs().empty() || program_.weights().size() != 1 || program_.outputs.size() != 1) {
    fail(name_, ": must be a program of one weight, without inputs and of one output");
  }
  const auto varies = [](const Instruction& value) {
    return value.operation == Operation::random || value.operation == Operation::batch_rows;
  };
  if (std::any_of(program_.values().begin(), program_.values().end(), varies)) {
    fail(name_, ": must follow from the weight alone; it draws random numbers or counts rows");
  }
  const int weight = program_.weights()[0];
  const Shape& shape = program_.shape(program_.outputs[0]);
  if (gives == Gives::projection) {
    if (shape != program_.shape(weight)) {
      fail(name_, ": must return what takes the weight's place, of shape ", rows_text(program_.shape(weight)), ", got ",
           rows_text(shape));
    }
  } else {
    if (!shape.empty()) fail(name_, ": must return one number, of shape (), got ", rows_text(shape), "; sum it");
    Program whole = program_;
    const int scale = whole.add_input({});
    const int gradient = add_gradients(whole, whole.outputs[0], scale, {weight})[0];
    if (gradient < 0) fail(name_, ": no gradient leads from its value back to the weight");
    gradient_ = extract(whole, {gradient}).program;
    gradient_plan_ = ProgramPlan(gradient_, 1);
  }
  plan_ = ProgramPlan(program_, 1);
}

void OwnRule::check(const Shape& shape) const {
  const Shape& own = program_.shape(program_.weights()[0]);
  if (own != shape) fail(name_, ": was made for a tensor of shape ", to_string(own), ", got ", to_string(shape));
}

template <typename T>
double OwnRule::penalty(std::span<const T> weights) const {
  T out{};
  run_on<T>(program_, plan_, weights.data(), T(0), scratch<T>(Scratch::program, plan_.size()), &out);
  return static_cast<double>(out);
}

template <typename T>
void OwnRule::add_gradient(std::span<const T> weights, std::span<T> gradient, double scale) const {
  T* const slopes = scratch<T>(Scratch::program, room_for(weights.size()) + gradient_plan_.size());
  run_on<T>(gradient_, gradient_plan_, weights.data(), static_cast<T>(scale), slopes + room_for(weights.size()),
            slopes);
  for (std::size_t i = 0; i < gradient.size(); ++i) gradient[i] += slopes[i];
}

template <typename T>
void OwnRule::apply(std::span<T> weights) const {
  T* const made = scratch<T>(Scratch::program, room_for(weights.size()) + plan_.size());
  run_on<T>(program_, plan_, weights.data(), T(0), made + room_for(weights.size()), made);
  std::copy_n(made, weights.size(), weights.data());
}

template double OwnRule::penalty(std::span<const float>) const;
template double OwnRule::penalty(std::span<const double>) const;
template void OwnRule::add_gradient(std::span<const float>, std::span<float>, double) const;
template void OwnRule::add_gradient(std::span<const double>, std::span<double>, double) const;
template void OwnRule::apply(std::span<float>) const;
template void OwnRule::apply(std::span<double>) const;

}  // namespace laminar
