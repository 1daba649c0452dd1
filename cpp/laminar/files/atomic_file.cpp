// SPDX-License-Identifier: Apache-2.0
// What may be replaced, on all systems.
#include "laminar/files/atomic_file.hpp"

#include <system_error>

#include "laminar/base/error.hpp"
#include "laminar/base/printable.hpp"

namespace laminar {

std::filesystem::path replaceable(const std::filesystem::path& path) {
  const auto refuse = [&](std::errc error) {
    throw std::system_error(std::make_error_code(error), "cannot write '" + printable(path.string()) + "'");
  };
  constexpr int kMostLinks = 40;  // as many as systems follow
  std::filesystem::path end = path;
  std::error_code none;
  for (int links = 0; std::filesystem::is_symlink(end, none); ++links) {
    if (links == kMostLinks) refuse(std::errc::too_many_symbolic_link_levels);
    end = end.parent_path() / std::filesystem::read_symlink(end, none);
  }
  const std::filesystem::file_status status = std::filesystem::status(path, none);
  if (std::filesystem::is_directory(status)) refuse(std::errc::is_a_directory);
  const bool special = std::filesystem::is_other(status) || std::filesystem::is_fifo(status) ||
                       std::filesystem::is_socket(status) || std::filesystem::is_character_file(status) ||
                       std::filesystem::is_block_file(status);
  if (special) {
    fail("cannot write '", printable(path.string()),
         "': a pipe, device or socket is there, and only a regular file can be replaced as a whole");
  }
  return end;
}

}  // namespace laminar
