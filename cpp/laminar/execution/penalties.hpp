// SPDX-License-Identifier: Apache-2.0
// What regularizers add to the loss of a network, and to its gradients. Cut into pieces that do not
// depend on the number of threads and summed in their order.
#pragma once

#include <vector>

#include "laminar/catalogue/parameters.hpp"
#include "laminar/threads/parallel.hpp"

namespace laminar {

/// The regularizers of all tensors of a network.
template <typename T>
class Penalties {
 public:
  explicit Penalties(const ParameterLayout& layout);

  /// No tensor has a regularizer.
  bool none() const { return pieces_.empty(); }
  /// This thread's share of the sum; a barrier stands between it and value().
  void compute(const T* parameters, const Team& team);
  /// The sum, the same for every thread that asks.
  double value() const;
  /// This thread's share of `scale` times the gradients, added to what the buffer holds.
  void add_gradients(const T* parameters, T* gradients, double scale, const Team& team) const;

 private:
  /// A run of a tensor's elements, the whole of it where the regularizer is not elementwise.
  struct Piece {
    Regularizer regularizer;
    Shape shape;
    Index offset;
    std::size_t size;
  };
  std::vector<Piece> pieces_;
  std::vector<double> values_;
};

}  // namespace laminar
