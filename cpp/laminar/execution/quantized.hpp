// SPDX-License-Identifier: Apache-2.0
// Weights rounded for inference: what a network's inputs are multiplied by, in panels of int8 or bfloat16, and what
// tables hold. A model's parameters keep the rounded values as floats, so that all that does not multiply, such as
// files of other programs and gradients by inputs, need not know; the codes of int8 follow from them and the scales.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/base/quantization.hpp"
#include "laminar/graph/network.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {

/// What shares a scale in a tensor that is rounded.
enum class Scaled : char { not_rounded, columns, rows };

/// For each tensor of a network: kernels and matrices that rows are multiplied by are rounded by columns, tables by
/// rows, all else is not.
std::vector<Scaled> rounded_tensors(const Network& network);

/// A tensor's values, rounded.
class QuantizedTensor {
 public:
  /// Finds the scales. Throws std::invalid_argument where a value is not finite, naming the tensor.
  QuantizedTensor(const Tensor& tensor, Scaled scaled, Quantization quantization, const float* values);
  /// With the scales of a file, one for each column or row; without any for bfloat16.
  QuantizedTensor(const Tensor& tensor, Scaled scaled, Quantization quantization, const float* values,
                  const std::vector<float>& scales);

  QuantizedTensor(const QuantizedTensor&) = delete;
  QuantizedTensor& operator=(const QuantizedTensor&) = delete;
  ~QuantizedTensor() = default;

  Scaled scaled() const { return scaled_; }
  /// Of int8: one for each column or row. w = q s, s = max |w| / 127, or 1 where that is no normal number.
  const std::vector<float>& scales() const { return scales_; }
  const kernels::Compact* compact() const { return scaled_ == Scaled::columns ? &compact_ : nullptr; }
  /// The nearest values that are held.
  void round(float* values) const;
  /// The bytes of rounded values, row by row, as files have them, and the way back.
  std::vector<std::byte> codes(const float* values) const;
  static void decode(Scaled scaled, Index columns, std::span<const std::byte> codes, const std::vector<float>& scales,
                     std::span<float> values);

 private:
  QuantizedTensor(const Tensor& tensor, Scaled scaled, Quantization quantization)
      : rows_(tensor.shape[0]), columns_(tensor.shape[1]), scaled_(scaled), quantization_(quantization) {}
  void pack(const float* values);
  float scale_of(Index row, Index column) const {
    return scales_[static_cast<std::size_t>(scaled_ == Scaled::rows ? row : column)];
  }
  template <typename Element>
  Element code(float value, Index row, Index column) const;
  template <typename Element>
  void pack_as(const float* values);
  template <typename Element>
  std::vector<std::byte> codes_as(const float* values) const;

  Index rows_;
  Index columns_;
  Scaled scaled_;
  Quantization quantization_;
  std::vector<float> scales_;
  AlignedBuffer<float> padded_scales_;
  AlignedBuffer<char> panels_;
  kernels::Compact compact_;
};

/// Those of all tensors of a network; null where one is not rounded. It is a value that copies share.
struct QuantizedWeights {
  Quantization quantization = Quantization::none;
  std::vector<std::shared_ptr<const QuantizedTensor>> tensors = {};

  /// Rounds nothing yet. Tensors that are as in `old`, whose values are given, keep their scales.
  static QuantizedWeights of(const Network& network, Quantization quantization, const float* values,
                             const QuantizedWeights* old = nullptr, const float* old_values = nullptr);
  void round(const Network& network, float* values) const;
  const kernels::Compact* compact(std::size_t tensor) const {
    return tensors.empty() || tensors[tensor] == nullptr ? nullptr : tensors[tensor]->compact();
  }
};

}  // namespace laminar
