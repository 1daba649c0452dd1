// SPDX-License-Identifier: Apache-2.0
// Operations as functions of symbols: what programs are written with.
//   Symbol h = tanh(matmul(x, w) + b);
// Shapes follow NumPy's rules; the first axis of what depends on a batch is that of its rows (kBatch).
#pragma once

#include <memory>
#include <vector>

#include "laminar/operations/program.hpp"

namespace laminar {

/// A value of a program that is being written. Symbols of one program go together; others are refused.
class Symbol {
 public:
  /// A number, which takes the place of a value of any shape.
  Symbol(double number) : number_(number) {}
  Symbol(std::shared_ptr<Program> program, int value) : program_(std::move(program)), value_(value) {}

  /// (kBatch, …) where it depends on rows; () for a number.
  Shape shape() const;
  /// Its number in the program; throws for a number that stands in none.
  int value() const;

  /// The value of an operation on symbols.
  static Symbol apply(Operation operation, const std::vector<Symbol>& operands, std::vector<Index> integers = {});
  /// What a function makes of symbols.
  static Symbol call(std::shared_ptr<const Function> function, const std::vector<Symbol>& operands);
  /// The number of rows of the batch, in the program of this symbol.
  Symbol batch_rows() const;

 private:
  static Symbol add(Instruction instruction, const std::vector<Symbol>& operands);
  int in(const std::shared_ptr<Program>& program) const;

  std::shared_ptr<Program> program_ = {};
  int value_ = -1;
  double number_ = 0;
};

/// abs, exp, maximum, where, …: every elementwise operation by its name.
#define LAMINAR_FUNCTION_1(name) \
  inline Symbol name(const Symbol& a) { return Symbol::apply(Operation::name, {a}); }
#define LAMINAR_FUNCTION_2(name) \
  inline Symbol name(const Symbol& a, const Symbol& b) { return Symbol::apply(Operation::name, {a, b}); }
#define LAMINAR_FUNCTION_3(name)                                          \
  inline Symbol name(const Symbol& a, const Symbol& b, const Symbol& c) { \
    return Symbol::apply(Operation::name, {a, b, c});                     \
  }
#define LAMINAR_FUNCTION(name, operands, value) LAMINAR_FUNCTION_##operands(name)
LAMINAR_ELEMENTWISE(LAMINAR_FUNCTION)
#undef LAMINAR_FUNCTION
#undef LAMINAR_FUNCTION_1
#undef LAMINAR_FUNCTION_2
#undef LAMINAR_FUNCTION_3

inline Symbol operator-(const Symbol& a) { return negative(a); }
inline Symbol operator+(const Symbol& a, const Symbol& b) { return add(a, b); }
inline Symbol operator-(const Symbol& a, const Symbol& b) { return subtract(a, b); }
inline Symbol operator*(const Symbol& a, const Symbol& b) { return multiply(a, b); }
inline Symbol operator/(const Symbol& a, const Symbol& b) { return divide(a, b); }

/// What a function makes of symbols.
inline Symbol call(std::shared_ptr<const Function> function, const std::vector<Symbol>& operands) {
  return Symbol::call(std::move(function), operands);
}

/// Products over the last axis of a and the last but one of b.
Symbol matmul(const Symbol& a, const Symbol& b);
/// Over some axes, negative ones counted from the end; without axes over all. They stay with extent 1 where `keep`.
Symbol sum(const Symbol& a, std::vector<Index> axes = {}, bool keep = false);
Symbol mean(const Symbol& a, std::vector<Index> axes = {}, bool keep = false);
Symbol max(const Symbol& a, std::vector<Index> axes = {}, bool keep = false);
Symbol min(const Symbol& a, std::vector<Index> axes = {}, bool keep = false);
/// log of the sum of exponentials, without overflow.
Symbol logsumexp(const Symbol& a, std::vector<Index> axes = {}, bool keep = false);
Symbol reshape(const Symbol& a, Shape shape);
Symbol transpose(const Symbol& a, std::vector<Index> order);
Symbol concatenate(const std::vector<Symbol>& parts, Index axis);
/// Elements [begin, end) of an axis.
Symbol slice(const Symbol& a, Index axis, Index begin, Index end);
/// The value, of which no gradient goes back.
Symbol stop_gradient(const Symbol& a);

}  // namespace laminar
