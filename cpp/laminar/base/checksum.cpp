// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/checksum.hpp"

#include <array>
#include <cstring>

namespace laminar {
namespace {

constexpr std::uint64_t kPolynomial = 0xc96c5795d7870f42;  // bits reversed
constexpr std::size_t kSlices = 8;

using Tables = std::array<std::array<std::uint64_t, 256>, kSlices>;

/// tables[s][b]: what byte b becomes after s more bytes of zeros; eight bytes are taken at once.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::uint64_t remainder = byte;
    for (int bit = 0; bit < 8; ++bit) remainder = (remainder >> 1) ^ ((remainder & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = remainder;
  }
  for (std::size_t s = 1; s < kSlices; ++s) {
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const std::uint64_t before = tables[s - 1][byte];
      tables[s][byte] = (before >> 8) ^ tables[0][before & 0xff];
    }
  }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

void Checksum::add(std::span<const std::byte> bytes) {
  for (; bytes.size() >= kSlices; bytes = bytes.subspan(kSlices)) {
    std::uint64_t word;
    std::memcpy(&word, bytes.data(), sizeof word);
    word ^= state_;
    state_ = 0;
    for (std::size_t s = 0; s < kSlices; ++s) state_ ^= kTables[kSlices - 1 - s][(word >> (8 * s)) & 0xff];
  }
  for (const std::byte byte : bytes) {
    state_ = (state_ >> 8) ^ kTables[0][(state_ ^ std::to_integer<std::uint64_t>(byte)) & 0xff];
  }
}

void Checksum::add(std::string_view text) {
  add(std::as_bytes(std::span(text)));
  constexpr std::byte kEnd{0};
  add(std::span(&kEnd, 1));
}

}  // namespace laminar
