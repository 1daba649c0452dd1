// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/program.hpp"

#include <algorithm>
#include <array>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

constexpr std::array kNames = {
#define LAMINAR_NAME(name, ...) #name,
    LAMINAR_ELEMENTWISE(LAMINAR_NAME) LAMINAR_OPERATIONS(LAMINAR_NAME)
#undef LAMINAR_NAME
};

constexpr std::array kOperands = {
#define LAMINAR_COUNT(name, operands, ...) operands,
    LAMINAR_ELEMENTWISE(LAMINAR_COUNT)
#undef LAMINAR_COUNT
};

std::size_t at(int value) { return static_cast<std::size_t>(value); }

bool has_rows(const Shape& shape) { return std::find(shape.begin(), shape.end(), kBatch) != shape.end(); }

/// Whether axis 0, that of the rows, comes out of an operation on rows as it went in.
bool keeps_rows(const Program& program, const Instruction& value, const std::vector<Dependence>& known,
                bool calls_mix) {
  const Shape& out = value.shape;
  if (out.empty() || out[0] != kBatch || std::count(out.begin(), out.end(), kBatch) != 1) return false;
  const auto by_rows = [&](std::size_t operand) { return known[at(value.reads[operand])] == Dependence::rows; };
  const auto shape = [&](std::size_t operand) -> const Shape& { return program.shape(value.reads[operand]); };
  switch (value.operation) {
    case Operation::sum:
    case Operation::prod:
    case Operation::max:
    case Operation::min:
      return value.integers.empty() || value.integers[0] > 0;
    case Operation::argmax:
    case Operation::cumsum:
      return value.integers[0] > 0;
    case Operation::transpose:
      return value.integers[0] == 0;
    case Operation::reshape:
      return shape(0)[0] == kBatch;
    case Operation::slice:
      return value.integers[0] == 0 && value.integers[2] == 1;
    case Operation::pad:
      return value.integers[0] == 0 && value.integers[2] == 1;
    case Operation::concatenate:
      return value.integers[0] > 0;
    case Operation::take:  // of a row of its own, or of a table that all have in common
      return by_rows(0) ? value.integers[0] > 0 && !by_rows(1) : value.integers[0] == 0;
    case Operation::scatter:
      return by_rows(0) && !by_rows(1) && value.integers[0] > 0;
    case Operation::matmul: {
      const auto lined = [&](std::size_t o) {  // its rows are not among the axes that are multiplied
        return !by_rows(o) || shape(o).size() == out.size();
      };
      if (out.size() == 2) return by_rows(0) && !by_rows(1) && value.integers[0] == 0;
      return lined(0) && lined(1);
    }
    case Operation::call:
    case Operation::call_gradient:
      return value.function->traits().by_rows || !calls_mix;
    default:  // element by element: rows are lined up
      for (std::size_t o = 0; o < value.reads.size(); ++o) {
        if (by_rows(o) && shape(o).size() != out.size()) return false;
      }
      return true;
  }
}

}  // namespace

const char* name_of(Operation operation) { return kNames[static_cast<std::size_t>(operation)]; }

Operation operation_of(std::string_view name) {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) fail(unknown_name("operation", name, operation_names()));
  return static_cast<Operation>(found - kNames.begin());
}

std::vector<std::string> operation_names() { return {kNames.begin(), kNames.end()}; }

int elementwise_operands(Operation operation) {
  const auto place = static_cast<std::size_t>(operation);
  return place < kOperands.size() ? kOperands[place] : 0;
}

int Program::add_input(Shape shape) {
  inputs_.push_back(size());
  values_.push_back({Operation::input, {}, {static_cast<Index>(inputs_.size()) - 1}, {}, std::move(shape)});
  return inputs_.back();
}

int Program::add_weight(Shape shape) {
  weights_.push_back(size());
  values_.push_back({Operation::weight, {}, {static_cast<Index>(weights_.size()) - 1}, {}, std::move(shape)});
  return weights_.back();
}

int Program::add(Operation operation, std::vector<int> reads, std::vector<Index> integers,
                 std::vector<double> numbers) {
  return add(Instruction{operation, std::move(reads), std::move(integers), std::move(numbers)});
}

int Program::add(Instruction value) {
  std::vector<const Shape*> operands;
  for (const int read : value.reads) {
    if (read < 0 || read >= size()) {
      fail(name_of(value.operation), ": reads value ", read, ", but there are ", size(), " before it");
    }
    operands.push_back(&shape(read));
  }
  value.shape = shape_of(value, operands);
  values_.push_back(std::move(value));
  return size() - 1;
}

void Program::replace(int value, Operation operation, std::vector<int> reads, std::vector<Index> integers,
                      std::vector<double> numbers) {
  Instruction made{operation, std::move(reads), std::move(integers), std::move(numbers), {}};
  std::vector<const Shape*> operands;
  for (const int read : made.reads) operands.push_back(&shape(read));
  made.shape = shape_of(made, operands);
  values_[at(value)] = std::move(made);
}

std::vector<Dependence> dependences(const Program& program, bool calls_mix) {
  std::vector<Dependence> known;
  for (const Instruction& value : program.values()) {
    Dependence most = Dependence::none;
    for (const int read : value.reads) most = std::max(most, known[at(read)]);
    const bool source = value.operation == Operation::input || value.operation == Operation::random;
    if (source && has_rows(value.shape)) most = Dependence::rows;
    if (most == Dependence::none && has_rows(value.shape)) most = Dependence::rows;  // something common, for each row
    if (value.operation == Operation::batch_rows) most = Dependence::none;
    if (most == Dependence::rows && !source && !keeps_rows(program, value, known, calls_mix)) most = Dependence::batch;
    known.push_back(most);
  }
  return known;
}

Extract extract(const Program& program, const std::vector<int>& outputs, const std::vector<int>& given) {
  std::vector<char> needed(at(program.size()), 0);
  std::vector<char> is_given(at(program.size()), 0);
  for (const int value : given) is_given[at(value)] = 1;
  for (const int value : outputs) needed[at(value)] = 1;
  for (int i = program.size(); i-- > 0;) {
    if (needed[at(i)] == 0 || is_given[at(i)] != 0) continue;
    for (const int read : program[i].reads) needed[at(read)] = 1;
  }
  Extract part;
  std::vector<int> place(at(program.size()), -1);
  const auto& inputs = program.inputs();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (needed[at(inputs[i])] == 0 || is_given[at(inputs[i])] != 0) continue;
    part.inputs.push_back(static_cast<int>(i));
    place[at(inputs[i])] = part.program.add_input(program.shape(inputs[i]));
  }
  for (const int value : given) {
    if (needed[at(value)] == 0) continue;
    part.given.push_back(value);
    place[at(value)] = part.program.add_input(program.shape(value));
  }
  for (const int weight : program.weights()) place[at(weight)] = part.program.add_weight(program.shape(weight));
  for (int i = 0; i < program.size(); ++i) {
    if (needed[at(i)] == 0 || place[at(i)] >= 0) continue;
    const Instruction& value = program[i];
    std::vector<int> reads;
    for (const int read : value.reads) reads.push_back(place[at(read)]);
    Instruction same = value;
    same.reads = std::move(reads);
    place[at(i)] = part.program.add(std::move(same));
  }
  for (const int value : outputs) part.program.outputs.push_back(place[at(value)]);
  return part;
}

}  // namespace laminar
