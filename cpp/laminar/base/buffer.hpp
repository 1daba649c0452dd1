// SPDX-License-Identifier: Apache-2.0
// Memory aligned to a cache line, zero at first.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <utility>

#include "laminar/base/types.hpp"

namespace laminar {

/// Bytes of a cache line, and of the widest vector.
inline constexpr std::size_t kAlignment = 64;

/// Elements that every slice of a shared buffer is padded to: one cache line of floats, two of
/// doubles, so that layouts are the same for both.
inline constexpr Index kSlice = 16;

/// Rows that go through all layers together: what a thread's nearest caches hold of most networks.
inline constexpr Index kBlockRows = 64;

/// The smallest multiple that is not below n.
constexpr Index round_up(Index n, Index multiple) { return (n + multiple - 1) / multiple * multiple; }

/// Elements from one row to the next of a padded matrix: whole cache lines, and an odd number of
/// them, because rows at multiples of 1 KiB would all fall into the same few cache sets.
constexpr Index padded_stride(Index columns) {
  const Index lines = round_up(columns, kSlice) / kSlice;
  return (lines % 2 == 0 ? lines + 1 : lines) * kSlice;
}

/// Memory that starts at a multiple of kAlignment, for free_aligned. Large pieces ask for huge pages:
/// a step through them would wait for a page's address every 4 KiB. Throws std::bad_alloc.
void* allocate_aligned(std::size_t bytes);
void free_aligned(void* memory) noexcept;
/// Sets all bytes to 0. Where a StopScope ends this, it throws.
void clear(std::span<std::byte> bytes);

/// A fixed number of elements, copied by value.
template <typename T>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(Index size) : size_(size), data_(allocate(size)) { clear(std::as_writable_bytes(span())); }
  AlignedBuffer(const AlignedBuffer& other) : size_(other.size_), data_(allocate(other.size_)) {
    std::copy_n(other.data(), size_, data());
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept : size_(std::exchange(other.size_, 0)), data_(std::move(other.data_)) {}
  /// Into the same memory, if the sizes are equal.
  AlignedBuffer& operator=(const AlignedBuffer& other) {
    if (this == &other) return *this;
    if (size_ != other.size_ || data_ == nullptr) return *this = AlignedBuffer(other);
    std::copy_n(other.data(), size_, data());
    return *this;
  }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(size_, other.size_);
    std::swap(data_, other.data_);
    return *this;
  }
  ~AlignedBuffer() = default;

  T* data() { return data_.get(); }
  const T* data() const { return data_.get(); }
  Index size() const { return size_; }
  std::span<T> span() { return {data(), static_cast<std::size_t>(size_)}; }
  std::span<const T> span() const { return {data(), static_cast<std::size_t>(size_)}; }

 private:
  struct Free {
    void operator()(T* p) const { free_aligned(p); }
  };
  static T* allocate(Index size) {
    // One line more than asked for: a kernel may read the whole vector that the last element is in.
    const auto bytes = static_cast<std::size_t>(size + 2 * kSlice) * sizeof(T);
    return static_cast<T*>(allocate_aligned(bytes));
  }

  Index size_ = 0;
  std::unique_ptr<T, Free> data_;
};

}  // namespace laminar
