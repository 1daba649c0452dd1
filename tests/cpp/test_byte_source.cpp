// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/byte_source.hpp"

#include <sys/stat.h>

#include <fstream>
#include <system_error>

#include "folder.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string text_of(const ByteSource& source, std::uint64_t offset, std::size_t size) {
  std::string text(size, '?');
  source.read(offset, std::as_writable_bytes(std::span(text)));
  return text;
}

}  // namespace

TEST_CASE("byte_source: a file that takes the name of an open one changes nothing") {
  const Folder folder;
  write(folder / "a", "first");
  write(folder / "b", "the second");
  const ByteSource source = file_source(folder / "a");
  std::filesystem::rename(folder / "b", folder / "a");
  CHECK(source.size == 5);
  CHECK(text_of(source, 1, 4) == "irst");
}

TEST_CASE("byte_source: a file that has become shorter is an error that says so") {
  const Folder folder;
  write(folder / "a", "0123456789");
  const ByteSource source = file_source(folder / "a");
  std::filesystem::resize_file(folder / "a", 4);
  CHECK(text_of(source, 0, 4) == "0123");
  std::string message;
  try {
    text_of(source, 2, 4);
  } catch (const std::system_error& e) {
    message = e.what();
  }
  CHECK(without(message, {"shorter", (folder / "a").string()}) == "");
}

TEST_CASE("byte_source: a pipe is refused and not waited for") {
  const Folder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(without(message_of([&] { file_source(folder / "pipe"); }), {"pipe", "not a regular file"}) == "");
}
