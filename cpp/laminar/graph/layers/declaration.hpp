// SPDX-License-Identifier: Apache-2.0
// How a layer tells the network under construction what it is: its output, its tensors, and what it
// keeps of each row from the way forward to the way back: `declare` of its kind says so. Internal.
#pragma once

#include <utility>
#include <vector>

#include "laminar/base/error.hpp"
#include "laminar/graph/network.hpp"

namespace laminar {

class Declaration {
 public:
  /// Nodes that the node reads, and whether some layer before it is trained.
  Declaration(ParameterLayout& parameters, std::vector<const Node*> before, bool trained_before, Node& node)
      : parameters_(parameters), before_(std::move(before)), trained_before_(trained_before), node_(node) {
    node.shape = input();
  }

  /// Shape and width of one sample that comes in, the first of several.
  const Shape& input() const { return before_.front()->shape; }
  Index width() const { return before_.front()->width; }
  /// All nodes that are read.
  const std::vector<const Node*>& inputs() const { return before_; }
  /// The width of samples that are plain vectors; an error for others.
  Index features() const {
    if (input().size() != 1) refuse("takes samples of shape (features,), got ", to_string(input()));
    return input()[0];
  }

  /// The shape of one sample that goes out; that of the input where nothing is said.
  void output(Shape shape) { node_.shape = std::move(shape); }
  void tensor(const char* what, Shape shape, const Initializer& initializer, bool trainable = true) {
    trainable = trainable && node_.trainable;
    node_.tensors.push_back(parameters_.add(node_.name + "/" + what, std::move(shape), trainable, initializer));
  }
  /// The same, with what training adds to the loss for it and does to it after each update.
  void tensor(const char* what, Shape shape, const Initializer& initializer,
              const std::optional<Regularizer>& regularizer, const std::optional<Constraint>& constraint) {
    tensor(what, std::move(shape), initializer);
    parameters_.treat(node_.tensors.back(), regularizer, constraint);
  }
  /// The same, of which training changes none where it is not to.
  void tensor(const std::string& what, Shape shape, const OwnWeight& weight) {
    tensor(what.c_str(), std::move(shape), weight.initializer, weight.trainable);
    if (weight.trainable) parameters_.treat(node_.tensors.back(), weight.regularizer, weight.constraint);
  }
  /// The same, of which a step reads and changes few rows: those alone, unless something is done to all.
  void table(const char* what, Shape shape, const Initializer& initializer,
             const std::optional<Regularizer>& regularizer, const std::optional<Constraint>& constraint) {
    tensor(what, std::move(shape), initializer, regularizer, constraint);
    if (!regularizer.has_value() && !constraint.has_value()) parameters_.take_by_rows(node_.tensors.back());
  }
  /// A penalty on what goes out.
  void activity(const std::optional<Regularizer>& regularizer) {
    if (regularizer.has_value() && !regularizer->elementwise()) {
      refuse("activity_regularizer must be l1, l2 or l1_l2, got '", regularizer->name(), "'");
    }
    node_.activity = regularizer;
  }
  /// Some layer before this one is trained.
  bool trained_before() const { return trained_before_; }
  /// A program in the forms that are run.
  void forms(std::shared_ptr<const ProgramForms> forms) { node_.forms = std::move(forms); }
  bool trainable() const { return node_.trainable; }
  /// Values a row, in training.
  void keep(Index values) { node_.kept = values; }
  /// Values that all rows of a batch have in common, whole cache lines each time it is said.
  void share(Index values) { node_.shared += padded_stride(values); }

  template <typename... Parts>
  [[noreturn]] void refuse(const Parts&... parts) const {
    fail("layer '", node_.name, "': ", parts...);
  }

 private:
  ParameterLayout& parameters_;
  std::vector<const Node*> before_;
  bool trained_before_;
  Node& node_;
};

/// Refuses what is no fraction of values dropped.
inline void check_rate(double rate, const Declaration& declaration) {
  if (!(rate >= 0 && rate < 1)) {
    declaration.refuse("rate is the fraction dropped and must be in [0, 1), got ", rate);
  }
}

}  // namespace laminar
