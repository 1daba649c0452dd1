// SPDX-License-Identifier: Apache-2.0
// A loss or metric that users have written themselves, as the program that it was traced into.
#pragma once

#include <algorithm>
#include <string>

#include "laminar/base/buffer.hpp"
#include "laminar/operations/program.hpp"
#include "laminar/operations/run.hpp"

namespace laminar {

/// Rows of targets with the outputs beside them, and what comes of them.
template <typename T>
struct OwnRows {
  RowValues<const T> targets;
  const std::int32_t* labels = nullptr;  // in place of targets, where these are class numbers
  RowValues<const T> outputs;
  Index rows = 0;
  T* values = nullptr;          // one a row
  const T* d_values = nullptr;  // what each of them weighs in the sum whose gradient is wanted; null: none is
  RowValues<T> d_outputs = {};  // that gradient
};

/// A number for each row of targets and outputs.
class OwnFunction {
 public:
  /// The program's inputs are targets and outputs, (rows, values of one) each, its output (rows,). With
  /// `gradient` it must have one by the outputs. Throws std::invalid_argument otherwise.
  OwnFunction(std::string name, Program program, bool gradient);

  const std::string& name() const { return name_; }
  const Program& program() const { return program_; }
  /// Values of a row of targets and of outputs.
  Index targets() const { return row_width(program_.shape(program_.inputs()[0])); }
  Index outputs() const { return row_width(program_.shape(program_.inputs()[1])); }
  /// A row's number depends on the other rows, so that all must be there at once.
  bool mixes_rows() const { return mixes_rows_; }
  /// What a thread needs of Scratch::program for blocks of kBlockRows rows.
  Index room() const { return std::max(plan_.size(), gradient_plan_.size()) + kBlockRows; }

  template <typename T>
  void operator()(const OwnRows<T>& rows) const;

 private:
  template <typename T>
  void run_block(const OwnRows<T>& rows, const Program& program, const ProgramPlan& plan, T* memory) const;

  std::string name_;
  Program program_;
  Program with_gradient_;  // outputs: the values, the gradient by the outputs
  bool mixes_rows_ = false;
  ProgramPlan plan_;           // of a block of rows, without a gradient
  ProgramPlan gradient_plan_;  // … and with it
};

}  // namespace laminar
