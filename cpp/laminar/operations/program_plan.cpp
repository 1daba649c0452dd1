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
      if (sums_rows(value)) return round_up(elements(value.shape, rows), kSlice) + kSummedElements;
      return 2 * elements(program.shape(value.reads[0]), rows);
    case Op::prod:
    case Op::max:
    case Op::min:
      return 2 * elements(program.shape(value.reads[0]), rows);
    case Op::activation:
    case Op::activation_gradient:
      return 3 * kRowsCopied * round_up(value.shape.empty() ? 1 : elements({value.shape.back()}, rows), kSlice);
    default:
      return 0;
  }
}

/// Whether rows of an operand may lie with gaps between them.
bool reads_rows(const Program& program, const Instruction& value, int operand) {
  if (elementwise_operands(value.operation) > 0 || sums_rows(value)) return true;
  if (program.shape(operand).size() != 2) return false;
  switch (value.operation) {
    case Op::matmul:
    case Op::activation:
    case Op::activation_gradient:
      return true;
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

bool sums_rows(const Instruction& value) {
  return value.operation == Op::sum && value.integers == std::vector<Index>{0};
}

bool may_be_summed(const Program& program, int value) {
  const Instruction& made = program[value];
  if (elementwise_operands(made.operation) == 0 || !starts_with_rows(made.shape)) return false;
  return std::all_of(made.reads.begin(), made.reads.end(), [&](int read) {
    const Shape& shape = program.shape(read);
    const bool lined = starts_with_rows(shape) && shape.size() == made.shape.size();
    return std::count(shape.begin(), shape.end(), kBatch) == (lined ? 1 : 0);
  });
}

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

/// How many values that are needed read each value, being an output for one more.
std::vector<int> readers_in(const Program& program, const std::vector<char>& needed) {
  std::vector<int> readers(needed.size(), 0);
  for (int i = 0; i < program.size(); ++i) {
    for (const int read : needed[as_size(i)] != 0 ? program[i].reads : std::vector<int>()) ++readers[as_size(read)];
  }
  for (const int output : program.outputs) ++readers[as_size(output)];
  return readers;
}

}  // namespace

void ProgramPlan::find_chains(const Program& program, const std::vector<char>& needed,
                              const std::vector<int>& readers) {
  const int size = program.size();
  std::vector<int> reader(readers.size(), -1);
  for (int i = 0; i < size; ++i) {
    if (needed[as_size(i)] == 0) continue;
    for (const int read : program[i].reads) reader[as_size(read)] = i;
  }
  const auto only_reader = [&](int value) { return readers[as_size(value)] == 1 ? reader[as_size(value)] : -1; };
  for (int product = 0; product < size; ++product) {
    if (needed[as_size(product)] == 0) continue;
    if (program[product].operation != Op::matmul || program.shape(product).size() != 2) continue;
    std::vector<int> parts{product};
    const int sum = only_reader(product);
    if (sum >= 0 && adds_row(program, sum, product)) parts.push_back(sum);
    const int activation = only_reader(parts.back());
    if (activation >= 0 && is_on_elements(program[activation])) parts.push_back(activation);
    for (const int part : parts) values_[as_size(part)].chain = {product, parts.back()};
  }
}

ProgramPlan::ProgramPlan(const Program& program, Index rows) : values_(as_size(program.size())) {
  const std::vector<char> needed = needed_in(program);
  const std::vector<int> readers = readers_in(program, needed);
  find_chains(program, needed, readers);
  std::vector<int> until(values_.size(), -1);  // the last value that reads this one
  for (int i = 0; i < program.size(); ++i) {
    const Instruction& value = program[i];
    Value& known = values_[as_size(i)];
    known.lines = lines_of(program, value);
    known.by_rows = starts_with_rows(value.shape);
    const auto inner = value.shape.begin() + (known.by_rows ? 1 : 0);
    known.width = std::count(inner, value.shape.end(), kBatch) > 0 ? -1 : row_width(value.shape);
    if (needed[as_size(i)] == 0) continue;
    const bool form = is_another_form(value.operation);
    known.source = form ? values_[as_size(value.reads[0])].source : i;
    for (const int read : value.reads) {
      const int source = values_[as_size(read)].source;
      until[as_size(source)] = i;
      if (!reads_rows(program, value, read) || read != source) values_[as_size(source)].takes_gaps = false;
    }
    if (sums_rows(value) && readers[as_size(value.reads[0])] == 1 && may_be_summed(program, value.reads[0])) {
      values_[as_size(value.reads[0])].summed_by = i;
    }
    if (!form && value.operation != Op::weight) steps_.push_back(i);
    scratch_ = std::max(scratch_, scratch_of(program, value, rows));
  }
  std::erase_if(steps_, [&](int i) { return values_[as_size(i)].summed_by >= 0; });
  for (int i = 0; i < program.size(); ++i) {
    const int sum = values_[as_size(i)].summed_by;
    for (const int read : sum >= 0 ? program[i].reads : std::vector<int>()) {
      int& last = until[as_size(values_[as_size(read)].source)];
      last = std::max(last, sum);
    }
  }
  for (const int i : steps_) {  // with what comes last all is computed
    const Chain& chain = values_[as_size(i)].chain;
    for (const int read : chain.product == i ? program[i].reads : std::vector<int>()) {
      int& last = until[as_size(values_[as_size(read)].source)];
      last = std::max(last, chain.last);
    }
  }
  for (std::size_t o = program.outputs.size(); o-- > 0;) {
    Value& value = values_[as_size(program.outputs[o])];
    value.output = static_cast<int>(o);
    until[as_size(value.source)] = program.size();
  }
  struct Area {
    Index begin;
    Index size;
    int until;
  };
  std::vector<Area> areas;
  for (const int i : steps_) {
    const Index size = round_up(elements(program.shape(i), rows), kSlice);
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
    values_[as_size(i)].place = best->begin;
  }
  const Index begin = size_;
  size_ += scratch_ + kSlice;
  scratch_ = begin;
  table_ = size_;
  size_ += kPlaceElements * round_up(program.size(), kSlice);
}

}  // namespace laminar
