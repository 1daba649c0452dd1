// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/second_slope.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "laminar/kernels/activations.hpp"

namespace laminar {
namespace {

using Op = Operation;

/// A value of a program, for formulas.
struct Term {
  Program* program;
  int value;

  Term apply(Op operation, std::vector<int> reads, std::vector<Index> integers = {}) const {
    return {program, program->add(operation, std::move(reads), std::move(integers))};
  }
  Term of(Op operation) const { return apply(operation, {value}); }
  Term number(double x) const { return {program, program->number(x)}; }
};

Term operator+(Term a, Term b) { return a.apply(Op::add, {a.value, b.value}); }
Term operator-(Term a, Term b) { return a.apply(Op::subtract, {a.value, b.value}); }
Term operator*(Term a, Term b) { return a.apply(Op::multiply, {a.value, b.value}); }
Term operator/(Term a, Term b) { return a.apply(Op::divide, {a.value, b.value}); }
Term operator+(Term a, double b) { return a + a.number(b); }
Term operator-(Term a, double b) { return a - a.number(b); }
Term operator*(Term a, double b) { return a * a.number(b); }
Term operator-(double a, Term b) { return b.number(a) - b; }
Term operator/(double a, Term b) { return b.number(a) / b; }
Term operator-(Term a) { return a.of(Op::negative); }
Term where(Term condition, Term a, Term b) { return a.apply(Op::where, {condition.value, a.value, b.value}); }
Term greater(Term a, double b) { return a.apply(Op::greater, {a.value, a.number(b).value}); }
Term less(Term a, double b) { return a.apply(Op::less, {a.value, a.number(b).value}); }

using Numbers = std::vector<double>;

constexpr double kSeluAlphaScale = 1.6732632423543772 * 1.0507009873554805;

Term negative_side(Term z, Term slope) { return where(greater(z, 0), z.number(0), slope); }

Term of_sigmoid(Term a) { return a * (1 - a); }

// t = tanh(u(z)), f = z (1 + t) / 2
Term of_gelu(Term z, Term, const Numbers& p) {
  if (p.empty() || p[0] == 0) {  // f' = P + z q, q the density: f'' = (2 - z^2) q
    const Term square = z.of(Op::square);
    return (2 - square) * (square * -0.5).of(Op::exp) * 0.39894228040143267794;
  }
  constexpr double c = 0.79788456080286535588;
  constexpr double k = 0.044715;
  const Term square = z.of(Op::square);
  const Term t = ((z + z * square * k) * c).of(Op::tanh);
  const Term rest = 1 - t.of(Op::square);
  const Term first = (square * (3 * k) + 1) * c;
  const Term slope = rest * first;
  return slope + z * 0.5 * (rest * z * (6 * k * c) - t * slope * first * 2);
}

// s = sigmoid(z), w = tanh(log(1 + exp(z))), f = z w
Term of_mish(Term z, Term, const Numbers&) {
  const Term s = z.of(Op::sigmoid);
  const Term positive = z.apply(Op::maximum, {z.number(0).value, z.value});
  const Term w = (positive + (-z.of(Op::abs)).of(Op::exp).of(Op::log1p)).of(Op::tanh);
  const Term rest = 1 - w.of(Op::square);
  const Term slope = rest * s;
  return slope * 2 + z * (rest * of_sigmoid(s) - w * slope * s * 2);
}

/// The name of the activation that a kernel computes.
template <typename... Entries>
std::string_view name_of_kernel(kernels::List<Entries...>, Index kernel) {
  const std::string_view names[] = {Entries::info.name...};
  const auto place = static_cast<std::size_t>(kernel);
  return place < sizeof...(Entries) ? names[place] : "";  // forms for some arguments are straight lines
}

struct Curved {
  std::string_view name;
  Term (*second)(Term z, Term a, const Numbers& p);  // the second derivative
};

// Those whose slope changes; in all others it is the same in pieces.
constexpr Curved kCurved[] = {
    {"sigmoid", [](Term, Term a, const Numbers&) { return of_sigmoid(a) * (1 - a * 2); }},
    {"tanh", [](Term, Term a, const Numbers&) { return a * (a.of(Op::square) - 1) * 2; }},
    {"exponential", [](Term, Term a, const Numbers&) { return a; }},
    {"elu", [](Term z, Term a, const Numbers& p) { return negative_side(z, a + p[0]); }},
    {"selu", [](Term z, Term a, const Numbers&) { return negative_side(z, a + kSeluAlphaScale); }},
    {"celu", [](Term z, Term a, const Numbers& p) { return negative_side(z, (a + p[0]) * (1 / (p[0] * p[0]))); }},
    {"gelu", of_gelu},
    {"mish", of_mish},
    {"softplus", [](Term z, Term, const Numbers&) { return of_sigmoid(z.of(Op::sigmoid)); }},
    {"log_sigmoid", [](Term z, Term, const Numbers&) { return -of_sigmoid(z.of(Op::sigmoid)); }},
    {"softsign",
     [](Term z, Term, const Numbers&) {
       const Term size = z.of(Op::abs) + 1;
       return z.of(Op::sign) * -2.0 / (size * size * size);
     }},
    {"silu",
     [](Term z, Term, const Numbers&) {
       const Term s = z.of(Op::sigmoid);
       return of_sigmoid(s) * (z * (1 - s * 2) + 2);
     }},
    {"hard_silu",
     [](Term z, Term, const Numbers&) { return where(less(z.of(Op::abs), 3), z.number(1.0 / 3), z.number(0)); }},
    {"tanh_shrink",
     [](Term z, Term, const Numbers&) {
       const Term t = z.of(Op::tanh);
       return t * (1 - t.of(Op::square)) * 2;
     }},
    {"squareplus",
     [](Term z, Term, const Numbers& p) {
       const Term root = (z.of(Op::square) + p[0]).of(Op::sqrt);
       return p[0] / 2 / (root * root * root);
     }},
    {"sparse_plus",
     [](Term z, Term, const Numbers&) { return where(less(z.of(Op::abs), 1), z.number(0.5), z.number(0)); }},
};

Term sum_of_row(Term a) {
  const auto last = static_cast<Index>(a.program->shape(a.value).size()) - 1;
  return a.apply(Op::sum, {a.value}, {last});
}

template <typename... Entries>
Index kernel_of_name(kernels::List<Entries...>, std::string_view name) {
  const std::string_view names[] = {Entries::info.name...};
  return std::find(std::begin(names), std::end(names), name) - std::begin(names);
}

}  // namespace

Index activation_kernel(std::string_view name) { return kernel_of_name(kernels::Activations{}, name); }

SlopeGradients add_slope_gradients(Program& program, const Instruction& gradient, int upstream, bool by_z, bool by_d) {
  const Term z{&program, gradient.reads[0]};
  const Term a{&program, gradient.reads[1]};
  const Term d{&program, gradient.reads[2]};
  const Term e{&program, upstream};
  const std::string_view name = name_of_kernel(kernels::Activations{}, gradient.integers[0]);
  const auto back = [&](Term d_a) {
    return program.add(Op::activation_gradient, {z.value, a.value, d_a.value}, gradient.integers, gradient.numbers);
  };
  SlopeGradients gradients;
  if (name == "log_softmax") {  // d - exp(a) sum d
    const Term shares = a.of(Op::exp);
    if (by_z) gradients.z = back(-(e * shares) * sum_of_row(d));
    if (by_d) gradients.d = (e - sum_of_row(e * shares)).value;
    return gradients;
  }
  if (by_d) gradients.d = back(e);
  if (!by_z) return gradients;
  if (name == "softmax") {  // a (d - sum a d)
    gradients.z = back(e * (d - sum_of_row(a * d)) - d * sum_of_row(e * a));
  }
  for (const Curved& curved : kCurved) {
    if (curved.name == name) gradients.z = (e * d * curved.second(z, a, gradient.numbers)).value;
  }
  return gradients;
}

}  // namespace laminar
