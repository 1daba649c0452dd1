// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/buffer.hpp"

#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

TEST_CASE("buffer: strides are whole cache lines, and an odd number of them") {
  for (const Index columns : kSizes) {
    const Index stride = padded_stride(columns);
    CHECK(stride >= columns);
    CHECK(stride % kSlice == 0);
    CHECK(stride / kSlice % 2 == 1);
    CHECK(stride < columns + 2 * kSlice);
  }
  CHECK(round_up(0, 16) == 0);
  CHECK(round_up(1, 16) == 16);
  CHECK(round_up(16, 16) == 16);
}

TEST_CASE_TEMPLATE("buffer: aligned, zero at first, copied by value", T, float, double) {
  for (const Index size : {0, 1, 17, 300}) {
    AlignedBuffer<T> a(size);
    CHECK(a.size() == size);
    CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % kAlignment == 0);
    for (const T value : a.span()) CHECK(same_bits(value, T(0)));
    for (T& value : a.span()) value = T(3);

    AlignedBuffer<T> b = a;
    CHECK(b.data() != a.data());
    CHECK(bit_difference<T>(b.span(), a.span()) == "");
    for (T& value : b.span()) value = T(4);
    for (const T value : a.span()) CHECK(value == 3);

    const T* where = b.data();
    a = std::move(b);
    CHECK(a.data() == where);
    CHECK(a.size() == size);
    const AlignedBuffer<T> c = std::move(a);
    CHECK(c.data() == where);
    CHECK(a.size() == 0);  // NOLINT(bugprone-use-after-move): what a moved buffer is
  }
  const AlignedBuffer<T> none;
  CHECK(none.size() == 0);
  CHECK(AlignedBuffer<T>(none).size() == 0);
}

TEST_CASE("buffer: assigned into its own memory where the sizes are equal") {
  AlignedBuffer<float> a(40);
  AlignedBuffer<float> b(40);
  for (float& value : b.span()) value = 2;
  const float* where = a.data();
  a = b;
  CHECK(a.data() == where);
  CHECK(bit_difference<float>(a.span(), b.span()) == "");
  AlignedBuffer<float>& self = a;
  a = self;
  CHECK(bit_difference<float>(a.span(), b.span()) == "");
  a = AlignedBuffer<float>(3);
  b = a;
  CHECK(b.size() == 3);
  a = AlignedBuffer<float>();
  b = a;
  CHECK(b.size() == 0);
}

TEST_CASE("buffer: large ones are like the others") {
  const Index size = (Index{16} << 20) / static_cast<Index>(sizeof(double)) + 5;
  AlignedBuffer<double> a(size);
  CHECK(reinterpret_cast<std::uintptr_t>(a.data()) % kAlignment == 0);
  CHECK(std::ranges::all_of(a.span(), [](double value) { return value == 0; }));
  a.data()[size - 1] = 1;
  const AlignedBuffer<double> b = a;
  CHECK(b.data()[size - 1] == 1);
}
