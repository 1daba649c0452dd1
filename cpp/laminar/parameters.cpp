// SPDX-License-Identifier: Apache-2.0
#include "laminar/parameters.hpp"

#include "laminar/error.hpp"

namespace laminar {

std::size_t ParameterLayout::add(std::string name, Shape shape, bool trainable, const Initializer& initializer) {
  Index size = 1;
  for (const Index extent : shape) {
    if (__builtin_mul_overflow(size, extent, &size) || size > (Index{1} << 40)) {
      fail("tensor '", name, "' of shape ", to_string(shape), " is too large");
    }
  }
  tensors_.push_back({std::move(name), std::move(shape), size_, size, trainable, initializer, {}, {}});
  size_ += round_up(size, kSlice);
  return tensors_.size() - 1;
}

void ParameterLayout::treat(std::size_t i, const std::optional<Regularizer>& regularizer,
                            const std::optional<Constraint>& constraint) {
  if (regularizer.has_value()) regularizer->check(tensors_[i].shape);
  if (constraint.has_value()) constraint->check(tensors_[i].shape);
  tensors_[i].regularizer = regularizer;
  tensors_[i].constraint = constraint;
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
    std::vector<double> values(static_cast<std::size_t>(tensor.size));
    tensor.initializer.fill(tensor.shape, RandomStream(seed, Purpose::initializer, item++, 0), values);
    T* out = parameters.data() + tensor.offset;
    for (const double value : values) *out++ = static_cast<T>(value);
  }
}

template void initialize(const ParameterLayout&, std::uint64_t, AlignedBuffer<float>&);
template void initialize(const ParameterLayout&, std::uint64_t, AlignedBuffer<double>&);

}  // namespace laminar
