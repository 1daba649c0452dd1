// SPDX-License-Identifier: Apache-2.0
// A layer that users have written themselves, as the program that it was traced into.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/graph/layers/traits.hpp"
#include "laminar/operations/program.hpp"

namespace laminar {

class Declaration;

/// One of a program's weights, whose shape the program says.
struct OwnWeight {
  std::string name = {};
  Initializer initializer = "glorot_uniform";
  std::optional<Regularizer> regularizer = {};
  std::optional<Constraint> constraint = {};
  bool trainable = true;

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("name", self.name);
    visit("initializer", self.initializer);
    visit("regularizer", self.regularizer);
    visit("constraint", self.constraint);
    visit("trainable", self.trainable);
  }
};

/// What a program makes of one or several samples, each of its own row. Its inputs are (rows, shape of a sample),
/// its output is as well. Two more outputs, (rows,) each, are losses that the layer adds to those of the model: the
/// batch's mean of the one and its sum of the other.
struct Operations {
  static constexpr const char* kKind = "operations";
  static constexpr LayerTraits kTraits{.parameters = true, .merges = true};

  Program program = {};
  std::optional<Program> training_program = {};  // where training does something else
  std::vector<OwnWeight> weights = {};
  std::string class_name = {};  // of the class that it was traced from, and how that is made: for Python alone
  std::string config = {};
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("program", self.program);
    visit("training_program", self.training_program);
    visit("weights", self.weights);
    visit("class_name", self.class_name);
    visit("config", self.config);
  }
};

/// The same of all rows of a batch at once in training, where they may be brought together: done by one thread,
/// while the others wait. At prediction a row follows from itself alone, as elsewhere.
struct BatchOperations : Operations {
  static constexpr const char* kKind = "batch_operations";
  static constexpr LayerTraits kTraits{.parameters = true, .whole_batch = true, .merges = true};
};

void declare(const Operations& layer, Declaration& declaration);
void declare(const BatchOperations& layer, Declaration& declaration);

}  // namespace laminar
