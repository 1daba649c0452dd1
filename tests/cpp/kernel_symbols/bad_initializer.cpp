// SPDX-License-Identifier: Apache-2.0
// Unfit on purpose: a constant that is computed before main.
namespace laminar::kernels {
namespace {

float table_size() {
  volatile float size = 1.0f;
  return size;
}
const float kSize = table_size();

}  // namespace

float bad_table() { return kSize; }

}  // namespace laminar::kernels
