// SPDX-License-Identifier: Apache-2.0
// Unfit on purpose: a helper outside the anonymous namespace.
namespace laminar::kernels {

float helper(float value) { return value + value; }
float bad_table(float value) { return helper(value); }

}  // namespace laminar::kernels
