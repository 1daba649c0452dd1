// SPDX-License-Identifier: Apache-2.0
// Reading by offset: threads, and processes that fork has made, share no place in the file.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <system_error>

#include "laminar/base/error.hpp"
#include "laminar/base/printable.hpp"
#include "laminar/files/byte_source.hpp"

namespace laminar {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() { ::close(number_); }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

}  // namespace

ByteSource file_source(const std::filesystem::path& path) {
  const auto refuse = [name = printable(path.string())](int error, const char* what = "cannot read") {
    throw std::system_error(error, std::generic_category(), std::string(what) + " '" + name + "'");
  };
  int number;
  do number = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe would wait for a writer
  while (number < 0 && errno == EINTR);
  if (number < 0) refuse(errno);
  const auto file = std::make_shared<const Descriptor>(number);
  struct stat found = {};
  if (::fstat(number, &found) != 0) refuse(errno);
  if (S_ISDIR(found.st_mode)) refuse(EISDIR);
  if (!S_ISREG(found.st_mode)) fail("'", printable(path.string()), "' is not a regular file");
  return {static_cast<std::uint64_t>(found.st_size), [file, refuse](std::uint64_t offset, std::span<std::byte> to) {
            constexpr std::size_t kMost = std::size_t{1} << 30;  // some systems refuse more in one call
            while (!to.empty()) {
              const auto got =
                  ::pread(file->number(), to.data(), std::min(to.size(), kMost), static_cast<off_t>(offset));
              if (got == 0) refuse(EIO, "the file has become shorter while it was read:");
              if (got < 0 && errno != EINTR) refuse(errno);
              if (got <= 0) continue;
              to = to.subspan(static_cast<std::size_t>(got));
              offset += static_cast<std::uint64_t>(got);
            }
          }};
}

}  // namespace laminar
