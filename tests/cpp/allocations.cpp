// SPDX-License-Identifier: Apache-2.0
// Replaces every form of the global operator new by one that counts.
#include "allocations.hpp"

#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>

namespace {

std::atomic<std::int64_t> count{0};
std::atomic<std::int64_t> live{0};
std::atomic<std::int64_t> peak{0};
std::atomic<bool> denied{false};
thread_local bool exempt = false;

bool refused() { return denied && !exempt; }

void* counted(void* p) noexcept {
  ++count;
  if (p == nullptr) return p;
  const std::int64_t now = live += static_cast<std::int64_t>(malloc_usable_size(p));
  std::int64_t most = peak;
  while (now > most && !peak.compare_exchange_weak(most, now)) {
  }
  return p;
}

void* allocate(std::size_t size) noexcept { return refused() ? nullptr : counted(std::malloc(size != 0 ? size : 1)); }

void* allocate(std::size_t size, std::align_val_t alignment) noexcept {
  void* p = nullptr;
  if (refused()) return p;
  return counted(posix_memalign(&p, static_cast<std::size_t>(alignment), size) == 0 ? p : nullptr);
}

void release(void* p) noexcept {
  live -= static_cast<std::int64_t>(malloc_usable_size(p));
  std::free(p);
}

void* checked(void* p) {
  if (p == nullptr) throw std::bad_alloc();
  return p;
}

}  // namespace

namespace laminar::tests {

std::int64_t allocations() { return count; }

AllocationPeak::AllocationPeak() : before_(live) { peak = before_; }
std::int64_t AllocationPeak::bytes() const { return peak - before_; }

OthersWithoutMemory::OthersWithoutMemory() {
  exempt = true;
  denied = true;
}
OthersWithoutMemory::~OthersWithoutMemory() {
  denied = false;
  exempt = false;
}

}  // namespace laminar::tests

void* operator new(std::size_t size) { return checked(allocate(size)); }
void* operator new[](std::size_t size) { return checked(allocate(size)); }
void* operator new(std::size_t size, std::align_val_t a) { return checked(allocate(size, a)); }
void* operator new[](std::size_t size, std::align_val_t a) { return checked(allocate(size, a)); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void* operator new(std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept { return allocate(size, a); }
void* operator new[](std::size_t size, std::align_val_t a, const std::nothrow_t&) noexcept { return allocate(size, a); }

void operator delete(void* p) noexcept { release(p); }
void operator delete[](void* p) noexcept { release(p); }
void operator delete(void* p, std::size_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t) noexcept { release(p); }
void operator delete(void* p, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete[](void* p, std::size_t, std::align_val_t) noexcept { release(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { release(p); }
void operator delete[](void* p, const std::nothrow_t&) noexcept { release(p); }
void operator delete(void* p, std::align_val_t, const std::nothrow_t&) noexcept { release(p); }
void operator delete[](void* p, std::align_val_t, const std::nothrow_t&) noexcept { release(p); }
