// SPDX-License-Identifier: Apache-2.0
// Functions of Python as programs call them: with arrays of all rows, by one thread, holding the interpreter's lock.
#pragma once

#include "bindings.hpp"

#include <algorithm>
#include <optional>

#include "laminar/operations/program.hpp"

namespace laminar::bindings {

/// The shape with a number in the place of that of the rows.
inline Shape with_rows(Shape shape, Index rows) {
  std::replace(shape.begin(), shape.end(), kBatch, rows);
  return shape;
}

class PythonFunction : public Function {
 public:
  /// forward(*arrays) returns an array; vjp(*arrays, value, d_value), or None where there is no way back, a tuple of
  /// gradients by the arrays. `sample`: the shape of the value of one row, that of the first operand without it.
  PythonFunction(std::string name, py::object forward, py::object vjp, std::optional<Shape> sample);
  ~PythonFunction() override;

  Shape shape(const std::vector<const Shape*>& operands) const override;
  void value(const FunctionRows<float>& rows) const override;
  void value(const FunctionRows<double>& rows) const override;
  void gradient(const FunctionRows<float>& rows) const override;
  void gradient(const FunctionRows<double>& rows) const override;

 private:
  template <typename T>
  void call(const FunctionRows<T>& rows) const;
  template <typename T>
  void call_back(const FunctionRows<T>& rows) const;

  py::object forward_;
  py::object vjp_;
  std::optional<Shape> sample_;
};

}  // namespace laminar::bindings
