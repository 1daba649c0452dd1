// SPDX-License-Identifier: Apache-2.0
// Unfit on purpose: a template instance, which every file that uses it defines weakly.
namespace laminar::kernels {

template <typename T>
[[gnu::noinline]] T twice(T value) {
  return value + value;
}

float bad_table(float value) { return twice(value); }

}  // namespace laminar::kernels
