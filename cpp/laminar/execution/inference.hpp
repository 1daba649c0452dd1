// SPDX-License-Identifier: Apache-2.0
// Prediction and evaluation: forward only, over blocks of rows in memory that each thread keeps for
// itself. A row's result depends neither on the other rows nor on how many there are.
#pragma once

#include <vector>

#include "laminar/data/row_blocks.hpp"
#include "laminar/execution/state.hpp"

namespace laminar {

/// Outputs of every row of x. Const and lock-free: any number of threads may run one model.
template <typename T>
void predict(const State<T>& state, MatrixView<const T> x, MatrixView<T> out);

/// Loss (mean over rows, weighted by sample_weight) and metrics, in the order of the objective's names.
template <typename T>
std::vector<double> evaluate(const State<T>& state, const Dataset<T>& data);

/// The same of rows in blocks. Where stop, which is asked between them, returns true, nothing is.
/// Errors name the operation.
template <typename T>
std::vector<double> evaluate(const State<T>& state, RowBlocks<T>& rows, const typename RowBlocks<T>::Stop& stop = {},
                             const char* operation = "evaluate");

}  // namespace laminar
