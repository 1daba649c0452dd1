// SPDX-License-Identifier: Apache-2.0
// How a layer tells the network under construction what it is: its output, its tensors, and what it
// keeps of each row from the way forward to the way back: `declare` of its kind says so. Internal.
#pragma once

#include <algorithm>
#include <utility>

#include "laminar/base/error.hpp"
#include "laminar/graph/network.hpp"

namespace laminar {

class Declaration {
 public:
  Declaration(ParameterLayout& parameters, const Node& before, Node& node)
      : parameters_(parameters), before_(before), node_(node) {
    node.shape = before.shape;
  }

  /// Shape and width of one sample that comes in.
  const Shape& input() const { return before_.shape; }
  Index width() const { return before_.width; }
  /// The width of samples that are plain vectors; an error for others.
  Index features() const {
    if (input().size() != 1) refuse("takes samples of shape (features,), got ", to_string(input()));
    return input()[0];
  }

  /// The shape of one sample that goes out; that of the input where nothing is said.
  void output(Shape shape) { node_.shape = std::move(shape); }
  void tensor(const char* what, Shape shape, const Initializer& initializer, bool trainable = true) {
    node_.tensors.push_back(parameters_.add(node_.name + "/" + what, std::move(shape), trainable, initializer));
  }
  /// The same, with what training adds to the loss for it and does to it after each update.
  void tensor(const char* what, Shape shape, const Initializer& initializer,
              const std::optional<Regularizer>& regularizer, const std::optional<Constraint>& constraint) {
    tensor(what, std::move(shape), initializer);
    parameters_.treat(node_.tensors.back(), regularizer, constraint);
  }
  /// A penalty on what goes out.
  void activity(const std::optional<Regularizer>& regularizer) {
    if (regularizer.has_value() && !regularizer->elementwise()) {
      refuse("activity_regularizer must be l1, l2 or l1_l2, got '", regularizer->name(), "'");
    }
    node_.activity = regularizer;
  }
  /// Some layer before this one is trained.
  bool trained_before() const {
    const auto& tensors = parameters_.tensors();
    return std::any_of(tensors.begin(), tensors.end(), [](const Tensor& tensor) { return tensor.trainable; });
  }
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
  const Node& before_;
  Node& node_;
};

/// Refuses what is no fraction of values dropped.
inline void check_rate(double rate, const Declaration& declaration) {
  if (!(rate >= 0 && rate < 1)) {
    declaration.refuse("rate is the fraction dropped and must be in [0, 1), got ", rate);
  }
}

}  // namespace laminar
