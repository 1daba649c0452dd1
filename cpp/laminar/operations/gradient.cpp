// SPDX-License-Identifier: Apache-2.0
// What every operation's gradient is, in operations: so gradients have gradients.
#include <algorithm>
#include <numeric>

#include "laminar/base/error.hpp"
#include "laminar/operations/program.hpp"
#include "laminar/operations/second_slope.hpp"

namespace laminar {
namespace {

using Op = Operation;

class Reverse {
 public:
  Reverse(Program& program, const std::vector<Cotangent>& of, const std::vector<int>& by) : program_(program) {
    int last = 0;
    for (const Cotangent& each : of) last = std::max(last, each.output);
    gradients_.assign(at(last) + 1, -1);
    wanted_.assign(gradients_.size(), 0);
    for (const int value : by) {
      if (value <= last) wanted_[at(value)] = 1;
    }
    for (int i = 0; i <= last; ++i) {  // whatever depends on one of them
      for (const int read : program[i].reads) wanted_[at(i)] |= wanted_[at(read)];
    }
    for (const Cotangent& each : of) give(each.output, each.d_output);
    for (int i = last; i >= 0; --i) {
      if (gradients_[at(i)] >= 0) back(i, gradients_[at(i)]);
    }
  }

  int gradient(int value) const { return value < static_cast<int>(gradients_.size()) ? gradients_[at(value)] : -1; }

 private:
  static std::size_t at(int value) { return static_cast<std::size_t>(value); }

  bool wants(int value) const { return wanted_[at(value)] != 0; }
  const Shape& shape(int value) const { return program_.shape(value); }

  int apply(Op operation, std::vector<int> reads, std::vector<Index> integers = {}) {
    return program_.add(operation, std::move(reads), std::move(integers));
  }
  int add(int a, int b) { return apply(Op::add, {a, b}); }
  int multiply(int a, int b) { return apply(Op::multiply, {a, b}); }
  int times(int a, double factor) { return multiply(a, program_.number(factor)); }
  int divide(int a, int b) { return apply(Op::divide, {a, b}); }
  int negative(int a) { return apply(Op::negative, {a}); }
  int zero() { return program_.number(0); }
  /// a where the condition holds, 0 elsewhere, whatever a is there.
  int masked(int condition, int a) { return apply(Op::where, {condition, a, zero()}); }

  /// Sums what broadcasting has repeated: axes of values first, that of the rows last.
  int summed_to(int d, const Shape to) {  // a copy: the program grows
    const Shape from = shape(d);
    if (from == to) return d;
    const std::size_t more = from.size() - to.size();
    std::vector<Index> axes;
    bool rows = false;
    for (std::size_t i = 0; i < from.size(); ++i) {
      if (i >= more && (to[i - more] != 1 || from[i] == 1)) continue;
      if (i == 0 && from[i] == kBatch) {
        rows = true;
      } else {
        axes.push_back(static_cast<Index>(i));
      }
    }
    if (!axes.empty()) d = apply(Op::sum, {d}, axes);
    if (rows) d = apply(Op::sum, {d}, {0});
    return shape(d) == to ? d : apply(Op::reshape, {d}, to);
  }

  /// Adds to the gradient of a value.
  void give(int value, int d) {
    if (!wants(value)) return;
    d = summed_to(d, shape(value));
    if (shape(d) != shape(value)) d = apply(Op::broadcast_to, {d}, shape(value));
    int& sum = gradients_[at(value)];
    sum = sum < 0 ? d : add(sum, d);
  }

  void back(int i, int d) {
    const Instruction value = program_[i];  // a copy: the program grows
    const std::vector<int>& reads = value.reads;
    const int a = reads.empty() ? -1 : reads[0];
    const int b = reads.size() > 1 ? reads[1] : -1;
    switch (value.operation) {
      case Op::input:
      case Op::weight:
      case Op::constant:
      case Op::batch_rows:
      case Op::random:
      case Op::stop_gradient:
      case Op::sign:
      case Op::floor:
      case Op::less:
      case Op::less_equal:
      case Op::greater:
      case Op::greater_equal:
      case Op::equal:
      case Op::not_equal:
      case Op::argmax:
        return;

      case Op::negative:
        return give(a, negative(d));
      case Op::abs:
        return give(a, multiply(d, apply(Op::sign, {a})));
      case Op::exp:
        return give(a, multiply(d, i));
      case Op::expm1:
        return give(a, multiply(d, add(i, program_.number(1))));
      case Op::log:
        return give(a, divide(d, a));
      case Op::log1p:
        return give(a, divide(d, add(a, program_.number(1))));
      case Op::sqrt:
        return give(a, divide(times(d, 0.5), i));
      case Op::square:
        return give(a, times(multiply(d, a), 2));
      case Op::sin:
        return give(a, multiply(d, apply(Op::cos, {a})));
      case Op::cos:
        return give(a, negative(multiply(d, apply(Op::sin, {a}))));
      case Op::erf: {
        const int slope = times(apply(Op::exp, {negative(apply(Op::square, {a}))}), 1.1283791670955125739);
        return give(a, multiply(d, slope));
      }
      case Op::tanh:
        return give(a, multiply(d, apply(Op::subtract, {program_.number(1), apply(Op::square, {i})})));
      case Op::sigmoid:
        return give(a, multiply(d, apply(Op::subtract, {i, apply(Op::square, {i})})));

      case Op::add:
        give(a, d);
        return give(b, d);
      case Op::subtract:
        give(a, d);
        if (wants(b)) give(b, negative(d));
        return;
      case Op::multiply:
        if (wants(a)) give(a, multiply(d, b));
        if (wants(b)) give(b, multiply(d, a));
        return;
      case Op::divide:
        if (wants(a)) give(a, divide(d, b));
        if (wants(b)) give(b, negative(divide(multiply(d, i), b)));
        return;
      case Op::power:
        return back_of_power(i, a, b, d);
      case Op::maximum:
      case Op::minimum: {
        const int first = apply(value.operation == Op::maximum ? Op::greater_equal : Op::less_equal, {a, b});
        if (wants(a)) give(a, masked(first, d));
        if (wants(b)) give(b, apply(Op::where, {first, zero(), d}));
        return;
      }
      case Op::where:
        if (wants(b)) give(b, masked(a, d));
        if (wants(reads[2])) give(reads[2], apply(Op::where, {a, zero(), d}));
        return;

      case Op::sum:
        return give(a, apply(Op::broadcast_to, {d}, shape(a)));
      case Op::max:
      case Op::min: {
        const int chosen = apply(Op::equal, {a, i});
        return give(a, multiply(chosen, divide(d, apply(Op::sum, {chosen}, value.integers))));
      }
      case Op::prod:
        return back_of_prod(value, i, a, d);
      case Op::cumsum:
        return give(a, apply(Op::cumsum, {d}, {value.integers[0], value.integers[1] == 0 ? 1 : 0}));

      case Op::reshape:
        return give(a, apply(Op::reshape, {d}, shape(a)));
      case Op::transpose: {
        std::vector<Index> order(value.integers.size());
        for (std::size_t k = 0; k < order.size(); ++k) {
          order[static_cast<std::size_t>(value.integers[k])] = static_cast<Index>(k);
        }
        return give(a, apply(Op::transpose, {d}, order));
      }
      case Op::broadcast_to:
        return give(a, d);
      case Op::slice: {
        std::vector<Index> places = value.integers;
        for (std::size_t k = 0; k < shape(a).size(); ++k) places[3 * k + 1] = shape(a)[k];
        return give(a, apply(Op::pad, {d}, places));
      }
      case Op::pad: {
        std::vector<Index> places = value.integers;
        for (std::size_t k = 0; k < shape(a).size(); ++k) places[3 * k + 1] = shape(a)[k];
        return give(a, apply(Op::slice, {d}, places));
      }
      case Op::concatenate:
        return back_of_concatenate(value, d);
      case Op::take: {
        const Index axis = value.integers[0];
        if (wants(a)) give(a, apply(Op::scatter, {d, b}, {axis, shape(a)[static_cast<std::size_t>(axis)]}));
        return;
      }
      case Op::scatter:
        if (wants(a)) give(a, apply(Op::take, {d, b}, {value.integers[0]}));
        return;
      case Op::matmul: {
        const Index ta = value.integers[0];
        const Index tb = value.integers[1];
        if (wants(a)) {
          give(a, ta == 0 ? apply(Op::matmul, {d, b}, {0, 1 - tb}) : apply(Op::matmul, {b, d}, {tb, 1}));
        }
        if (wants(b)) {
          give(b, tb == 0 ? apply(Op::matmul, {a, d}, {1 - ta, 0}) : apply(Op::matmul, {d, a}, {1, ta}));
        }
        return;
      }
      case Op::activation:
        return give(a, program_.add(Op::activation_gradient, {a, i, d}, value.integers, value.numbers));
      case Op::activation_gradient:
        return back_of_slope(value, d);
      case Op::call:
        return back_of_call(value, i, d);
      case Op::call_gradient:
        fail("call: the gradient of the function '", value.function->name(), "' has no gradient itself");
    }
  }

  void back_of_call(const Instruction& value, int i, int d) {
    if (!value.function->traits().gradient) {
      fail("call: the function '", value.function->name(), "' has no gradient (vjp), which is needed to train what ",
           "stands before it");
    }
    for (std::size_t k = 0; k < value.reads.size(); ++k) {
      if (!wants(value.reads[k])) continue;
      Instruction gradient = value;
      gradient.operation = Op::call_gradient;
      gradient.reads.insert(gradient.reads.end(), {i, d});
      gradient.integers = {static_cast<Index>(k)};
      give(value.reads[k], program_.add(std::move(gradient)));
    }
  }

  void back_of_slope(const Instruction& value, int e) {
    const int z = value.reads[0];
    const int d = value.reads[2];
    const SlopeGradients gradients = add_slope_gradients(program_, value, e, wants(z), wants(d));
    if (gradients.z >= 0) give(z, gradients.z);
    if (gradients.d >= 0) give(d, gradients.d);
  }

  void back_of_power(int i, int a, int b, int d) {
    const int one = program_.number(1);
    if (wants(a)) {
      const int slope = multiply(b, apply(Op::power, {a, apply(Op::subtract, {b, one})}));
      give(a, multiply(d, masked(b, slope)));  // a^0 is 1 everywhere
    }
    if (!wants(b)) return;
    const int positive = apply(Op::greater, {a, zero()});
    const int log = apply(Op::log, {apply(Op::where, {positive, a, one})});
    give(b, multiply(d, multiply(i, log)));
  }

  // Where one factor is 0 the slope by it is the product of the others.
  void back_of_prod(const Instruction& value, int i, int a, int d) {
    const int none = apply(Op::equal, {a, zero()});
    const int others = apply(Op::where, {none, program_.number(1), a});
    const int zeros = apply(Op::sum, {none}, value.integers);
    const int alone = apply(Op::equal, {zeros, program_.number(1)});
    const int by_zero = multiply(none, masked(alone, apply(Op::prod, {others}, value.integers)));
    const int by_others = apply(Op::where, {none, zero(), divide(i, others)});
    give(a, multiply(d, add(by_zero, by_others)));
  }

  void back_of_concatenate(const Instruction& value, int d) {
    const auto axis = static_cast<std::size_t>(value.integers[0]);
    Index first = 0;
    for (const int read : value.reads) {
      const Shape part = shape(read);
      if (wants(read)) {
        std::vector<Index> places;
        for (std::size_t k = 0; k < part.size(); ++k) {
          places.insert(places.end(), {k == axis ? first : 0, part[k], 1});
        }
        give(read, apply(Op::slice, {d}, places));
      }
      first += part[axis];
    }
  }

  Program& program_;
  std::vector<int> gradients_;
  std::vector<char> wanted_;
};

}  // namespace

std::vector<int> add_gradients(Program& program, const std::vector<Cotangent>& of, const std::vector<int>& by) {
  for (const auto& [output, d_output] : of) {
    if (program.shape(output) == program.shape(d_output)) continue;
    fail("d_output: must be of shape ", rows_text(program.shape(output)), ", got ", rows_text(program.shape(d_output)));
  }
  const Reverse reverse(program, of, by);
  std::vector<int> gradients;
  for (const int value : by) gradients.push_back(reverse.gradient(value));
  return gradients;
}

}  // namespace laminar
