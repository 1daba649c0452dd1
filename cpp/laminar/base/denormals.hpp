// SPDX-License-Identifier: Apache-2.0
// Numbers below the normal range count as zero while training. As a network fits its data, gradients
// and their squares sink there, and the processor takes a hundred times as long for each: a step of
// 30-128-64-1 took four times its usual time. Such a number is 1e-38 of the weights beside it.
#pragma once

#include <cstdint>

#if defined(__SSE2__)
#include <xmmintrin.h>
#endif

namespace laminar {

/// For the calling thread, until the end of the scope; what the caller had set comes back.
class FlushDenormals {
 public:
  FlushDenormals() : saved_(get()) { set(saved_ | kFlush); }
  ~FlushDenormals() { set(saved_); }
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;

 private:
#if defined(__SSE2__)
  using Control = unsigned;
  static constexpr Control kFlush = 0x8040;  // results and operands
  static Control get() { return _mm_getcsr(); }
  static void set(Control control) { _mm_setcsr(control); }
#elif defined(__aarch64__)
  using Control = std::uint64_t;
  static constexpr Control kFlush = Control{1} << 24;
  static Control get() {
    Control control = 0;
    asm volatile("mrs %0, fpcr" : "=r"(control));
    return control;
  }
  static void set(Control control) { asm volatile("msr fpcr, %0" : : "r"(control)); }
#else
  using Control = int;
  static constexpr Control kFlush = 0;
  static Control get() { return 0; }
  static void set(Control) {}
#endif

  Control saved_;
};

}  // namespace laminar
