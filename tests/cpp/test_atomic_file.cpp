// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/atomic_file.hpp"

#include <sys/stat.h>
#include <unistd.h>

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

TEST_CASE("atomic_file: a link that leads to nothing is written through") {
  const Folder folder;
  std::filesystem::create_directory(folder / "there");
  std::filesystem::create_symlink("there/a", folder / "one");
  std::filesystem::create_symlink("one", folder / "two");
  write(folder / "two", "new");
  CHECK(read(folder / "there" / "a") == "new");
  CHECK(std::filesystem::is_symlink(folder / "one"));
  CHECK(std::filesystem::is_symlink(folder / "two"));
  std::filesystem::create_symlink("round", folder / "round");
  CHECK(error_of(folder / "round") == ELOOP);
}

TEST_CASE("atomic_file: what is no regular file stays") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(without(message_of([&] { write(folder / "pipe", "x"); }), {"pipe", "only a regular file"}) == "");
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
  CHECK(without(message_of([] { write("/dev/null", "x"); }), {"/dev/null", "only a regular file"}) == "");
  std::filesystem::create_directory(folder / "empty");
  CHECK(error_of(folder / "empty") == EISDIR);
  CHECK(std::filesystem::is_directory(folder / "empty"));
}

TEST_CASE("atomic_file: a file that is replaced keeps its mode, a new one follows the umask") {
  const Folder folder;
  const auto mode = [&](const char* name) {
    struct stat found = {};
    REQUIRE(::stat((folder / name).c_str(), &found) == 0);
    return found.st_mode & 07777;
  };
  const mode_t before = ::umask(027);
  write(folder / "new", "x");
  for (const mode_t kept : {0600, 0640, 0666, 0400}) {
    write(folder / "old", "x");
    REQUIRE(::chmod((folder / "old").c_str(), kept) == 0);
    write(folder / "old", "y");
    CHECK(mode("old") == kept);
  }
  ::umask(before);
  CHECK(mode("new") == 0640);
  if (::geteuid() != 0) return;
  REQUIRE(::chown((folder / "old").c_str(), 1234, 4321) == 0);
  write(folder / "old", "z");
  struct stat found = {};
  REQUIRE(::stat((folder / "old").c_str(), &found) == 0);
  CHECK(found.st_uid == 1234);
  CHECK(found.st_gid == 4321);
}
