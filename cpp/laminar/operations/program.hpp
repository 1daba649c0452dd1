// SPDX-License-Identifier: Apache-2.0
// Computations as values: a list of operations, each of which reads what came before. What users write of their
// own (a layer, a loss, a metric) is traced once into such a program; files hold it, gradients are programs
// again, and nothing but this is needed to run it.
//
// The first axis of what depends on a batch is that of its rows, whose number is known when a program runs:
// shapes say kBatch for it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/kernels/elementwise_list.hpp"
#include "laminar/operations/function.hpp"

namespace laminar {

/// The extent of an axis of rows.
inline constexpr Index kBatch = -1;
/// Most axes of a value.
inline constexpr int kMaxAxes = 8;

/// The list of operations: those on elements, then these.
// clang-format off
#define LAMINAR_OPERATIONS(X) \
  X(input) X(weight) X(constant) X(batch_rows) X(sum) X(prod) \
  X(max) X(min) X(argmax) X(cumsum) X(reshape) X(transpose) \
  X(broadcast_to) X(slice) X(pad) X(concatenate) X(take) X(scatter) \
  X(matmul) X(activation) X(activation_gradient) X(stop_gradient) X(call) X(call_gradient) \
  X(random)
// clang-format on

/// What an instruction does. `integers` and `numbers` of an instruction are, where there are any:
///   input, weight        its position; the shape is given
///   constant             a shape; one number for all elements, or one for each
///   batch_rows           the number of rows of the whole batch
///   sum prod max min     the axes that are reduced, in ascending order; they stay with extent 1
///   argmax               the axis, which stays with extent 1; the first of equal ones
///   cumsum               the axis; 1 to go from its end
///   reshape broadcast_to the shape
///   transpose            the axes in their new order
///   slice                for each axis: first, how many (kBatch: all rows), step
///   pad                  for each axis: where the first goes, extent, step; the others are 0
///   concatenate          the axis
///   take                 the axis of the first operand, from which the second one's indices take
///   scatter              the same and its extent: elements of the first operand are added up at these indices
///   matmul               1 to transpose the last two axes of the first, of the second operand
///   activation           the number of a kernel; its parameters
///   activation_gradient  the same, of (z, a, d): d times the slope
///   call                 nothing, of its operands: the value of a function
///   call_gradient        the operand that it is by, of (operands, value, d)
///   random               0 uniform or 1 normal, a number that tells draws apart, a shape
enum class Operation : int {
#define LAMINAR_NAME(name, ...) name,
  LAMINAR_ELEMENTWISE(LAMINAR_NAME) LAMINAR_OPERATIONS(LAMINAR_NAME)
#undef LAMINAR_NAME
};

const char* name_of(Operation operation);
/// Throws std::invalid_argument, with what it may have meant.
Operation operation_of(std::string_view name);
/// All of them, in the order of the list.
std::vector<std::string> operation_names();
/// Operands of an elementwise operation, 0 for others.
int elementwise_operands(Operation operation);

/// One operation and its value.
struct Instruction {
  Operation operation = Operation::constant;
  std::vector<int> reads = {};
  std::vector<Index> integers = {};
  std::vector<double> numbers = {};
  Shape shape = {};                               // of the value; () for a number
  std::shared_ptr<const Function> function = {};  // that is called
};

/// "(None, 3)"
std::string rows_text(const Shape& shape);
/// The shape of an instruction's value. Throws std::invalid_argument where operands do not fit.
Shape shape_of(const Instruction& instruction, const std::vector<const Shape*>& operands);

/// Values are numbered in the order in which they were added.
class Program {
 public:
  int add_input(Shape shape);
  int add_weight(Shape shape);
  int add(Operation operation, std::vector<int> reads, std::vector<Index> integers = {},
          std::vector<double> numbers = {});
  /// The same of an instruction whose shape is not known yet.
  int add(Instruction instruction);
  int number(double value) { return add(Operation::constant, {}, {}, {value}); }
  /// Puts an operation in the place of another whose value it has.
  void replace(int value, Operation operation, std::vector<int> reads, std::vector<Index> integers = {},
               std::vector<double> numbers = {});

  const std::vector<Instruction>& values() const { return values_; }
  const Instruction& operator[](int value) const { return values_[static_cast<std::size_t>(value)]; }
  const Shape& shape(int value) const { return (*this)[value].shape; }
  int size() const { return static_cast<int>(values_.size()); }
  /// Values that are inputs and weights, by position.
  const std::vector<int>& inputs() const { return inputs_; }
  const std::vector<int>& weights() const { return weights_; }

  std::vector<int> outputs = {};

 private:
  std::vector<Instruction> values_;
  std::vector<int> inputs_;
  std::vector<int> weights_;
};

/// How a value depends on the rows of a batch.
enum class Dependence {
  none,   // the same whatever the rows
  rows,   // each of its rows follows from that row alone
  batch,  // it follows from all of them
};
/// `calls_mix`: functions that want all rows of a batch look at all of them.
std::vector<Dependence> dependences(const Program& program, bool calls_mix = true);

/// A value, and what each of its elements weighs in the sum whose gradients are wanted.
struct Cotangent {
  int output = 0;
  int d_output = 0;  // of the same shape
};

/// Adds to a program the gradients of the sum of `d_output` times `output`, over all that are given, with respect to
/// some values, and returns them: of their shapes, or -1 where nothing depends on one. Throws where an operation on
/// the way has none.
std::vector<int> add_gradients(Program& program, const std::vector<Cotangent>& of, const std::vector<int>& by);
inline std::vector<int> add_gradients(Program& program, int output, int d_output, const std::vector<int>& by) {
  return add_gradients(program, {{output, d_output}}, by);
}

/// A part of a program: what it takes to compute some values from others. Its inputs are those inputs of the
/// whole that are still read, then the given values that are. Weights keep their positions.
struct Extract {
  Program program;
  std::vector<int> inputs;  // positions of the inputs that are read
  std::vector<int> given;   // the given values that are
};
Extract extract(const Program& program, const std::vector<int>& outputs, const std::vector<int>& given = {});

}  // namespace laminar
