// SPDX-License-Identifier: Apache-2.0
// The order matters: data, its sync, the name, the sync of the folder that holds the name.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>
#include <utility>

#include "laminar/base/printable.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/files/atomic_file.hpp"

namespace laminar {
namespace {

[[noreturn]] void fail_with(int error, const char* operation, const std::filesystem::path& path) {
  throw std::system_error(error, std::generic_category(),
                          std::string(operation) + " '" + printable(path.string()) + "'");
}

/// An open file, closed at the latest when this goes.
class Descriptor {
 public:
  Descriptor() = default;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;

  bool open(const std::filesystem::path& path, int flags, mode_t mode = 0) {
    do number_ = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    while (number_ < 0 && errno == EINTR);
    return number_ >= 0;
  }
  /// Gives it a file's owner, group and mode. Where its group is not ours to give, ours may do no more
  /// than everybody; a process that may not change owners makes the file its own.
  bool take_rights_of(const struct stat& old) {
    struct stat own = {};
    if (::fstat(number_, &own) != 0) return false;
    mode_t mode = old.st_mode & 07777;
    if (old.st_uid != own.st_uid && ::fchown(number_, old.st_uid, static_cast<gid_t>(-1)) != 0) mode &= 01777;
    if (old.st_gid != own.st_gid && ::fchown(number_, static_cast<uid_t>(-1), old.st_gid) != 0) {
      mode = (mode & 01707) | (mode & mode << 3 & 070);
    }
    return ::fchmod(number_, mode) == 0;
  }
  bool write(std::span<const std::byte> bytes) {
    constexpr std::size_t kMost = std::size_t{8} << 20;  // before the caller is asked
    while (!bytes.empty()) {
      const std::size_t size = std::min(bytes.size(), kMost);
      leave_if_stopped(static_cast<double>(size));
      const auto written = ::write(number_, bytes.data(), size);
      if (written < 0 && errno != EINTR) return false;
      if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return true;
  }
  bool sync() {
    int result;
    do result = ::fsync(number_);
    while (result != 0 && errno == EINTR);
    return result == 0;
  }
  /// False where closing reports an error, as network file systems do that write late.
  bool close() { return ::close(std::exchange(number_, -1)) == 0 || errno == EINTR; }

 private:
  int number_ = -1;
};

/// A file's name that is removed again unless the file has been put in its place.
struct Temporary {
  std::filesystem::path name;
  bool placed = false;

  Temporary() = default;
  ~Temporary() {
    if (!placed && !name.empty()) ::unlink(name.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
};

/// Opens a new file beside `path`.
void open_beside(const std::filesystem::path& path, mode_t mode, Descriptor& file, Temporary& temporary) {
  static std::atomic<unsigned> counter{0};
  constexpr int kAttempts = 100;  // names that killed processes of the same number have left
  for (int attempt = 0;; ++attempt) {
    std::filesystem::path name = path;
    name.concat(".").concat(std::to_string(::getpid())).concat("-").concat(std::to_string(counter++)).concat(".part");
    if (file.open(name, O_WRONLY | O_CREAT | O_EXCL, mode)) {
      temporary.name = name;
      return;
    }
    if (errno != EEXIST || attempt >= kAttempts) fail_with(errno, "cannot write", name);
  }
}

}  // namespace

void write_atomically(const std::filesystem::path& given, std::span<const std::span<const std::byte>> pieces) {
  const std::filesystem::path path = replaceable(given);
  struct stat old = {};
  const bool replaces = ::stat(path.c_str(), &old) == 0;

  Temporary temporary;
  Descriptor file;
  open_beside(path, replaces ? 0600 : 0666, file, temporary);
  if (replaces && !file.take_rights_of(old)) fail_with(errno, "cannot set the mode of", temporary.name);
  for (const std::span<const std::byte> piece : pieces) {
    if (!file.write(piece)) fail_with(errno, "cannot write", temporary.name);
  }
  if (!file.sync()) fail_with(errno, "cannot sync", temporary.name);
  if (!file.close()) fail_with(errno, "cannot close", temporary.name);
  if (std::rename(temporary.name.c_str(), path.c_str()) != 0) fail_with(errno, "cannot replace", path);
  temporary.placed = true;

  const std::filesystem::path parent = path.has_parent_path() ? path.parent_path() : ".";
  Descriptor folder;
  if (!folder.open(parent, O_RDONLY | O_DIRECTORY)) fail_with(errno, "cannot open", parent);
  // Some file systems know no sync of folders, and say so.
  if (!folder.sync() && errno != EINVAL) fail_with(errno, "cannot sync", parent);
}

}  // namespace laminar
