// SPDX-License-Identifier: Apache-2.0
// Programs of operations: values against the C library, gradients of every operation and their gradients
// against central differences, parts of rows, shapes that do not fit.
#include <map>

#include "laminar/base/buffer.hpp"
#include "laminar/files/config.hpp"
#include "laminar/operations/run.hpp"
#include "laminar/operations/simplify.hpp"
#include "own_parts.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

using Op = Operation;

/// A program of one operation, and what its inputs may be.
struct Example {
  Program program;
  double low = -2;
  double high = 2;
  bool smooth = true;        // has a gradient that differences show
  std::vector<int> by = {};  // inputs that it has one by; empty: all
  Index whole = 0;           // inputs hold whole numbers below this
};

Program program_of(std::vector<Shape> inputs, Op operation, std::vector<Index> integers = {},
                   std::vector<double> numbers = {}) {
  Program program;
  std::vector<int> reads;
  for (Shape& shape : inputs) reads.push_back(program.add_input(std::move(shape)));
  program.outputs = {program.add(operation, std::move(reads), std::move(integers), std::move(numbers))};
  return program;
}

/// An example of each operation; none for those that stand for something given.
std::map<Op, std::vector<Example>> examples() {
  std::map<Op, std::vector<Example>> all;
  for (const Op op : {Op::negative, Op::exp, Op::expm1, Op::square, Op::sin, Op::cos, Op::erf, Op::tanh, Op::sigmoid}) {
    all[op] = {{program_of({{kBatch, 5}}, op)}};
  }
  all[Op::abs] = {{program_of({{kBatch, 5}}, Op::abs), 0.1, 2}, {program_of({{kBatch, 5}}, Op::abs), -2, -0.1}};
  for (const Op op : {Op::log, Op::sqrt}) all[op] = {{program_of({{kBatch, 2, 3}}, op), 0.2, 3}};
  all[Op::log1p] = {{program_of({{kBatch, 5}}, Op::log1p), -0.9, 3}};
  for (const Op op : {Op::sign, Op::floor}) all[op] = {{program_of({{kBatch, 5}}, op), -2, 2, false}};
  for (const Op op : {Op::add, Op::subtract, Op::multiply, Op::maximum, Op::minimum}) {
    all[op] = {{program_of({{kBatch, 5}, {kBatch, 5}}, op)},
               {program_of({{kBatch, 2, 3}, {kBatch, 1, 3}}, op)},
               {program_of({{kBatch, 33}, {kBatch, 1}}, op)},
               {program_of({{kBatch, 1, 4}, {kBatch, 3, 1}}, op)}};
  }
  all[Op::divide] = {{program_of({{kBatch, 5}, {kBatch, 1}}, Op::divide), 0.5, 2}};
  all[Op::power] = {{program_of({{kBatch, 5}, {kBatch, 5}}, Op::power), 0.5, 2}};
  for (const Op op : {Op::less, Op::less_equal, Op::greater, Op::greater_equal, Op::equal, Op::not_equal}) {
    all[op] = {{program_of({{kBatch, 5}, {kBatch, 5}}, op), -2, 2, false}};
  }
  all[Op::where] = {{.program = program_of({{kBatch, 5}, {kBatch, 5}, {kBatch, 1}}, Op::where), .by = {1, 2}}};
  for (const Op op : {Op::sum, Op::prod, Op::max, Op::min}) {
    for (const std::vector<Index>& axes :
         std::vector<std::vector<Index>>{{1}, {2}, {1, 2}, {0}, {0, 1, 2}, {0, 2}, {}}) {
      all[op].push_back({program_of({{kBatch, 3, 4}}, op, axes)});
    }
  }
  all[Op::argmax] = {{program_of({{kBatch, 3, 4}}, Op::argmax, {2}), -2, 2, false}};
  for (const Index axis : {0, 1, 2}) {
    for (const Index from_end : {0, 1}) {
      all[Op::cumsum].push_back({program_of({{kBatch, 3, 4}}, Op::cumsum, {axis, from_end})});
    }
  }
  all[Op::reshape] = {{program_of({{kBatch, 3, 4}}, Op::reshape, {kBatch, 12})}};
  all[Op::transpose] = {{program_of({{kBatch, 3, 4}}, Op::transpose, {0, 2, 1})},
                        {program_of({{kBatch, 3, 4}}, Op::transpose, {2, 0, 1})}};
  all[Op::broadcast_to] = {{program_of({{kBatch, 1, 4}}, Op::broadcast_to, {kBatch, 3, 4})}};
  all[Op::slice] = {{program_of({{kBatch, 3, 5}}, Op::slice, {0, kBatch, 1, 2, 2, -2, 1, 2, 2})}};
  all[Op::pad] = {{program_of({{kBatch, 3, 2}}, Op::pad, {0, kBatch, 1, 1, 9, 3, 0, 4, 1})}};
  all[Op::concatenate] = {{program_of({{kBatch, 3, 4}, {kBatch, 2, 4}}, Op::concatenate, {1})},
                          {program_of({{kBatch, 3}, {kBatch, 2}}, Op::concatenate, {1})}};
  all[Op::take] = {{.program = program_of({{4, 3}, {kBatch, 2}}, Op::take, {0}), .by = {0}, .whole = 4}};
  all[Op::scatter] = {{.program = program_of({{kBatch, 3, 2}, {3}}, Op::scatter, {1, 4}), .by = {0}, .whole = 4}};
  for (const Index a : {0, 1}) {
    for (const Index b : {0, 1}) {
      const Shape left = a == 0 ? Shape{kBatch, 4, 5} : Shape{kBatch, 5, 4};
      const Shape right = b == 0 ? Shape{kBatch, 5, 3} : Shape{kBatch, 3, 5};
      all[Op::matmul].push_back({program_of({left, right}, Op::matmul, {a, b})});
      all[Op::matmul].push_back({program_of({left, {right[1], right[2]}}, Op::matmul, {a, b})});
    }
  }
  all[Op::matmul].push_back({program_of({{kBatch, 5}, {5, 3}}, Op::matmul, {0, 0})});
  all[Op::stop_gradient] = {{program_of({{kBatch, 5}}, Op::stop_gradient), -2, 2, false}};
  all[Op::random] = {{program_of({}, Op::random, {1, 0, kBatch, 3}), -2, 2, false}};
  const Activation softmax("softmax");
  all[Op::activation] = {{program_of({{kBatch, 5}}, Op::activation, {softmax.kernel(), 1, 0})},
                         {program_of({{kBatch, 19}}, Op::activation, {Activation("gelu").kernel(), 0, 1}, {0})},
                         {program_of({{kBatch, 3}}, Op::activation, {Activation("softplus").kernel(), 0, 0})}};
  all[Op::activation_gradient] = {{.program = program_of({{kBatch, 5}, {kBatch, 5}, {kBatch, 5}},
                                                         Op::activation_gradient, {softmax.kernel(), 1, 0}),
                                   .by = {2}}};
  Instruction call{Op::call, {0}};
  call.function = softsign_kernel();
  Program calls;
  calls.add_input({kBatch, 5});
  calls.outputs = {calls.add(call)};
  all[Op::call] = {{calls}};
  calls.add_input({kBatch, 5});
  call = {Op::call_gradient, {0, 1, 2}, {0}};
  call.function = softsign_kernel();
  calls.outputs = {calls.add(call)};
  all[Op::call_gradient] = {{calls, -2, 2, false}};
  return all;
}

Index count_of(const Shape& shape, Index rows) {
  Index count = 1;
  for (const Index extent : shape) count *= extent == kBatch ? rows : extent;
  return count;
}

using Arrays = std::vector<std::vector<double>>;

template <typename T>
std::vector<std::vector<T>> run_with(const Program& program, const std::vector<std::vector<T>>& inputs, Index rows,
                                     Index first_row = 0) {
  const ProgramPlan plan(program, rows);
  AlignedBuffer<T> memory(plan.size());
  std::vector<RowValues<const T>> in;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    in.push_back({inputs[i].data(), row_width(program.shape(program.inputs()[i]), rows)});
  }
  std::vector<std::vector<T>> results;
  std::vector<RowValues<T>> out;
  for (const int output : program.outputs) {
    results.emplace_back(as_size(count_of(program.shape(output), rows)));
  }
  for (std::size_t o = 0; o < results.size(); ++o) {
    out.push_back({results[o].data(), row_width(program.shape(program.outputs[o]), rows)});
  }
  ProgramRun<T> work{.program = program, .plan = plan, .kernels = kernels::kernels<T>()};
  work.memory = memory.data();
  work.inputs = in;
  work.outputs = out;
  work.rows = rows;
  work.batch = rows;
  work.first_row = first_row;
  run(work);
  return results;
}

Arrays inputs_of(const Example& example, Index rows, std::uint64_t seed) {
  Arrays inputs;
  for (const int input : example.program.inputs()) {
    inputs.push_back(draws<double>(count_of(example.program.shape(input), rows), example.low, example.high, ++seed));
    const bool chosen =
        example.whole > 0 && (example.by.empty() || example.by[0] != static_cast<int>(inputs.size()) - 1);
    for (double& x : inputs.back()) {
      if (chosen) x = std::floor(std::abs(x) / 2 * static_cast<double>(example.whole));
    }
  }
  return inputs;
}

/// The largest difference of gradients from central ones, as a part of the largest gradient.
double gradient_error(const Program& program, std::size_t output, const Arrays& inputs, const std::vector<int>& by,
                      Index rows) {
  Program with = program;
  const int d = with.add_input(with.shape(with.outputs[output]));
  std::vector<int> wanted;
  for (const int input : by) wanted.push_back(with.inputs()[as_size(input)]);
  const std::vector<int> gradients = add_gradients(with, with.outputs[output], d, wanted);
  with.outputs = {with.outputs[output]};
  for (const int gradient : gradients) {
    if (gradient >= 0) with.outputs.push_back(gradient);
  }
  Arrays given = inputs;
  given.push_back(draws<double>(count_of(with.shape(d), rows), -1, 1, 77));
  const Arrays got = run_with(with, given, rows);
  const auto value = [&](const Arrays& at) {
    const Arrays results = run_with(program, at, rows);
    double sum = 0;
    for (std::size_t i = 0; i < results[output].size(); ++i) sum += results[output][i] * given.back()[i];
    return sum;
  };
  double worst = 0;
  double largest = 1;
  std::size_t next = 1;
  for (std::size_t k = 0; k < by.size(); ++k) {
    Arrays at = inputs;
    std::vector<double>& moved = at[as_size(by[k])];
    const bool none = gradients[k] < 0;
    for (std::size_t i = 0; i < moved.size(); ++i) {
      constexpr double step = 1e-5;
      const double x = moved[i];
      moved[i] = x + step;
      const double above = value(at);
      moved[i] = x - step;
      const double below = value(at);
      moved[i] = x;
      const double expected = (above - below) / (2 * step);
      largest = std::max(largest, std::abs(expected));
      worst = std::max(worst, std::abs((none ? 0 : got[next][i]) - expected));
    }
    if (!none) ++next;
  }
  return worst / largest;
}

std::vector<int> all_or(const std::vector<int>& by, std::size_t count) {
  if (!by.empty()) return by;
  std::vector<int> all(count);
  for (std::size_t i = 0; i < count; ++i) all[i] = static_cast<int>(i);
  return all;
}

}  // namespace

TEST_CASE("operations: each has an example here, and gradients that are central differences") {
  const auto known = examples();
  for (const std::string& name : operation_names()) {
    const Op op = operation_of(name);
    if (op == Op::input || op == Op::weight || op == Op::constant || op == Op::batch_rows) continue;
    INFO(name);
    REQUIRE(known.contains(op));
    for (const Example& example : known.at(op)) {
      if (!example.smooth) continue;
      const Arrays inputs = inputs_of(example, 3, 5);
      CHECK(gradient_error(example.program, 0, inputs, all_or(example.by, inputs.size()), 3) < 1e-6);
    }
  }
}

TEST_CASE("operations: gradients of gradients are central differences") {
  for (const auto& [op, all] : examples()) {
    if (op == Op::activation || op == Op::activation_gradient || op == Op::prod || op == Op::call) continue;
    INFO(name_of(op));
    for (const Example& example : all) {
      if (!example.smooth) continue;
      Program with = example.program;
      const int d = with.add_input(with.shape(with.outputs[0]));
      const std::vector<int> by = all_or(example.by, example.program.inputs().size());
      std::vector<int> wanted;
      for (const int input : by) wanted.push_back(with.inputs()[as_size(input)]);
      with.outputs = add_gradients(with, with.outputs[0], d, wanted);
      Arrays inputs = inputs_of(example, 3, 5);
      inputs.push_back(draws<double>(count_of(with.shape(d), 3), -1, 1, 9));
      std::vector<int> again = by;
      again.push_back(static_cast<int>(inputs.size()) - 1);
      CHECK(gradient_error(with, 0, inputs, again, 3) < 1e-6);
    }
  }
}

TEST_CASE_TEMPLATE("operations: elementwise ones are those of the C library at every size", T, float, double) {
  struct Known {
    Op op;
    double (*value)(double);
    double low;
    double high;
  };
  const Known known[] = {
      {Op::exp, std::exp, -80, 80},       {Op::expm1, std::expm1, -5, 5}, {Op::log, std::log, 1e-6, 1e6},
      {Op::log1p, std::log1p, -0.999, 9}, {Op::sqrt, std::sqrt, 0, 9},    {Op::sin, std::sin, -60, 60},
      {Op::cos, std::cos, -60, 60},       {Op::erf, std::erf, -4, 4},     {Op::tanh, std::tanh, -9, 9},
      {Op::abs, std::fabs, -2, 2},        {Op::floor, std::floor, -9, 9}};
  for (const Known& each : known) {
    INFO(name_of(each.op));
    for (const Index size : kSizes) {
      const auto x = draws<T>(3 * size, each.low, each.high, 3);
      const auto got = run_with<T>(program_of({{kBatch, size}}, each.op), {x}, 3);
      std::vector<double> expected;
      for (const T value : x) expected.push_back(each.value(static_cast<double>(value)));
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double error = std::abs(static_cast<double>(got[0][i]) - expected[i]);
        CHECK(error <= 8 * std::numeric_limits<T>::epsilon() * std::max(std::abs(expected[i]), 1e-2));
      }
    }
  }
}

TEST_CASE_TEMPLATE("operations: extreme values are those of the C library", T, float, double) {
  const T infinity = std::numeric_limits<T>::infinity();
  const std::vector<T> x{T(0), -T(0), kNan<T>, infinity, -infinity, T(1e-30), T(-1e30), T(12345.6), T(3e5), T(1e8)};
  const auto width = static_cast<Index>(x.size());
  for (const Op op : {Op::sin, Op::cos, Op::exp, Op::log, Op::erf, Op::tanh, Op::floor, Op::sqrt}) {
    INFO(name_of(op));
    const auto got = run_with<T>(program_of({{kBatch, width}}, op), {x}, 1)[0];
    for (std::size_t i = 0; i < x.size(); ++i) {
      const auto v = static_cast<double>(x[i]);
      const double expected = op == Op::sin     ? std::sin(v)
                              : op == Op::cos   ? std::cos(v)
                              : op == Op::exp   ? static_cast<double>(std::exp(x[i]))
                              : op == Op::log   ? std::log(v)
                              : op == Op::erf   ? std::erf(v)
                              : op == Op::tanh  ? std::tanh(v)
                              : op == Op::floor ? std::floor(v)
                                                : std::sqrt(v);
      INFO(v);
      if (std::isnan(expected)) {
        CHECK(std::isnan(got[i]));
      } else if (std::isinf(expected)) {
        CHECK(static_cast<double>(got[i]) == expected);
      } else {
        CHECK(static_cast<double>(got[i]) ==
              doctest::Approx(expected).epsilon(20 * static_cast<double>(std::numeric_limits<T>::epsilon())));
      }
    }
  }
}

TEST_CASE_TEMPLATE("operations: rows in any parts give the same bits", T, float, double) {
  for (const auto& [op, all] : examples()) {
    INFO(name_of(op));
    for (const Example& example : all) {
      const Program& program = example.program;
      const auto known = dependences(program);
      if (known[as_size(program.outputs[0])] != Dependence::rows) continue;
      const auto starts_with_rows = [&](int value) {
        return !program.shape(value).empty() && program.shape(value)[0] == kBatch;
      };
      if (!starts_with_rows(program.outputs[0])) continue;
      std::vector<std::vector<T>> inputs;
      for (const auto& values : inputs_of(example, 7, 2)) inputs.emplace_back(values.begin(), values.end());
      const auto whole = run_with<T>(program, inputs, 7)[0];
      std::vector<T> parts;
      for (const auto& [first, count] : {std::pair<Index, Index>{0, 1}, {1, 4}, {5, 2}}) {
        std::vector<std::vector<T>> own;
        for (std::size_t i = 0; i < inputs.size(); ++i) {
          const int input = program.inputs()[i];
          const Index width = starts_with_rows(input) ? row_width(program.shape(input)) : 0;
          const auto begin = inputs[i].begin() + first * width;
          own.emplace_back(begin, width > 0 ? begin + count * width : inputs[i].end());
        }
        const auto part = run_with<T>(program, own, count, first)[0];
        parts.insert(parts.end(), part.begin(), part.end());
      }
      CHECK(bit_difference(parts, whole) == "");
    }
  }
}

namespace {

/// A program whose outputs are the gradients of another's first by its inputs, and how many values the other has.
std::pair<Program, int> gradient_program(Program program, const std::vector<int>& by) {
  const int first = program.size();
  const int d = program.add_input(program.shape(program.outputs[0]));
  std::vector<int> wanted;
  for (const int input : by) wanted.push_back(program.inputs()[as_size(input)]);
  std::vector<int> gradients = add_gradients(program, program.outputs[0], d, wanted);
  std::erase(gradients, -1);
  program.outputs = std::move(gradients);
  return {std::move(program), first};
}

int count(const Program& program, Op operation) {
  const auto is = [&](const Instruction& value) { return value.operation == operation; };
  return static_cast<int>(std::count_if(program.values().begin(), program.values().end(), is));
}

}  // namespace

TEST_CASE("operations: gradients that are simplified have the same values") {
  for (const auto& [op, all] : examples()) {
    INFO(name_of(op));
    for (const Example& example : all) {
      if (!example.smooth) continue;
      const std::vector<int> by = all_or(example.by, example.program.inputs().size());
      const auto& [given, first] = gradient_program(example.program, by);
      const Program made = simplify(given, first).program;
      Arrays inputs = inputs_of(example, 17, 5);
      inputs.push_back(draws<double>(count_of(given.shape(given.inputs().back()), 17), -1, 1, 9));
      const Arrays expected = run_with<double>(given, inputs, 17);
      const Arrays got = run_with<double>(made, inputs, 17);
      REQUIRE(got.size() == expected.size());
      for (std::size_t o = 0; o < got.size(); ++o) {  // but for what a slope in one step rounds less
        for (std::size_t i = 0; i < got[o].size(); ++i) {
          CHECK(std::abs(got[o][i] - expected[o][i]) <= 1e-14 * std::max(1.0, std::abs(expected[o][i])));
        }
      }
    }
  }
}

TEST_CASE("operations: gradients take no step that they can do without") {
  SUBCASE("powers of two go to the smaller factor") {
    Program program;
    const int x = program.add_input({kBatch, 1, 4});
    const int centres = program.add_input({3, 4});
    const int difference = program.add(Op::subtract, {x, centres});
    program.outputs = {program.add(Op::sum, {program.add(Op::square, {difference})}, {2})};
    const auto [given, first] = gradient_program(program, {1});
    const Program made = extract(simplify(given, first).program, simplify(given, first).program.outputs).program;
    int wide = 0;
    for (const Instruction& value : made.values()) {
      if (elementwise_operands(value.operation) > 0 && value.shape == Shape{kBatch, 3, 4}) ++wide;
    }
    CHECK(wide == 2);  // the difference, and what it is multiplied by
    CHECK(count(made, Op::negative) == 0);
  }
  SUBCASE("slices of one value give back one value") {
    Program program;
    const int x = program.add_input({kBatch, 6});
    const int a = program.add(Op::slice, {x}, {0, kBatch, 1, 0, 2, 1});
    const int b = program.add(Op::slice, {x}, {0, kBatch, 1, 4, 2, 1});
    const int c = program.add(Op::slice, {x}, {0, kBatch, 1, 2, 2, 1});
    program.outputs = {program.add(Op::multiply, {program.add(Op::multiply, {a, b}), program.add(Op::exp, {c})})};
    const auto [given, first] = gradient_program(program, {0});
    const Simplified made = simplify(given, first);
    const Program needed = extract(made.program, made.program.outputs).program;
    CHECK(count(needed, Op::concatenate) == 1);
    CHECK(count(needed, Op::pad) == 0);
    const std::vector<std::vector<double>> inputs{draws<double>(5 * 6, -1, 1, 1), draws<double>(5 * 2, -1, 1, 2)};
    CHECK(run_with<double>(needed, inputs, 5) == run_with<double>(given, inputs, 5));
  }
  SUBCASE("slices that overlap, or leave a gap, are added up") {
    for (const Index begin : {1, 3}) {
      Program program;
      const int x = program.add_input({kBatch, 5});
      const int a = program.add(Op::slice, {x}, {0, kBatch, 1, 0, 2, 1});
      const int b = program.add(Op::slice, {x}, {0, kBatch, 1, begin, 2, 1});
      program.outputs = {program.add(Op::multiply, {a, b})};
      const auto [given, first] = gradient_program(program, {0});
      const Program made = simplify(given, first).program;
      CHECK(count(made, Op::concatenate) == 0);
      const std::vector<std::vector<double>> inputs{draws<double>(7 * 5, -1, 1, 1), draws<double>(7 * 2, -1, 1, 2)};
      CHECK(run_with<double>(made, inputs, 7) == run_with<double>(given, inputs, 7));
    }
  }
  SUBCASE("what is computed twice is computed once") {
    Program program;
    const int x = program.add_input({kBatch, 4});
    const int first = program.add(Op::exp, {x});
    const int second = program.add(Op::exp, {x});
    program.outputs = {program.add(Op::divide, {first, program.add(Op::subtract, {second, x})})};
    CHECK(count(simplify(program, first).program, Op::exp) == 1);
  }
}

TEST_CASE_TEMPLATE("operations: a sum over rows computes what it alone reads, to the same bits", T, float, double) {
  for (const Index rows : {1, 7, 300, 601}) {
    Program program;
    const int x = program.add_input({kBatch, 5, 3});
    const int d = program.add_input({kBatch, 5, 1});
    const int product = program.add(Op::multiply, {x, d});
    program.outputs = {program.add(Op::sum, {product}, {0})};
    CHECK(ProgramPlan(program, rows)[product].summed_by == program.outputs[0]);
    const std::vector<std::vector<T>> inputs{draws<T>(rows * 15, -1, 1, 1), draws<T>(rows * 5, -1, 1, 2)};
    const auto alone = run_with<T>(program, inputs, rows);
    program.outputs.push_back(product);
    CHECK(ProgramPlan(program, rows)[product].summed_by == -1);
    CHECK(bit_difference(alone[0], run_with<T>(program, inputs, rows)[0]) == "");
  }
}

TEST_CASE("operations: what depends on other rows is known to") {
  const auto depends = [](const Program& program) { return dependences(program)[as_size(program.outputs[0])]; };
  CHECK(depends(program_of({{kBatch, 3}}, Op::sum, {1})) == Dependence::rows);
  CHECK(depends(program_of({{kBatch, 3}}, Op::sum, {0})) == Dependence::batch);
  CHECK(depends(program_of({{kBatch, 3}}, Op::cumsum, {0, 0})) == Dependence::batch);
  CHECK(depends(program_of({{kBatch, 3}, {3}}, Op::add)) == Dependence::rows);
  CHECK(depends(program_of({{kBatch, 1}, {kBatch}}, Op::add)) == Dependence::batch);
  CHECK(depends(program_of({{kBatch, 3}, {3, 2}}, Op::matmul, {0, 0})) == Dependence::rows);
  CHECK(depends(program_of({{kBatch, 3}, {kBatch, 3}}, Op::matmul, {0, 1})) == Dependence::batch);
  CHECK(depends(program_of({{kBatch, 3}, {kBatch, 3}}, Op::matmul, {1, 0})) == Dependence::batch);
  CHECK(depends(program_of({{3}, {3}}, Op::add)) == Dependence::none);
}

TEST_CASE("operations: shapes that do not fit are refused, all of them named") {
  const auto refused = [](std::vector<Shape> inputs, Op op, std::vector<Index> integers = {}) -> std::string {
    try {
      program_of(std::move(inputs), op, std::move(integers));
    } catch (const std::invalid_argument& error) {
      return error.what();
    }
    return "";
  };
  CHECK(refused({{kBatch, 3}, {kBatch, 4}}, Op::add) ==
        "add: shapes (None, 3), (None, 4) do not go together: from the last axis on, extents must be equal, or 1");
  CHECK(refused({{kBatch, 3}, {4, 5}}, Op::matmul, {0, 0}).find("(None, 3) and (4, 5)") != std::string::npos);
  CHECK(refused({{kBatch, 3}}, Op::sum, {2}) == "sum: axis 2 is none of shape (None, 3)");
  CHECK(refused({{kBatch, 6}}, Op::reshape, {kBatch, 5}).find("(None, 6) cannot become (None, 5)") !=
        std::string::npos);
  CHECK(refused({{kBatch, 3}, {kBatch, 3}}, Op::exp) == "exp: takes 1 operands, got 2");
  CHECK(refused({{kBatch, 3}, {kBatch, 3}}, Op::concatenate, {0}).find("not that of the rows") != std::string::npos);
  CHECK(refused({{kBatch, 3}}, Op::slice, {0, kBatch, 1, 2, 2, 1}).find("do not lie in axis 1") != std::string::npos);
  CHECK(refused({{kBatch, 3}}, Op::transpose, {0, 0}) == "transpose: axis 0 is there twice");
  CHECK_THROWS_WITH(operation_of("tanhh"), doctest::Contains("did you mean 'tanh'"));
}

TEST_CASE("operations: a program is its JSON") {
  for (const auto& [op, all] : examples()) {
    for (const Example& example : all) {
      const std::string text = to_json(example.program);
      CHECK(to_json(program_from_json(text)) == text);
    }
  }
}
