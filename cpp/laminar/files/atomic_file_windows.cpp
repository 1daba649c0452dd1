// SPDX-License-Identifier: Apache-2.0
// The same with the calls of Windows, which has no sync of folders: the move itself is written through.
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <system_error>

#include "laminar/base/printable.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/files/atomic_file.hpp"

namespace laminar {
namespace {

[[noreturn]] void fail_with(const char* operation, const std::filesystem::path& path) {
  throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(),
                          std::string(operation) + " '" + printable(path.string()) + "'");
}

/// A new file beside its place, closed and removed unless it has been put there.
class Temporary {
 public:
  explicit Temporary(const std::filesystem::path& path) {
    static std::atomic<unsigned> counter{0};
    constexpr int kAttempts = 100;  // names that killed processes of the same number have left
    for (int attempt = 0; handle_ == INVALID_HANDLE_VALUE; ++attempt) {
      name_ = path;
      name_.concat(".")
          .concat(std::to_string(::GetCurrentProcessId()))
          .concat("-")
          .concat(std::to_string(counter++))
          .concat(".part");
      handle_ = ::CreateFileW(name_.c_str(), GENERIC_WRITE, 0, nullptr, CREATE_NEW, FILE_ATTRIBUTE_NORMAL, nullptr);
      const bool taken = handle_ == INVALID_HANDLE_VALUE && ::GetLastError() == ERROR_FILE_EXISTS;
      if (handle_ == INVALID_HANDLE_VALUE && (!taken || attempt >= kAttempts)) fail_with("cannot write", name_);
    }
  }
  ~Temporary() {
    if (handle_ != INVALID_HANDLE_VALUE) ::CloseHandle(handle_);
    if (!placed_) ::DeleteFileW(name_.c_str());
  }
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;

  void write(std::span<const std::byte> bytes) {
    constexpr std::size_t kMost = std::size_t{8} << 20;  // before the caller is asked
    while (!bytes.empty()) {
      leave_if_stopped(static_cast<double>(std::min(bytes.size(), kMost)));
      DWORD written = 0;
      const auto size = static_cast<DWORD>(std::min(bytes.size(), kMost));
      if (!::WriteFile(handle_, bytes.data(), size, &written, nullptr)) fail_with("cannot write", name_);
      bytes = bytes.subspan(written);
    }
  }
  void place(const std::filesystem::path& path) {
    if (!::FlushFileBuffers(handle_)) fail_with("cannot sync", name_);
    ::CloseHandle(handle_);
    handle_ = INVALID_HANDLE_VALUE;
    if (!::MoveFileExW(name_.c_str(), path.c_str(), MOVEFILE_REPLACE_EXISTING | MOVEFILE_WRITE_THROUGH)) {
      fail_with("cannot replace", path);
    }
    placed_ = true;
  }

 private:
  std::filesystem::path name_;
  HANDLE handle_ = INVALID_HANDLE_VALUE;
  bool placed_ = false;
};

}  // namespace

void write_atomically(const std::filesystem::path& given, std::span<const std::span<const std::byte>> pieces) {
  const std::filesystem::path path = replaceable(given);
  Temporary file(path);
  for (const std::span<const std::byte> piece : pieces) file.write(piece);
  file.place(path);
}

}  // namespace laminar
