// SPDX-License-Identifier: Apache-2.0
#include "laminar/atomic_file.hpp"

#include <fstream>
#include <system_error>

#include "folder.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

void write(const std::filesystem::path& path, const std::string& a, const std::string& b = "") {
  const std::span<const std::byte> pieces[] = {std::as_bytes(std::span(a)), std::as_bytes(std::span(b))};
  write_atomically(path, pieces);
}

std::string read(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int error_of(const std::filesystem::path& path) {
  try {
    write(path, "x");
  } catch (const std::system_error& e) {
    return e.code().value();
  }
  return 0;
}

}  // namespace

TEST_CASE("atomic_file: pieces follow each other, and the old file goes") {
  const Folder folder;
  write(folder / "a", "one ", "two");
  CHECK(read(folder / "a") == "one two");
  write(folder / "a", "");
  CHECK(read(folder / "a") == "");
  CHECK(folder.names() == std::vector<std::string>{"a"});
}

TEST_CASE("atomic_file: a name without a folder is in the current one") {
  const Folder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  write("a", "here");
  std::filesystem::current_path(before);
  CHECK(read(folder / "a") == "here");
}

TEST_CASE("atomic_file: a symbolic link stays one") {
  const Folder folder;
  write(folder / "a", "old");
  std::filesystem::create_symlink("a", folder / "link");
  write(folder / "link", "new");
  CHECK(read(folder / "a") == "new");
  CHECK(std::filesystem::is_symlink(folder / "link"));
}

TEST_CASE("atomic_file: what cannot be written leaves nothing behind") {
  const Folder folder;
  CHECK(error_of(folder / "none" / "a") == ENOENT);
  std::filesystem::create_directory(folder / "taken");
  write(folder / "taken" / "inside", "x");
  CHECK(error_of(folder / "taken") != 0);
  CHECK(folder.names() == std::vector<std::string>{"taken"});
}
