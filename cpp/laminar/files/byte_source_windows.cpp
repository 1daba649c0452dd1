// SPDX-License-Identifier: Apache-2.0
// The same with the calls of Windows. Others may replace or remove the file while it is open.
#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <algorithm>
#include <memory>
#include <system_error>

#include "laminar/base/error.hpp"
#include "laminar/base/printable.hpp"
#include "laminar/files/byte_source.hpp"

namespace laminar {

ByteSource file_source(const std::filesystem::path& path) {
  const auto refuse = [name = printable(path.string())](DWORD error, const char* what = "cannot read") {
    throw std::system_error(static_cast<int>(error), std::system_category(), std::string(what) + " '" + name + "'");
  };
  if (std::error_code none; std::filesystem::is_directory(path, none)) {
    throw std::system_error(EISDIR, std::generic_category(), "cannot read '" + printable(path.string()) + "'");
  }
  constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  const HANDLE handle =
      ::CreateFileW(path.c_str(), GENERIC_READ, kShared, nullptr, OPEN_EXISTING, FILE_ATTRIBUTE_NORMAL, nullptr);
  if (handle == INVALID_HANDLE_VALUE) refuse(::GetLastError());
  const std::shared_ptr<void> file(handle, [](HANDLE open) { ::CloseHandle(open); });
  if (::GetFileType(handle) != FILE_TYPE_DISK) fail("'", printable(path.string()), "' is not a regular file");
  LARGE_INTEGER size = {};
  if (!::GetFileSizeEx(handle, &size)) refuse(::GetLastError());
  return {static_cast<std::uint64_t>(size.QuadPart), [file, refuse](std::uint64_t offset, std::span<std::byte> to) {
            constexpr std::size_t kMost = std::size_t{1} << 30;  // the call counts in 32 bits
            while (!to.empty()) {
              OVERLAPPED place = {};
              place.Offset = static_cast<DWORD>(offset & 0xFFFFFFFFU);
              place.OffsetHigh = static_cast<DWORD>(offset >> 32);
              DWORD got = 0;
              const auto wanted = static_cast<DWORD>(std::min(to.size(), kMost));
              const bool read = ::ReadFile(file.get(), to.data(), wanted, &got, &place) != 0;
              if (!read && ::GetLastError() != ERROR_HANDLE_EOF) refuse(::GetLastError());
              if (got == 0) refuse(ERROR_HANDLE_EOF, "the file has become shorter while it was read:");
              to = to.subspan(got);
              offset += got;
            }
          }};
}

}  // namespace laminar
