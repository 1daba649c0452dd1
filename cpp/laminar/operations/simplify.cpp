// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/simplify.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "laminar/operations/run.hpp"
#include "laminar/operations/second_slope.hpp"

namespace laminar {
namespace {

using Op = Operation;

std::size_t at(int value) { return static_cast<std::size_t>(value); }

bool is_power_of_two(double x) {
  int exponent = 0;
  return std::abs(std::frexp(x, &exponent)) == 0.5;
}

class Simplifier {
 public:
  Simplifier(const Program& from, int first) : from_(from), first_(first), readers_(at(from.size()), 0) {
    for (const Instruction& value : from.values()) {
      for (const int read : value.reads) ++readers_[at(read)];
    }
    for (const int output : from.outputs) ++readers_[at(output)];
  }

  Simplified take() {
    for (int i = 0; i < from_.size(); ++i) places_.push_back(write(i));
    for (const int output : from_.outputs) made_.outputs.push_back(places_[at(output)]);
    return {std::move(made_), std::move(places_)};
  }

 private:
  int write(int i) {
    Instruction value = from_[i];
    if (value.operation == Op::input) return made_.add_input(value.shape);
    if (value.operation == Op::weight) return made_.add_weight(value.shape);
    for (int& read : value.reads) read = places_[at(read)];
    if (const int same = equal_operand(value); same >= 0) return made_.add(Op::reshape, {same}, value.shape);
    if (i < first_) return made_.add(std::move(value));
    if (elementwise_operands(value.operation) > 0) read_before_broadcast(value);
    switch (value.operation) {
      case Op::activation_gradient: {
        const int read = value.reads[value.integers[2] != 0 ? 0 : 1];
        value.reads = {read, read, value.reads[2]};
        return put(std::move(value));
      }
      case Op::negative:
        if (readers_[at(from_[i].reads[0])] == 1) {
          if (const int scaled = times(value.reads[0], -1); scaled >= 0) return scaled;
        }
        return put(std::move(value));
      case Op::multiply:
        return multiply(i, std::move(value));
      case Op::add:
        return add(std::move(value));
      default:
        return put(std::move(value));
    }
  }

  /// The place of a value, which may be there already.
  int put(Instruction value) {
    if (value.operation == Op::random || value.function != nullptr) return made_.add(std::move(value));
    for (int i = made_.size(); i-- > first_;) {
      const Instruction& other = made_[i];
      if (other.operation == value.operation && other.reads == value.reads && other.integers == value.integers &&
          other.numbers == value.numbers) {
        return i;
      }
    }
    return made_.add(std::move(value));
  }
  int put(Op operation, std::vector<int> reads) { return put(Instruction{operation, std::move(reads)}); }
  int number(double x) { return put(Instruction{Op::constant, {}, {}, {x}}); }

  /// Lets an operation on elements repeat operands itself, in place of reading them repeated.
  void read_before_broadcast(Instruction& value) {
    std::vector<int> reads = value.reads;
    for (int& read : reads) {
      if (made_[read].operation == Op::broadcast_to) read = made_[read].reads[0];
    }
    std::vector<const Shape*> shapes;
    for (const int read : reads) shapes.push_back(&made_.shape(read));
    if (reads != value.reads && shape_of(value, shapes) == value.shape) value.reads = std::move(reads);
  }

  /// A single number.
  std::optional<double> constant(int value) const {
    const Instruction& made = made_[value];
    const bool single = made.operation == Op::constant && made.shape.empty() && made.numbers.size() == 1;
    return single ? std::optional(made.numbers[0]) : std::nullopt;
  }

  /// The operand that a value equals, element by element, or -1: a sum of one number, a product with 1.
  int equal_operand(const Instruction& value) const {
    if (value.reads.empty() || made_.shape(value.reads[0]) != value.shape) return -1;
    switch (value.operation) {
      case Op::sum:
      case Op::prod:
      case Op::max:
      case Op::min:
        return value.reads[0];  // as its shape is the same, it had one element along each axis
      case Op::multiply:
      case Op::divide:
        return constant(value.reads[1]) == 1.0 ? value.reads[0] : -1;
      default:
        return -1;
    }
  }

  /// The value that is squared, or -1.
  int squared(int value) const { return made_[value].operation == Op::square ? made_[value].reads[0] : -1; }

  /// The activation whose slope, times a gradient, is what an instruction adds to it: 1 - a^2 or a - a^2.
  int activation_of_slope(int slope) const {
    const Instruction& value = made_[slope];
    if (value.operation != Op::subtract) return -1;
    const int a = squared(value.reads[1]);
    if (a < 0) return -1;
    if (made_[a].operation == Op::tanh && constant(value.reads[0]) == 1.0) return a;
    return made_[a].operation == Op::sigmoid && value.reads[0] == a ? a : -1;
  }

  int multiply(int i, Instruction value) {
    const int a = activation_of_slope(value.reads[1]);
    if (a >= 0 && made_.shape(a) == value.shape && made_.shape(value.reads[0]) == value.shape) {
      const Index kernel = activation_kernel(name_of(made_[a].operation));
      return put(Instruction{Op::activation_gradient, {a, a, value.reads[0]}, {kernel, 0, 0}});
    }
    const std::optional<double> factor = constant(value.reads[1]);
    if (factor && is_power_of_two(*factor) && readers_[at(from_[i].reads[0])] == 1) {
      if (const int scaled = times(value.reads[0], *factor); scaled >= 0) return scaled;
    }
    return put(std::move(value));
  }

  /// A gradient that is a product times a power of two, if that costs nothing or is had for less, else -1.
  int times(int value, double factor) {
    if (value < first_ || made_[value].operation != Op::multiply) return -1;
    for (const std::size_t side : {0U, 1U}) {
      const int one = made_[value].reads[side];
      const int other = made_[value].reads[1 - side];
      if (const std::optional<double> own = constant(other)) {
        const double together = *own * factor;
        return together == 1 ? one : put(Op::multiply, {one, number(together)});
      }
    }
    for (const std::size_t side : {0U, 1U}) {
      const int one = made_[value].reads[side];
      const int other = made_[value].reads[1 - side];
      int scaled = times(one, factor);
      if (scaled < 0 && row_width(made_.shape(one)) < row_width(made_.shape(value))) {
        scaled = put(Op::multiply, {one, number(factor)});
      }
      if (scaled >= 0) return side == 0 ? put(Op::multiply, {scaled, other}) : put(Op::multiply, {other, scaled});
    }
    return -1;
  }

  int add(Instruction value) {
    if (const int whole = side_by_side(value); whole >= 0) return whole;
    for (const std::size_t side : {1U, 0U}) {
      const Instruction& one = made_[value.reads[side]];
      if (one.operation != Op::negative) continue;
      return put(Op::subtract, {value.reads[1 - side], one.reads[0]});
    }
    return put(std::move(value));
  }

  /// The axis along which a value is the only one that is not 0 in some places, the others being those of `pad`.
  std::optional<std::size_t> padded_axis(const Instruction& pad) const {
    if (pad.operation != Op::pad) return std::nullopt;
    const Shape& inner = made_.shape(pad.reads[0]);
    std::optional<std::size_t> axis;
    for (std::size_t k = 0; k < inner.size(); ++k) {
      if (pad.integers[3 * k + 2] != 1) return std::nullopt;
      if (inner[k] == pad.shape[k]) continue;
      if (axis) return std::nullopt;
      axis = k;
    }
    return axis;
  }

  /// Sums of paddings that fill a value between them are these paddings' operands, one after the other; -1 for
  /// any other sum.
  int side_by_side(const Instruction& sum) {
    std::vector<int> terms;
    std::vector<int> left = sum.reads;
    while (!left.empty()) {
      const int term = left.back();
      left.pop_back();
      if (made_[term].operation == Op::add && term >= first_) {
        left.insert(left.end(), made_[term].reads.begin(), made_[term].reads.end());
      } else {
        terms.push_back(term);
      }
    }
    const std::optional<std::size_t> axis = padded_axis(made_[terms[0]]);
    if (!axis) return -1;
    const auto begin = [&](int term) { return made_[term].integers[3 * *axis]; };
    for (const int term : terms) {
      if (padded_axis(made_[term]) != axis) return -1;
    }
    std::sort(terms.begin(), terms.end(), [&](int a, int b) { return begin(a) < begin(b); });
    Instruction whole{Op::concatenate, {}, {static_cast<Index>(*axis)}};
    Index end = 0;
    for (const int term : terms) {
      if (begin(term) != end) return -1;
      whole.reads.push_back(made_[term].reads[0]);
      end += made_.shape(whole.reads.back())[*axis];
    }
    return end == sum.shape[*axis] ? put(std::move(whole)) : -1;
  }

  const Program& from_;
  const int first_;
  std::vector<int> readers_;  // of the old values
  Program made_;
  std::vector<int> places_;
};

}  // namespace

Simplified simplify(const Program& program, int first) { return Simplifier(program, first).take(); }

}  // namespace laminar
