// SPDX-License-Identifier: Apache-2.0
// Files that are written whole or not at all: whoever reads one, whenever the writer is killed or the
// disk is full, finds the old file or the new one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

namespace laminar {

/// Writes the pieces one after the other: into a temporary file of the same folder, which is synced to
/// the disk and then takes the place of `path`. A symbolic link stays one, and what it leads to is
/// replaced, or made where it leads to nothing. A file that is replaced keeps its mode and, where the
/// process may set them, owner and group; a new one has the mode that the umask leaves. (On Windows
/// either has the permissions that its folder gives.) Throws std::invalid_argument where `path` is a
/// pipe, a device or a socket, std::system_error for all else, the old file still in place and the
/// temporary one removed; only a process that is killed leaves that behind, named after `path` and
/// ending in ".part".
void write_atomically(const std::filesystem::path& path, std::span<const std::span<const std::byte>> pieces);

/// The name that a file written to `path` takes: where symbolic links lead. Throws as above for what no
/// file can replace.
std::filesystem::path replaceable(const std::filesystem::path& path);

}  // namespace laminar
