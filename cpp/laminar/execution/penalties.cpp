// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/penalties.hpp"

#include <algorithm>

namespace laminar {
namespace {

constexpr Index kPiece = 16384;  // elements

}  // namespace

template <typename T>
Penalties<T>::Penalties(const ParameterLayout& layout) {
  for (const Tensor& tensor : layout.tensors()) {
    if (!tensor.regularizer.has_value()) continue;
    if (!tensor.regularizer->elementwise()) {
      pieces_.push_back({*tensor.regularizer, tensor.shape, tensor.offset, static_cast<std::size_t>(tensor.size)});
      continue;
    }
    for (Index i = 0; i < tensor.size; i += kPiece) {
      const Index size = std::min(kPiece, tensor.size - i);
      pieces_.push_back({*tensor.regularizer, {size}, tensor.offset + i, static_cast<std::size_t>(size)});
    }
  }
  values_.resize(pieces_.size());
}

template <typename T>
void Penalties<T>::compute(const T* parameters, const Team& team) {
  const Team::Share share = team.share(static_cast<Index>(pieces_.size()));
  for (Index i = share.begin; i < share.end; ++i) {
    const Piece& piece = pieces_[static_cast<std::size_t>(i)];
    values_[static_cast<std::size_t>(i)] =
        piece.regularizer.penalty(piece.shape, std::span<const T>(parameters + piece.offset, piece.size));
  }
}

template <typename T>
double Penalties<T>::value() const {
  double sum = 0;
  for (const double value : values_) sum += value;
  return sum;
}

template <typename T>
void Penalties<T>::add_gradients(const T* parameters, T* gradients, double scale, const Team& team) const {
  const Team::Share share = team.share(static_cast<Index>(pieces_.size()));
  for (Index i = share.begin; i < share.end; ++i) {
    const Piece& piece = pieces_[static_cast<std::size_t>(i)];
    piece.regularizer.add_gradient(piece.shape, std::span<const T>(parameters + piece.offset, piece.size),
                                   std::span<T>(gradients + piece.offset, piece.size), scale);
  }
}

template class Penalties<float>;
template class Penalties<double>;

}  // namespace laminar
