// SPDX-License-Identifier: Apache-2.0
// Unfit on purpose: operator new, so an allocation inside a kernel.
namespace laminar::kernels {

float* bad_table(int count) { return new float[static_cast<unsigned>(count)]; }

}  // namespace laminar::kernels
