// SPDX-License-Identifier: Apache-2.0
// What is asked of the user's data, once, before anything changes. Each throws std::invalid_argument
// that names the operation, the argument, what was expected and what came.
#pragma once

#include "laminar/base/types.hpp"
#include "laminar/graph/objective.hpp"

namespace laminar {

/// At least one row, as many features as the network takes.
template <typename T>
void check_input(const char* operation, const Network& network, MatrixView<const T> x);
/// out has a row for each of so many.
template <typename T>
void check_out(const char* operation, const Network& network, Index rows, MatrixView<T> out);

/// Class numbers that the outputs have or the loss ignores, values for which it is defined.
template <typename T>
void check_targets(const char* operation, const Loss& loss, Index outputs, const Targets<T>& y);

/// What training and evaluation ask of each row: input, targets, weights, all of them finite.
template <typename T>
void check_rows(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data);

/// Throws unless rows of this weight, all together, say something about some goal.
void check_total_weight(const char* operation, const Objective& objective, double weight);

/// Everything that training and evaluation ask of a data set.
template <typename T>
void check_dataset(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data);

}  // namespace laminar
