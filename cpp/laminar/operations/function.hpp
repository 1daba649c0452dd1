// SPDX-License-Identifier: Apache-2.0
// Code that a program calls: what operations cannot say. Files hold its name alone, and who loads one must have
// registered a function of that name before.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "laminar/base/types.hpp"

namespace laminar {

/// What a function is called with. Operands and results lie without gaps, that of a row behind the other's.
template <typename T>
struct FunctionRows {
  std::span<const T* const> operands = {};
  std::span<const Shape* const> shapes = {};  // of these, kBatch for the rows
  Index rows = 0;
  T* out = nullptr;            // the value, or for the way back …
  const T* d_value = nullptr;  // … where the gradient by the value is given, that by one operand:
  const T* value = nullptr;    // as it was computed from the operands
  std::size_t of = 0;          // this one
};

/// Most operands of a function.
inline constexpr std::size_t kMaxFunctionOperands = 8;

/// What a function may be asked for.
struct FunctionTraits {
  bool by_rows = true;   // a row follows from those of the operands alone: any thread may ask for any rows, else
                         // training asks one thread for all rows of a batch
  bool gradient = true;  // there is a way back
};

class Function {
 public:
  Function(std::string name, FunctionTraits traits) : name_(std::move(name)), traits_(traits) {}
  Function(const Function&) = delete;
  Function& operator=(const Function&) = delete;
  virtual ~Function() = default;

  const std::string& name() const { return name_; }
  const FunctionTraits& traits() const { return traits_; }

  /// The shape of the value, kBatch first; throws std::invalid_argument where operands do not fit.
  virtual Shape shape(const std::vector<const Shape*>& operands) const = 0;
  virtual void value(const FunctionRows<float>& rows) const = 0;
  virtual void value(const FunctionRows<double>& rows) const = 0;
  virtual void gradient(const FunctionRows<float>& rows) const = 0;
  virtual void gradient(const FunctionRows<double>& rows) const = 0;

 private:
  std::string name_;
  FunctionTraits traits_;
};

/// Lets files and configurations call the function by its name for as long as anybody holds it.
void register_function(const std::shared_ptr<const Function>& function);
/// Throws std::invalid_argument where no function of that name is held.
std::shared_ptr<const Function> function_of(std::string_view name);

}  // namespace laminar
