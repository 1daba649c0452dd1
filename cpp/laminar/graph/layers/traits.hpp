// SPDX-License-Identifier: Apache-2.0
// What a kind of layer says of itself, whatever its options. Each kind says it, as `kTraits`, and provides the
// functions that follow from it (execution/layers/work.hpp): one that is missing does not compile.
#pragma once

namespace laminar {

struct LayerTraits {
  bool view = false;           // the same values in another shape: nothing is computed
  bool training_only = false;  // the identity at prediction
  bool parameters = false;     // has tensors that training changes
  bool kernel = false;         // its first tensor is a matrix that products read, packed
  bool table = false;          // its first tensor is a table, of which each row of a batch reads few rows
  bool whole_batch = false;    // needs all rows of a batch at its input before any at its output
  bool merges = false;         // reads several nodes
};

}  // namespace laminar
