// SPDX-License-Identifier: Apache-2.0
// All weights of a network in one flat buffer, and the table that says where each tensor lies.
// Gradients and optimizer state use the same layout, so that updating, saving, hashing and copying
// are each one loop over one buffer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"

namespace laminar {

/// One tensor's place in the flat buffer.
struct Tensor {
  std::string name;  // "dense/kernel"
  Shape shape;
  Index offset = 0;       // in elements, a multiple of kSlice
  Index size = 0;         // product of shape
  bool trainable = true;  // by gradient
  Initializer initializer;
  std::optional<Regularizer> regularizer = {};
  std::optional<Constraint> constraint = {};
  bool by_rows = false;  // a step changes few of its rows, and nothing is done to all of them
};

/// The table of all tensors of a network.
class ParameterLayout {
 public:
  /// Appends a tensor and returns its position.
  std::size_t add(std::string name, Shape shape, bool trainable, const Initializer& initializer);
  /// What training adds to the loss for a tensor, and does to it after each update. Throws where one of
  /// them does not take a tensor of this shape.
  void treat(std::size_t i, const std::optional<Regularizer>& regularizer, const std::optional<Constraint>& constraint);

  /// Notes that a step changes few rows of the tensor; it moves behind all others.
  void take_by_rows(std::size_t i);

  /// In the order in which they were added.
  const std::vector<Tensor>& tensors() const { return tensors_; }
  const Tensor& operator[](std::size_t i) const { return tensors_[i]; }
  /// Elements of the flat buffer, padding included.
  Index size() const { return size_; }
  /// Elements, padding included, of the tensors that a step changes whole: they come first.
  Index whole_size() const { return whole_size_; }
  /// Elements of all tensors, padding left out.
  Index count() const;

 private:
  std::vector<Tensor> tensors_;
  Index size_ = 0;
  Index whole_size_ = 0;
};

/// Draws all tensors. Tensor i of a seed is the same whatever stands before or after it.
template <typename T>
void initialize(const ParameterLayout& layout, std::uint64_t seed, AlignedBuffer<T>& parameters);

}  // namespace laminar
