// SPDX-License-Identifier: Apache-2.0
// Files that are written whole or not at all: whoever reads one, whenever the writer is killed or the
// disk is full, finds the old file or the new one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace laminar {

/// Writes the pieces one after the other: into a temporary file of the same folder, which is synced to
/// the disk and then takes the place of `path`; a symbolic link stays one, and what it leads to is
/// replaced. Throws std::system_error, the old file still in place and the temporary one removed;
/// only a process that is killed leaves that behind, named after `path` and ending in ".part".
void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces);

}  // namespace laminar
