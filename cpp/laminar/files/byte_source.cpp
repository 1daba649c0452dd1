// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/byte_source.hpp"

#include <cstring>

namespace laminar {

ByteSource memory_source(std::span<const std::byte> bytes) {
  return {bytes.size(), [bytes](std::uint64_t offset, std::span<std::byte> to) {
            if (!to.empty()) std::memcpy(to.data(), bytes.data() + offset, to.size());
          }};
}

}  // namespace laminar
