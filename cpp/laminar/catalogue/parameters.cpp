// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/parameters.hpp"

#include <algorithm>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"

namespace laminar {
namespace {

constexpr Index kPiece = 1 << 20;  // elements that are rounded before the caller is asked

}  // namespace

std::size_t ParameterLayout::add(std::string name, Shape shape, bool trainable, const Initializer& initializer) {
  Index size = 1;
  for (const Index extent : shape) {
    if (__builtin_mul_overflow(size, extent, &size) || size > (Index{1} << 40)) {
      fail("tensor '", name, "' of shape ", to_string(shape), " is too large");
    }
  }
  const Index room = round_up(size, kSlice);
  for (Tensor& other : tensors_) {
    if (other.by_rows) other.offset += room;
  }
  tensors_.push_back({std::move(name), std::move(shape), whole_size_, size, trainable, initializer, {}, {}});
  size_ += room;
  whole_size_ += room;
  return tensors_.size() - 1;
}

void ParameterLayout::treat(std::size_t i, const std::optional<Regularizer>& regularizer,
                            const std::optional<Constraint>& constraint) {
  if (regularizer.has_value()) regularizer->check(tensors_[i].shape);
  if (constraint.has_value()) constraint->check(tensors_[i].shape);
  tensors_[i].regularizer = regularizer;
  tensors_[i].constraint = constraint;
}

void ParameterLayout::take_by_rows(std::size_t i) {
  Tensor& taken = tensors_[i];
  const Index room = round_up(taken.size, kSlice);
  for (Tensor& other : tensors_) {
    if (other.offset > taken.offset) other.offset -= room;
  }
  taken.offset = size_ - room;
  taken.by_rows = true;
  whole_size_ -= room;
}

Index ParameterLayout::count() const {
  Index sum = 0;
  for (const Tensor& tensor : tensors_) sum += tensor.size;
  return sum;
}

template <typename T>
void initialize(const ParameterLayout& layout, std::uint64_t seed, AlignedBuffer<T>& parameters) {
  std::uint32_t item = 0;
  for (const Tensor& tensor : layout.tensors()) {
    AlignedBuffer<double> values(tensor.size);
    tensor.initializer.fill(tensor.shape, RandomStream(seed, Purpose::initializer, item++, 0), values.span());
    T* const out = parameters.data() + tensor.offset;
    in_pieces(tensor.size, kPiece, 1, [&](Index begin, Index end) {
      std::transform(values.data() + begin, values.data() + end, out + begin,
                     [](double value) { return static_cast<T>(value); });
    });
  }
}

template void initialize(const ParameterLayout&, std::uint64_t, AlignedBuffer<float>&);
template void initialize(const ParameterLayout&, std::uint64_t, AlignedBuffer<double>&);

}  // namespace laminar
