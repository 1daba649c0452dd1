// SPDX-License-Identifier: Apache-2.0
// Bytes that are read where they are wanted. A file is opened once, and what is said of it, its size
// for one, is said of what was opened: another file may take its name at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>

namespace laminar {

/// Bytes that can be read in any order, by several threads at once: a file's, or some in memory.
struct ByteSource {
  std::uint64_t size = 0;
  /// Fills `to` with the bytes from `offset` on, which lie within `size`.
  std::function<void(std::uint64_t offset, std::span<std::byte> to)> read;
};

/// A file, open as long as the source is held. Throws std::system_error where it cannot be read, and
/// later where it has become shorter; std::invalid_argument where it is no regular file.
ByteSource file_source(const std::filesystem::path& path);
/// Bytes that must outlive the source.
ByteSource memory_source(std::span<const std::byte> bytes);

}  // namespace laminar
