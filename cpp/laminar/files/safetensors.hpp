// SPDX-License-Identifier: Apache-2.0
// The safetensors format: a header of 8 bytes length and JSON that says where each tensor lies, then
// the tensors without gaps. Any reader of the format opens what is written here. Everything that a
// file says is checked before it is used, and nothing is allocated that the file has no bytes for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/files/byte_source.hpp"

namespace laminar {

/// A tensor in a file. Offsets count from the end of the header, as in the file.
struct StoredTensor {
  std::string name;
  std::string dtype;  // "F32", "F64", …
  Shape shape;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

/// What a header says, checked: the tensors, in the order of their bytes, fill the file exactly.
struct SafetensorsHeader {
  std::map<std::string, std::string> metadata;
  std::vector<StoredTensor> tensors;
  std::uint64_t data = 0;            // where the tensors' bytes begin in the file
  std::vector<std::size_t> by_name;  // their positions in the order of names, for find

  /// Null where there is no such tensor.
  const StoredTensor* find(std::string_view name) const;
};

/// Throws std::invalid_argument for what is not a safetensors file by the rules of the format.
SafetensorsHeader read_safetensors_header(const ByteSource& source);

/// A tensor to be written, its elements little-endian.
struct NamedTensor {
  std::string name;
  std::string dtype;
  Shape shape;
  std::span<const std::byte> bytes;
};

/// The pieces of a file: the header, then tensors, the widest types first so that each is aligned.
/// They refer to the tensors' memory and to `header`, which is filled. Throws std::invalid_argument
/// for a name that comes twice.
std::vector<std::span<const std::byte>> safetensors_pieces(std::vector<NamedTensor> tensors,
                                                           const std::map<std::string, std::string>& metadata,
                                                           std::string& header);

/// Bytes of one element; 0 for a type that the format does not have.
std::uint64_t element_size(std::string_view dtype);

/// "F32" or "F64".
template <typename T>
constexpr const char* dtype_name() {
  return sizeof(T) == 4 ? "F32" : "F64";
}

}  // namespace laminar
