// SPDX-License-Identifier: Apache-2.0
// How a layer tells the network under construction what it is: its output, its tensors, and what it
// keeps of each row from the way forward to the way back. Internal.
#pragma once

#include <utility>

#include "laminar/error.hpp"
#include "laminar/network.hpp"

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

}  // namespace laminar
