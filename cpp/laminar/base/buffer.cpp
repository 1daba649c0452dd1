// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/buffer.hpp"

#include <cstring>

#include "laminar/base/stop.hpp"

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace laminar {
namespace {

[[maybe_unused]] constexpr std::size_t kHugePage = std::size_t{2} << 20;
// From here on a page that is used in part is little beside the whole.
[[maybe_unused]] constexpr std::size_t kHugePagesFrom = 8 * kHugePage;

}  // namespace

void* allocate_aligned(std::size_t bytes) {
  void* memory = ::operator new(bytes, std::align_val_t{kAlignment});
#ifdef __linux__
  if (bytes >= kHugePagesFrom) {
    // What lies before the first whole huge page, and behind the last, is left out.
    const auto at = reinterpret_cast<std::uintptr_t>(memory);
    const std::uintptr_t begin = (at + kHugePage - 1) / kHugePage * kHugePage;
    const std::uintptr_t end = (at + bytes) / kHugePage * kHugePage;
    madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);  // advice: a refusal changes nothing
  }
#endif
  return memory;
}

void clear(std::span<std::byte> bytes) {
  constexpr std::size_t kPiece = std::size_t{16} << 20;
  in_pieces(bytes.size(), kPiece, 1,
            [&](std::size_t begin, std::size_t end) { std::memset(bytes.data() + begin, 0, end - begin); });
}

void free_aligned(void* memory) noexcept { ::operator delete(memory, std::align_val_t{kAlignment}); }

}  // namespace laminar
