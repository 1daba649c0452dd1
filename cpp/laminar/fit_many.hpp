// SPDX-License-Identifier: Apache-2.0
// Several networks trained at once, an ensemble or the folds of a cross-validation: each on a thread of its own, to
// the bits that it has when it is trained alone. Small networks leave threads little to share within a step, so that
// this takes less time than one after the other.
#pragma once

#include <span>
#include <vector>

#include "laminar/model.hpp"

namespace laminar {

/// One of them.
template <typename T>
struct Member {
  Model<T>* model = nullptr;  // compiled; no other member's
  /// Its callbacks are called on the thread that trains it, those of several members at the same time.
  FitOptions<T> options = {};
  /// Rows of the data to train on, in this order; without any, all of them. They are copied while it is trained.
  std::vector<Index> rows = {};
  /// Rows to validate on, in place of what the options say.
  std::vector<Index> validation_rows = {};
};

/// Trains all of them on rows of the same data. The threads that calls may use are shared out: as many members are
/// trained at a time, and the last one has all threads from its next epoch on. On a member's thread get_num_threads()
/// is its share. An error of one ends the others after their last completed
/// batch, and is thrown. A StopScope of the caller ends all in the same way: histories tell which were interrupted,
/// those that had not begun among them. Throws std::invalid_argument for rows that are not there, and for a model that
/// is missing or given twice.
template <typename T>
std::vector<History> fit_many(const Dataset<T>& data, std::span<const Member<T>> members);

}  // namespace laminar
