// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/symbol.hpp"

#include <algorithm>
#include <numeric>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

/// Positions of axes in ascending order; all of them where none are given.
std::vector<Index> axes_of(const char* operation, const Symbol& a, std::vector<Index> axes) {
  const auto count = static_cast<Index>(a.shape().size());
  if (axes.empty()) {
    axes.resize(a.shape().size());
    std::iota(axes.begin(), axes.end(), Index{0});
  }
  for (Index& axis : axes) {
    if (axis < -count || axis >= count) fail(operation, ": axis ", axis, " is none of shape ", rows_text(a.shape()));
    if (axis < 0) axis += count;
  }
  std::sort(axes.begin(), axes.end());
  return axes;
}

/// The value without those axes, whose extents are 1.
Symbol without(const Symbol& a, const std::vector<Index>& axes) {
  const Shape from = a.shape();
  Shape to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (!std::binary_search(axes.begin(), axes.end(), static_cast<Index>(i))) to.push_back(from[i]);
  }
  return reshape(a, std::move(to));
}

Symbol reduced(Operation operation, const Symbol& a, const std::vector<Index>& axes, bool keep) {
  const Symbol kept = Symbol::apply(operation, {a}, axes);
  return keep ? kept : without(kept, axes);
}

}  // namespace

Shape Symbol::shape() const { return program_ == nullptr ? Shape() : program_->shape(value_); }

int Symbol::value() const {
  if (program_ == nullptr) fail("symbol: the number ", number_, " is no value of a program");
  return value_;
}

int Symbol::in(const std::shared_ptr<Program>& program) const {
  if (program_ == nullptr) return program->number(number_);
  if (program_ != program) fail("symbol: a value of shape ", rows_text(shape()), " belongs to another program");
  return value_;
}

Symbol Symbol::add(Instruction instruction, const std::vector<Symbol>& operands) {
  const auto found =
      std::find_if(operands.begin(), operands.end(), [](const Symbol& s) { return s.program_ != nullptr; });
  if (found == operands.end()) fail(name_of(instruction.operation), ": needs a value of a program, got numbers alone");
  const std::shared_ptr<Program> program = found->program_;
  for (const Symbol& operand : operands) instruction.reads.push_back(operand.in(program));
  return {program, program->add(std::move(instruction))};
}

Symbol Symbol::apply(Operation operation, const std::vector<Symbol>& operands, std::vector<Index> integers) {
  return add(Instruction{operation, {}, std::move(integers)}, operands);
}

Symbol Symbol::call(std::shared_ptr<const Function> function, const std::vector<Symbol>& operands) {
  Instruction instruction{Operation::call};
  instruction.function = std::move(function);
  return add(std::move(instruction), operands);
}

Symbol Symbol::batch_rows() const {
  value();  // of a program
  return {program_, program_->add(Operation::batch_rows, {})};
}

Symbol matmul(const Symbol& a, const Symbol& b) { return Symbol::apply(Operation::matmul, {a, b}, {0, 0}); }

Symbol sum(const Symbol& a, std::vector<Index> axes, bool keep) {
  return reduced(Operation::sum, a, axes_of("sum", a, std::move(axes)), keep);
}

Symbol mean(const Symbol& a, std::vector<Index> axes, bool keep) {
  axes = axes_of("mean", a, std::move(axes));
  double count = 1;
  bool rows = false;
  for (const Index axis : axes) {
    const Index extent = a.shape()[static_cast<std::size_t>(axis)];
    rows = rows || extent == kBatch;
    if (extent != kBatch) count *= static_cast<double>(extent);
  }
  const Symbol total = reduced(Operation::sum, a, axes, keep);
  const Symbol part = total * (1 / count);
  if (!rows) return part;
  return part / a.batch_rows();
}

Symbol max(const Symbol& a, std::vector<Index> axes, bool keep) {
  return reduced(Operation::max, a, axes_of("max", a, std::move(axes)), keep);
}

Symbol min(const Symbol& a, std::vector<Index> axes, bool keep) {
  return reduced(Operation::min, a, axes_of("min", a, std::move(axes)), keep);
}

Symbol logsumexp(const Symbol& a, std::vector<Index> axes, bool keep) {
  axes = axes_of("logsumexp", a, std::move(axes));
  const Symbol most = stop_gradient(reduced(Operation::max, a, axes, true));
  const Symbol total = log(reduced(Operation::sum, exp(a - most), axes, true)) + most;
  return keep ? total : without(total, axes);
}

Symbol reshape(const Symbol& a, Shape shape) { return Symbol::apply(Operation::reshape, {a}, std::move(shape)); }

Symbol transpose(const Symbol& a, std::vector<Index> order) {
  return Symbol::apply(Operation::transpose, {a}, std::move(order));
}

Symbol concatenate(const std::vector<Symbol>& parts, Index axis) {
  if (parts.empty()) fail("concatenate: takes one value or more, got none");
  return Symbol::apply(Operation::concatenate, parts, axes_of("concatenate", parts[0], {axis}));
}

Symbol slice(const Symbol& a, Index axis, Index begin, Index end) {
  const Index at = axes_of("slice", a, {axis})[0];
  std::vector<Index> places;
  for (std::size_t i = 0; i < a.shape().size(); ++i) {
    const bool cut = static_cast<Index>(i) == at;
    places.insert(places.end(), {cut ? begin : 0, cut ? end - begin : a.shape()[i], 1});
  }
  return Symbol::apply(Operation::slice, {a}, std::move(places));
}

Symbol stop_gradient(const Symbol& a) { return Symbol::apply(Operation::stop_gradient, {a}); }

}  // namespace laminar
