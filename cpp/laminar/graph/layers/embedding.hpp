// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "laminar/base/types.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// Whole numbers in [0, input_dim) as rows of a table with that many rows of output_dim values, which are
/// learned: an axis more. A step reads and changes the rows of its batch alone; what a penalty or a constraint
/// does to the table is done to all of it. A number that has no row becomes NaN.
struct Embedding {
  static constexpr const char* kKind = "embedding";
  static constexpr LayerTraits kTraits{.parameters = true, .table = true};

  Index input_dim = 0;
  Index output_dim = 0;
  Initializer embeddings_initializer = "random_uniform";
  std::string name = {};
  std::optional<Regularizer> embeddings_regularizer = {};
  std::optional<Constraint> embeddings_constraint = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("input_dim", self.input_dim);
    visit("output_dim", self.output_dim);
    visit("embeddings_initializer", self.embeddings_initializer);
    visit("embeddings_regularizer", self.embeddings_regularizer);
    visit("embeddings_constraint", self.embeddings_constraint);
  }
};

void declare(const Embedding& layer, Declaration& declaration);

}  // namespace laminar
