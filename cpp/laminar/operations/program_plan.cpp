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

}  // namespace

Index row_width(const Shape& shape, Index rows) {
  Index product = 1;
  for (std::size_t i = starts_with_rows(shape) ? 1 : 0; i < shape.size(); ++i) {
    product *= shape[i] == kBatch ? rows : shape[i];
  }
  return product;
}

void ProgramPlan::find_sums(const Program& program) {
  std::vector<int> readers(static_cast<std::size_t>(program.size()), 0);
  for (const Instruction& value : program.values()) {
    for (const int read : value.reads) ++readers[as_size(read)];
  }
  for (const int output : program.outputs) ++readers[as_size(output)];
  sums_.assign(readers.size(), -1);
  for (int i = 0; i < program.size(); ++i) {
    const Instruction& sum = program[i];
    if (sum.operation != Op::add) continue;
    for (const std::size_t side : {0U, 1U}) {
      const int product = sum.reads[side];
      const Instruction& bias = program[sum.reads[1 - side]];
      const bool fits = program[product].operation == Op::matmul && readers[as_size(product)] == 1 &&
                        bias.operation == Op::weight && bias.shape == Shape{sum.shape.back()} &&
                        sum.shape == program.shape(product);
      if (fits) sums_[as_size(product)] = i;
    }
  }
}

ProgramPlan::ProgramPlan(const Program& program, Index rows) {
  const auto count = static_cast<std::size_t>(program.size());
  places_.assign(count, -1);
  takes_gaps_.assign(count, 1);
  find_sums(program);
  std::vector<int> until(count, -1);  // the last value that reads this one
  for (int i = 0; i < program.size(); ++i) {
    const Instruction& value = program[i];
    const bool form = is_another_form(value.operation);
    sources_.push_back(form ? sources_[as_size(value.reads[0])] : i);
    for (const int read : value.reads) {
      const auto source = as_size(sources_[as_size(read)]);
      until[source] = i;
      const bool reads_rows = elementwise_operands(value.operation) > 0 ||
                              (value.operation == Op::matmul && program.shape(read).size() == 2);
      if (!reads_rows || read != static_cast<int>(source)) takes_gaps_[source] = 0;
    }
    scratch_ = std::max(scratch_, scratch_of(program, value, rows));
  }
  for (int i = 0; i < program.size(); ++i) {
    const int sum = sums_[as_size(i)];
    for (const int read : sum < 0 ? std::vector<int>() : program[i].reads) {  // with which it is computed
      int& last = until[as_size(sources_[as_size(read)])];
      last = std::max(last, sum);
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
