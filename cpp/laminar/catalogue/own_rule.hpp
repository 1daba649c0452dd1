// SPDX-License-Identifier: Apache-2.0
// A regularizer or constraint that users have written themselves, as the program that it was traced into.
#pragma once

#include <span>
#include <string>

#include "laminar/operations/program.hpp"
#include "laminar/operations/run.hpp"

namespace laminar {

/// What follows from the values of one tensor alone: a number, or what takes the tensor's place.
class OwnRule {
 public:
  enum class Gives { penalty, projection };

  /// The program has no input and one weight, the tensor; its output is a number that has a gradient by it, or a
  /// tensor of the same shape. Throws std::invalid_argument otherwise.
  OwnRule(std::string name, Program program, Gives gives);

  const std::string& name() const { return name_; }
  const Program& program() const { return program_; }
  /// Throws std::invalid_argument where a tensor has another shape than the one that the rule was made for.
  void check(const Shape& shape) const;

  template <typename T>
  double penalty(std::span<const T> weights) const;
  template <typename T>
  void add_gradient(std::span<const T> weights, std::span<T> gradient, double scale) const;
  template <typename T>
  void apply(std::span<T> weights) const;

 private:
  std::string name_;
  Program program_;
  ProgramPlan plan_;
  Program gradient_;  // of a penalty, by its one input: what the gradient is multiplied by
  ProgramPlan gradient_plan_;
};

}  // namespace laminar
