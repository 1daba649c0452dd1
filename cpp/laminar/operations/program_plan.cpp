// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "laminar/base/buffer.hpp"
#include "laminar/operations/axes.hpp"
#include "laminar/operations/run.hpp"

namespace laminar {
namespace {

using Op = Operation;

bool is_another_form(Op operation) { return operation == Op::reshape || operation == Op::stop_gradient; }

/// Elements that hold where one value lies.
constexpr Index kPlaceElements = 4;
/// In place of the number of a value that no output follows from.
constexpr int kNotNeeded = -1;

Index matmul_scratch(const Program& program, const Instruction& value, Index rows) {
  const Shape& a = program.shape(value.reads[0]);
  const Shape& b = program.shape(value.reads[1]);
  const Index a_size = elements({a.end() - 2, a.end()}, rows);
  const Index n = elements({value.shape.end() - 2, value.shape.end() - 1}, rows);
  const Index m = elements({value.shape.end() - 1, value.shape.end()}, rows);
  const Index b_rows = elements({b.end() - 2, b.end() - 1}, rows);
  const Index b_columns = elements({b.end() - 1, b.end()}, rows);
  const Index packed = std::max(b_rows * round_up(b_columns, kSlice), b_columns * round_up(b_rows, kSlice));
  return round_up(a_size, kSlice) + round_up(packed, kSlice) + n * padded_stride(m) + 2 * kSlice;
}

/// What an operation needs beside its value.
Index scratch_of(const Program& program, const Instruction& value, Index rows) {
  switch (value.operation) {
    case Op::matmul:
      return matmul_scratch(program, value, rows);
    case Op::sum:
      return 2 * elements(program.shape(value.reads[0]), rows) + kSlice;
    case Op::prod:
    case Op::max:
    case Op::min:
      return 2 * elements(program.shape(value.reads[0]), rows);
    case Op::activation:
    case Op::activation_gradient:
      return 3 * padded_stride(value.shape.empty() ? 1 : elements({value.shape.back()}, rows)) + 4 * kSlice;
    default:
      return 0;
  }
}

/// Whether rows of an operand may lie with gaps between them.
bool reads_rows(const Program& program, const Instruction& value, int operand) {
  if (elementwise_operands(value.operation) > 0) return true;
  if (program.shape(operand).size() != 2) return false;
  switch (value.operation) {
    case Op::matmul:
    case Op::activation:
    case Op::activation_gradient:
      return true;
    case Op::sum:
      return value.integers == std::vector<Index>{0};
    default:
      return false;
  }
}

/// How the operands of an elementwise operation lie beside its value, where that has rows and these are of four
/// simple kinds.
ProgramPlan::Lines lines_of(const Program& program, const Instruction& value) {
  ProgramPlan::Lines lines{};
  const int count = elementwise_operands(value.operation);
  const Shape& to = value.shape;
  if (count == 0 || !starts_with_rows(to)) return lines;
  for (int o = 0; o < count; ++o) {
    const Shape& from = program.shape(value.reads[as_size(o)]);
    auto& line = lines[as_size(o)];
    if (from == to) {
      line = ProgramPlan::Line::same;
    } else if (std::all_of(from.begin(), from.end(), [](Index extent) { return extent == 1; })) {
      line = ProgramPlan::Line::number;
    } else if (std::equal(from.begin(), from.end(), to.begin() + 1, to.end())) {
      line = ProgramPlan::Line::row;
    } else if (from.size() == to.size() && starts_with_rows(from) &&
               std::all_of(from.begin() + 1, from.end(), [](Index extent) { return extent == 1; })) {
      line = ProgramPlan::Line::column;
    } else {
      return {};
    }
  }
  return lines;
}

/// Whether a value is that of a product and a row of weights.
bool adds_row(const Program& program, int value, int product) {
  const Instruction& sum = program[value];
  if (sum.operation != Op::add) return false;
  const Instruction& bias = program[sum.reads[sum.reads[0] == product ? 1 : 0]];
  return bias.operation == Op::weight && bias.shape == Shape{sum.shape.back()} && sum.shape == program.shape(product);
}

/// Whether an operation is an activation of one element at a time.
bool is_on_elements(const Instruction& value) {
  return value.operation == Op::tanh || value.operation == Op::sigmoid ||
         (value.operation == Op::activation && value.integers[1] == 0);
}

}  // namespace

Index row_width(const Shape& shape, Index rows) {
  Index product = 1;
  for (std::size_t i = starts_with_rows(shape) ? 1 : 0; i < shape.size(); ++i) {
    product *= shape[i] == kBatch ? rows : shape[i];
  }
  return product;
}

namespace {

/// Whether some output follows from a value, by value.
std::vector<char> needed_in(const Program& program) {
  std::vector<char> needed(as_size(program.size()), 0);
  for (const int output : program.outputs) needed[as_size(output)] = 1;
  for (int i = program.size(); i-- > 0;) {
    for (const int read : needed[as_size(i)] != 0 ? program[i].reads : std::vector<int>()) needed[as_size(read)] = 1;
  }
  return needed;
}

}  // namespace

void ProgramPlan::find_chains(const Program& program) {
  const int size = program.size();
  const std::vector<char> needed = needed_in(program);
  std::vector<int> readers(static_cast<std::size_t>(size), 0);
  std::vector<int> reader(readers.size(), -1);
  for (int i = 0; i < size; ++i) {
    if (needed[as_size(i)] == 0) continue;
    for (const int read : program[i].reads) {
      ++readers[as_size(read)];
      reader[as_size(read)] = i;
    }
  }
  for (const int output : program.outputs) ++readers[as_size(output)];
  const auto only_reader = [&](int value) { return readers[as_size(value)] == 1 ? reader[as_size(value)] : -1; };
  chains_.assign(readers.size(), {});
  for (int product = 0; product < size; ++product) {
    if (needed[as_size(product)] == 0) continue;
    if (program[product].operation != Op::matmul || program.shape(product).size() != 2) continue;
    std::vector<int> parts{product};
    const int sum = only_reader(product);
    if (sum >= 0 && adds_row(program, sum, product)) parts.push_back(sum);
    const int activation = only_reader(parts.back());
    if (activation >= 0 && is_on_elements(program[activation])) parts.push_back(activation);
    for (const int part : parts) chains_[as_size(part)] = {product, parts.back()};
  }
}

ProgramPlan::ProgramPlan(const Program& program, Index rows) {
  const auto count = static_cast<std::size_t>(program.size());
  places_.assign(count, -1);
  takes_gaps_.assign(count, 1);
  find_chains(program);
  std::vector<int> until(count, -1);  // the last value that reads this one
  const std::vector<char> needed = needed_in(program);
  for (int i = 0; i < program.size(); ++i) {
    const Instruction& value = program[i];
    if (needed[as_size(i)] == 0) {
      sources_.push_back(kNotNeeded);
      continue;
    }
    const bool form = is_another_form(value.operation);
    sources_.push_back(form ? sources_[as_size(value.reads[0])] : i);
    for (const int read : value.reads) {
      const auto source = as_size(sources_[as_size(read)]);
      until[source] = i;
      if (!reads_rows(program, value, read) || read != static_cast<int>(source)) takes_gaps_[source] = 0;
    }
    scratch_ = std::max(scratch_, scratch_of(program, value, rows));
  }
  for (int i = 0; i < program.size(); ++i) {  // with what comes last all is computed
    for (const int read : chain(i).product == i ? program[i].reads : std::vector<int>()) {
      int& last = until[as_size(sources_[as_size(read)])];
      last = std::max(last, chain(i).last);
    }
  }
  for (const int output : program.outputs) until[as_size(sources_[as_size(output)])] = program.size();
  struct Area {
    Index begin;
    Index size;
    int until;
  };
  std::vector<Area> areas;
  for (int i = 0; i < program.size(); ++i) {
    const Instruction& value = program[i];
    if (sources_[as_size(i)] != i || value.operation == Op::weight) continue;
    const Index size = round_up(elements(value.shape, rows), kSlice);
    auto best = areas.end();
    for (auto area = areas.begin(); area != areas.end(); ++area) {
      const bool better = best == areas.end() || area->size < best->size;
      if (area->until < i && area->size >= size && better) best = area;
    }
    if (best == areas.end()) {
      best = areas.insert(areas.end(), {size_, size, 0});
      size_ += size;
    }
    best->until = std::max(until[as_size(i)], i);
    places_[as_size(i)] = best->begin;
  }
  const Index begin = size_;
  size_ += scratch_ + kSlice;
  scratch_ = begin;
  table_ = size_;
  size_ += kPlaceElements * round_up(program.size(), kSlice);
  for (const Instruction& value : program.values()) lines_.push_back(lines_of(program, value));
}

}  // namespace laminar
