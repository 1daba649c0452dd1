// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/quantized.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/operations/forms.hpp"

namespace laminar {
namespace {

constexpr float kLargestCode = 127;

/// The nearest whole number, ties to even, of one up to 2^22.
float nearest_whole(float x) {
  constexpr float kShift = 0x1.8p23f;  // beyond it floats are whole
  return (x + kShift) - kShift;
}

/// The upper half of the nearest bfloat16, ties to even; that of the largest, where the nearest is infinite.
std::uint16_t upper_half(float x) {
  constexpr std::uint32_t kInfinity = 0x7f800000u;
  const auto bits = std::bit_cast<std::uint32_t>(x);
  std::uint32_t rounded = bits + 0x7fffu + (bits >> 16 & 1u);
  if ((rounded & kInfinity) == kInfinity) rounded -= 0x10000u;
  return static_cast<std::uint16_t>(rounded >> 16);
}

float from_half(std::uint16_t half) { return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16); }

/// So that 127 s is the largest; 1 where that would be no normal number: such values become 0.
float scale_for(float largest) {
  float scale = largest / kLargestCode;
  if (std::isinf(scale * kLargestCode)) scale = std::nextafter(scale, 0.0f);
  return scale >= std::numeric_limits<float>::min() ? scale : 1.0f;
}

}  // namespace

std::vector<Scaled> rounded_tensors(const Network& network) {
  std::vector<Scaled> found(network.parameters().tensors().size(), Scaled::not_rounded);
  for (const Node& node : network.nodes()) {
    if (node.tensors.empty()) continue;
    if (has_kernel(node.layer)) found[node.tensors[0]] = Scaled::columns;
    if (has_table(node.layer)) found[node.tensors[0]] = Scaled::rows;
    if (node.forms == nullptr) continue;
    for (const std::size_t weight : node.forms->factors()) found[node.tensors[weight]] = Scaled::columns;
  }
  return found;
}

QuantizedTensor::QuantizedTensor(const Tensor& tensor, Scaled scaled, Quantization quantization, const float* values)
    : QuantizedTensor(tensor, scaled, quantization) {
  const auto count = static_cast<std::size_t>(scaled == Scaled::rows ? rows_ : columns_);
  std::vector<float> largest(count, 0.0f);
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < columns_; ++j) {
      const float value = values[i * columns_ + j];
      if (!std::isfinite(value)) fail("quantize: '", tensor.name, "' has a value that is not finite, at ", i, ", ", j);
      float& most = largest[static_cast<std::size_t>(scaled == Scaled::rows ? i : j)];
      most = std::max(most, std::abs(value));
    }
  }
  if (quantization == Quantization::int8) {
    std::transform(largest.begin(), largest.end(), largest.begin(), scale_for);
    scales_ = std::move(largest);
  }
  pack(values);
}

QuantizedTensor::QuantizedTensor(const Tensor& tensor, Scaled scaled, Quantization quantization, const float* values,
                                 const std::vector<float>& scales)
    : QuantizedTensor(tensor, scaled, quantization) {
  scales_ = scales;
  pack(values);
}

template <typename Element>
Element QuantizedTensor::code(float value, Index row, Index column) const {
  if constexpr (sizeof(Element) == 1) {
    return static_cast<Element>(nearest_whole(value / scale_of(row, column)));
  } else {
    return upper_half(value);
  }
}

void QuantizedTensor::round(float* values) const {
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < columns_; ++j, ++values) {
      if (quantization_ == Quantization::int8) {
        *values = static_cast<float>(code<std::int8_t>(*values, i, j)) * scale_of(i, j);
      } else {
        *values = from_half(upper_half(*values));
      }
    }
  }
}

template <typename Element>
void QuantizedTensor::pack_as(const float* values) {
  const Index lanes = kernels::kernels<float>().lanes;
  panels_ = AlignedBuffer<char>(rows_ * round_up(columns_, lanes) * static_cast<Index>(sizeof(Element)));
  auto* to = reinterpret_cast<Element*>(panels_.data());
  for (Index first = 0; first < columns_;) {
    const Index width = kernels::compact_panel(columns_ - first, lanes) * lanes;
    const Index filled = std::min(width, columns_ - first);
    for (Index i = 0; i < rows_; ++i, to += width) {
      for (Index j = 0; j < filled; ++j) to[j] = code<Element>(values[i * columns_ + first + j], i, first + j);
    }
    leave_if_stopped(static_cast<double>(rows_ * width));
    first += width;
  }
  compact_.panels = panels_.data();
}

void QuantizedTensor::pack(const float* values) {
  if (scaled_ != Scaled::columns) return;
  compact_.quantization = quantization_;
  if (quantization_ == Quantization::int8) {
    padded_scales_ = AlignedBuffer<float>(round_up(columns_, kSlice));
    std::copy(scales_.begin(), scales_.end(), padded_scales_.data());
    compact_.scales = padded_scales_.data();
    pack_as<std::int8_t>(values);
  } else {
    pack_as<std::uint16_t>(values);
  }
}

template <typename Element>
std::vector<std::byte> QuantizedTensor::codes_as(const float* values) const {
  std::vector<std::byte> bytes(static_cast<std::size_t>(rows_ * columns_) * sizeof(Element));
  std::byte* to = bytes.data();
  for (Index i = 0; i < rows_; ++i) {
    for (Index j = 0; j < columns_; ++j, to += sizeof(Element)) {
      const auto element = code<Element>(*values++, i, j);
      std::memcpy(to, &element, sizeof(Element));
    }
  }
  return bytes;
}

std::vector<std::byte> QuantizedTensor::codes(const float* values) const {
  return quantization_ == Quantization::int8 ? codes_as<std::int8_t>(values) : codes_as<std::uint16_t>(values);
}

void QuantizedTensor::decode(Scaled scaled, Index columns, std::span<const std::byte> codes,
                             const std::vector<float>& scales, std::span<float> values) {
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (scales.empty()) {
      std::uint16_t half;
      std::memcpy(&half, codes.data() + 2 * i, sizeof(half));
      values[i] = from_half(half);
    } else {
      const std::size_t width = static_cast<std::size_t>(columns);
      values[i] = static_cast<float>(static_cast<std::int8_t>(codes[i])) *
                  scales[scaled == Scaled::rows ? i / width : i % width];
    }
  }
}

QuantizedWeights QuantizedWeights::of(const Network& network, Quantization quantization, const float* values,
                                      const QuantizedWeights* old, const float* old_values) {
  QuantizedWeights weights{quantization};
  const std::vector<Scaled> scaled = rounded_tensors(network);
  for (std::size_t i = 0; i < scaled.size(); ++i) {
    const Tensor& tensor = network.parameters()[i];
    const auto same = [&] {
      return std::memcmp(values + tensor.offset, old_values + tensor.offset,
                         static_cast<std::size_t>(tensor.size) * sizeof(float)) == 0;
    };
    if (scaled[i] == Scaled::not_rounded) {
      weights.tensors.emplace_back();
    } else if (old != nullptr && same()) {
      weights.tensors.push_back(old->tensors[i]);
    } else {
      weights.tensors.push_back(
          std::make_shared<QuantizedTensor>(tensor, scaled[i], quantization, values + tensor.offset));
    }
  }
  return weights;
}

void QuantizedWeights::round(const Network& network, float* values) const {
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    if (tensors[i] != nullptr) tensors[i]->round(values + network.parameters()[i].offset);
  }
}

}  // namespace laminar
