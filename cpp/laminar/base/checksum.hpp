// SPDX-License-Identifier: Apache-2.0
// CRC-64 (ECMA-182, as in the xz format): any damage of up to 64 bits in a row is found, any other with
// a chance of 1 in 2^64 to be missed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace laminar {

class Checksum {
 public:
  void add(std::span<const std::byte> bytes);
  /// The text and a zero, so that two texts are not one.
  void add(std::string_view text);
  std::uint64_t value() const { return ~state_; }

 private:
  std::uint64_t state_ = ~std::uint64_t{0};
};

}  // namespace laminar
