// SPDX-License-Identifier: Apache-2.0
// Shape rules, as NumPy has them.
#include <algorithm>
#include <array>

#include "laminar/base/error.hpp"
#include "laminar/kernels/activations.hpp"
#include "laminar/operations/program.hpp"

namespace laminar {
namespace {

using Operands = std::vector<const Shape*>;

template <typename... Parts>
[[noreturn]] void refuse(const Instruction& value, const Parts&... parts) {
  fail(name_of(value.operation), ": ", parts...);
}

void check_count(const Instruction& value, const Operands& operands, std::size_t count) {
  if (operands.size() != count) refuse(value, "takes ", count, " operands, got ", operands.size());
}

void check_integers(const Instruction& value, std::size_t count) {
  if (value.integers.size() != count) refuse(value, "takes ", count, " integers, got ", value.integers.size());
}

/// A position among the axes of a shape.
std::size_t axis_of(const Instruction& value, Index axis, const Shape& shape) {
  if (axis < 0 || axis >= static_cast<Index>(shape.size())) {
    refuse(value, "axis ", axis, " is none of shape ", rows_text(shape));
  }
  return static_cast<std::size_t>(axis);
}

Shape checked(const Instruction& value, Shape shape) {
  if (shape.size() > kMaxAxes) refuse(value, "takes at most ", kMaxAxes, " axes, got ", rows_text(shape));
  for (const Index extent : shape) {
    if (extent < 0 && extent != kBatch) refuse(value, "a shape holds no negative extent, got ", rows_text(shape));
  }
  return shape;
}

Shape broadcast(const Instruction& value, const Operands& operands) {
  Shape out;
  for (const Shape* shape : operands) {
    if (shape->size() > out.size()) out.insert(out.begin(), shape->size() - out.size(), 1);
    const std::size_t skipped = out.size() - shape->size();
    for (std::size_t i = 0; i < shape->size(); ++i) {
      Index& extent = out[skipped + i];
      const Index other = (*shape)[i];
      if (extent == other || other == 1) continue;
      if (extent != 1) {
        std::vector<std::string> texts;
        for (const Shape* each : operands) texts.push_back(rows_text(*each));
        refuse(value, "shapes ", join(texts),
               " do not go together: from the last axis on, extents must be equal, or 1");
      }
      extent = other;
    }
  }
  return out;
}

Shape reduced(const Instruction& value, Shape shape) {
  Index before = -1;
  for (const Index axis : value.integers) {
    if (axis <= before) refuse(value, "axes must be in ascending order");
    shape[axis_of(value, axis, shape)] = 1;
    before = axis;
  }
  return shape;
}

struct Count {
  Index rows = 0;  // axes of rows
  Index others = 1;
};

Count count_of(const Shape& shape) {
  Count count;
  for (const Index extent : shape) {
    if (extent == kBatch) {
      ++count.rows;
    } else {
      count.others *= extent;
    }
  }
  return count;
}

Shape reshaped(const Instruction& value, const Shape& from) {
  Shape to = checked(value, value.integers);
  const Count a = count_of(from);
  const Count b = count_of(to);
  if (a.rows != b.rows || a.others != b.others) {
    refuse(value, "shape ", rows_text(from), " cannot become ", rows_text(to),
           ": they hold different numbers of values");
  }
  return to;
}

Shape transposed(const Instruction& value, const Shape& from) {
  check_integers(value, from.size());
  Shape to;
  std::vector<char> seen(from.size(), 0);
  for (const Index axis : value.integers) {
    char& taken = seen[axis_of(value, axis, from)];
    if (taken != 0) refuse(value, "axis ", axis, " is there twice");
    taken = 1;
    to.push_back(from[static_cast<std::size_t>(axis)]);
  }
  return to;
}

Shape broadcasted(const Instruction& value, const Shape& from) {
  Shape to = checked(value, value.integers);
  if (broadcast(value, {&from, &to}) != to) {
    refuse(value, "shape ", rows_text(from), " cannot become ", rows_text(to));
  }
  return to;
}

Shape sliced(const Instruction& value, const Shape& from) {
  check_integers(value, 3 * from.size());
  Shape to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Index first = value.integers[3 * i];
    const Index count = value.integers[3 * i + 1];
    const Index step = value.integers[3 * i + 2];
    if (from[i] == kBatch) {
      if (first != 0 || count != kBatch || step != 1) refuse(value, "an axis of rows is taken whole");
    } else if (count < 0 || (count > 0 && (first < 0 || first >= from[i] || first + (count - 1) * step < 0 ||
                                           first + (count - 1) * step >= from[i]))) {
      refuse(value, count, " elements from ", first, " on, in steps of ", step, ", do not lie in axis ", i, " of ",
             rows_text(from));
    }
    to.push_back(count);
  }
  return to;
}

Shape padded(const Instruction& value, const Shape& from) {
  check_integers(value, 3 * from.size());
  Shape to;
  for (std::size_t i = 0; i < from.size(); ++i) {
    const Index first = value.integers[3 * i];
    const Index extent = value.integers[3 * i + 1];
    const Index step = value.integers[3 * i + 2];
    const bool rows = from[i] == kBatch;
    const Index last = first + (from[i] - 1) * step;
    if (rows ? first != 0 || extent != kBatch || step != 1
             : from[i] > 0 && (std::min(first, last) < 0 || std::max(first, last) >= extent)) {
      refuse(value, "axis ", i, " of ", rows_text(from), " does not fit an extent of ", extent);
    }
    to.push_back(extent);
  }
  return checked(value, std::move(to));
}

Shape concatenated(const Instruction& value, const Operands& operands) {
  check_integers(value, 1);
  if (operands.empty()) refuse(value, "takes one value or more, got none");
  Shape out = *operands[0];
  const std::size_t axis = axis_of(value, value.integers[0], out);
  out[axis] = 0;
  for (const Shape* shape : operands) {
    bool fits = shape->size() == out.size() && (*shape)[axis] != kBatch;
    for (std::size_t i = 0; fits && i < out.size(); ++i) fits = i == axis || (*shape)[i] == out[i];
    if (!fits) {
      refuse(value, "values must agree in all axes but axis ", axis, ", which is not that of the rows, got ",
             rows_text(*operands[0]), " and ", rows_text(*shape));
    }
    out[axis] += (*shape)[axis];
  }
  return out;
}

Shape taken(const Instruction& value, const Shape& from, const Shape& indices) {
  check_integers(value, 1);
  const std::size_t axis = axis_of(value, value.integers[0], from);
  if (from[axis] == kBatch) refuse(value, "cannot take from the axis of the rows");
  Shape to(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
  to.insert(to.end(), indices.begin(), indices.end());
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(axis) + 1, from.end());
  return checked(value, std::move(to));
}

Shape scattered(const Instruction& value, const Shape& from, const Shape& indices) {
  check_integers(value, 2);
  const auto axis = static_cast<std::size_t>(value.integers[0]);
  if (value.integers[0] < 0 || axis + indices.size() > from.size() ||
      !std::equal(indices.begin(), indices.end(), from.begin() + static_cast<std::ptrdiff_t>(axis))) {
    refuse(value, "indices of shape ", rows_text(indices), " are not those of ", rows_text(from), " from axis ",
           value.integers[0], " on");
  }
  Shape to(from.begin(), from.begin() + static_cast<std::ptrdiff_t>(axis));
  to.push_back(value.integers[1]);
  to.insert(to.end(), from.begin() + static_cast<std::ptrdiff_t>(axis + indices.size()), from.end());
  return checked(value, std::move(to));
}

Shape multiplied(const Instruction& value, Shape a, Shape b) {
  check_integers(value, 2);
  if (a.size() < 2 || b.size() < 2) {
    refuse(value, "takes values of two axes or more, got ", rows_text(a), " and ", rows_text(b));
  }
  if (value.integers[0] != 0) std::swap(a[a.size() - 1], a[a.size() - 2]);
  if (value.integers[1] != 0) std::swap(b[b.size() - 1], b[b.size() - 2]);
  if (a.back() != b[b.size() - 2]) {
    refuse(value, "the last axis of the first must be as long as the last but one of the second, got ", rows_text(a),
           " and ", rows_text(b));
  }
  const Shape a_lead(a.begin(), a.end() - 2);
  const Shape b_lead(b.begin(), b.end() - 2);
  Shape out = broadcast(value, {&a_lead, &b_lead});
  out.push_back(a[a.size() - 2]);
  out.push_back(b.back());
  return checked(value, std::move(out));
}

/// What an activation's kernel needs to be told.
struct ActivationNeeds {
  bool row_wise;
  bool keeps_input;
  int parameters;
};

template <typename A>
constexpr int parameters_of() {
  if constexpr (requires { A::info; }) {
    return A::info.count();
  } else {
    return 0;
  }
}

template <typename... A>
constexpr std::array<ActivationNeeds, sizeof...(A)> needs_of(kernels::List<A...>) {
  return {ActivationNeeds{A::row_wise, A::keeps_input, parameters_of<A>()}...};
}

void check_activation(const Instruction& value) {
  static constexpr auto all = needs_of(kernels::ActivationKernels{});
  check_integers(value, 3);
  const Index kernel = value.integers[0];
  if (kernel < 0 || kernel >= static_cast<Index>(all.size())) {
    refuse(value, "there is no kernel ", kernel, "; there are ", all.size());
  }
  const ActivationNeeds& needs = all[static_cast<std::size_t>(kernel)];
  const auto count = static_cast<int>(value.numbers.size());
  if (value.integers[1] != (needs.row_wise ? 1 : 0) || value.integers[2] != (needs.keeps_input ? 1 : 0) ||
      count < needs.parameters || count > kMaxParameters) {
    refuse(value, "kernel ", kernel, " is described wrongly");
  }
}

Shape called(const Instruction& value, const Operands& operands) {
  if (value.function == nullptr) refuse(value, "there is no function to call");
  if (operands.empty() || operands.size() > kMaxFunctionOperands) {
    refuse(value, "takes 1 to ", kMaxFunctionOperands, " operands, got ", operands.size());
  }
  return checked(value, value.function->shape(operands));
}

/// Operands are those of the call, its value and the gradient by that.
Shape called_back(const Instruction& value, const Operands& operands) {
  check_integers(value, 1);
  const Index count = static_cast<Index>(operands.size()) - 2;
  if (value.integers[0] < 0 || value.integers[0] >= count) refuse(value, "there is no operand ", value.integers[0]);
  const Shape shape = called(value, Operands(operands.begin(), operands.end() - 2));
  if (*operands.end()[-2] != shape || *operands.end()[-1] != shape) refuse(value, "takes values of one shape");
  return *operands[static_cast<std::size_t>(value.integers[0])];
}

Shape constant(const Instruction& value) {
  Shape shape = checked(value, value.integers);
  const Count count = count_of(shape);
  const auto given = static_cast<Index>(value.numbers.size());
  if (given != 1 && (count.rows > 0 || given != count.others)) {
    refuse(value, "shape ", rows_text(shape), " takes one number or ", count.others, ", got ", given);
  }
  return shape;
}

}  // namespace

std::string rows_text(const Shape& shape) {
  std::string text = "(";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    if (i > 0) text += ", ";
    text += shape[i] == kBatch ? "None" : std::to_string(shape[i]);
  }
  return text + (shape.size() == 1 ? ",)" : ")");
}

Shape shape_of(const Instruction& value, const Operands& operands) {
  if (const int count = elementwise_operands(value.operation); count > 0) {
    check_count(value, operands, static_cast<std::size_t>(count));
    return checked(value, broadcast(value, operands));
  }
  switch (value.operation) {
    case Operation::input:
    case Operation::weight:
      refuse(value, "is no operation on values");
    case Operation::constant:
      check_count(value, operands, 0);
      return constant(value);
    case Operation::batch_rows:
      check_count(value, operands, 0);
      return {};
    case Operation::concatenate:
      return concatenated(value, operands);
    case Operation::take:
      check_count(value, operands, 2);
      return taken(value, *operands[0], *operands[1]);
    case Operation::scatter:
      check_count(value, operands, 2);
      return scattered(value, *operands[0], *operands[1]);
    case Operation::matmul:
      check_count(value, operands, 2);
      return multiplied(value, *operands[0], *operands[1]);
    case Operation::activation_gradient: {
      check_activation(value);
      check_count(value, operands, 3);
      if (*operands[0] != *operands[1] || *operands[0] != *operands[2]) refuse(value, "takes values of one shape");
      return *operands[0];
    }
    case Operation::call:
      return called(value, operands);
    case Operation::call_gradient:
      return called_back(value, operands);
    case Operation::random: {
      check_count(value, operands, 0);
      if (value.integers.size() < 2) refuse(value, "takes a kind, a number and a shape");
      return checked(value, Shape(value.integers.begin() + 2, value.integers.end()));
    }
    default:
      break;
  }
  check_count(value, operands, 1);
  const Shape& from = *operands[0];
  switch (value.operation) {
    case Operation::sum:
    case Operation::prod:
    case Operation::max:
    case Operation::min:
      return reduced(value, from);
    case Operation::activation:
      check_activation(value);
      if (value.integers[1] != 0 && from.empty()) refuse(value, "takes a row of values, got a number");
      return from;
    case Operation::argmax:
      check_integers(value, 1);
      return reduced(value, from);
    case Operation::cumsum:
      check_integers(value, 2);
      axis_of(value, value.integers[0], from);
      return from;
    case Operation::reshape:
      return reshaped(value, from);
    case Operation::transpose:
      return transposed(value, from);
    case Operation::broadcast_to:
      return broadcasted(value, from);
    case Operation::slice:
      return sliced(value, from);
    case Operation::pad:
      return padded(value, from);
    default:
      return from;
  }
}

}  // namespace laminar
