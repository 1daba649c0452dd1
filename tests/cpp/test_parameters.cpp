// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/parameters.hpp"

#include "laminar/base/error.hpp"

#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

ParameterLayout layout(Index rows) {
  ParameterLayout all;
  all.add("a/kernel", {rows, 5}, true, "glorot_uniform");
  all.add("a/bias", {5}, true, "ones");
  all.add("b/kernel", {5, 1}, true, "he_normal");
  return all;
}

}  // namespace

TEST_CASE("parameters: tensors lie one after the other, each on its own cache lines") {
  for (const Index rows : kSizes) {
    const ParameterLayout all = layout(rows);
    Index end = 0;
    Index count = 0;
    for (const Tensor& tensor : all.tensors()) {
      CHECK(tensor.offset == end);
      CHECK(tensor.offset % kSlice == 0);
      end = tensor.offset + round_up(tensor.size, kSlice);
      count += tensor.size;
    }
    CHECK(all.size() == end);
    CHECK(all.count() == count);
    CHECK(count == rows * 5 + 5 + 5);
  }
  CHECK(ParameterLayout().size() == 0);
  CHECK(layout(2)[1].name == "a/bias");
  CHECK(layout(2).add("c", {}, true, "zeros") == 3);
}

TEST_CASE("parameters: a tensor too large to exist is refused before its size overflows") {
  constexpr Index kHuge = Index{1} << 40;
  for (const Shape& shape : {Shape{kHuge, 2}, Shape{kHuge, kHuge}, Shape{kHuge + 1}}) {
    const auto message = message_of([&] { ParameterLayout().add("a/kernel", shape, true, "zeros"); });
    CHECK(without(message, {"tensor 'a/kernel'", to_string(shape), "too large"}) == "");
  }
}

TEST_CASE_TEMPLATE("parameters: drawn from the seed, float being double rounded, padding 0", T, float, double) {
  const ParameterLayout all = layout(7);
  AlignedBuffer<T> a(all.size());
  AlignedBuffer<T> b(all.size());
  AlignedBuffer<double> exact(all.size());
  initialize(all, 3, a);
  initialize(all, 3, b);
  initialize(all, 3, exact);
  CHECK(bit_difference<T>(a.span(), b.span()) == "");
  for (Index i = 0; i < all.size(); ++i) CHECK(a.data()[i] == static_cast<T>(exact.data()[i]));
  for (const Tensor& tensor : all.tensors()) {
    for (Index i = tensor.size; i < round_up(tensor.size, kSlice); ++i) CHECK(a.data()[tensor.offset + i] == 0);
  }
  CHECK(a.data()[all[1].offset + 4] == 1);
  initialize(all, 4, b);
  CHECK(a.data()[0] != b.data()[0]);
}

TEST_CASE("parameters: a tensor is the same whatever stands before and after it") {
  AlignedBuffer<double> narrow(layout(1).size());
  AlignedBuffer<double> wide(layout(9).size());
  initialize(layout(1), 3, narrow);
  initialize(layout(9), 3, wide);
  for (Index i = 0; i < 5; ++i) {
    CHECK(narrow.data()[layout(1)[2].offset + i] == wide.data()[layout(9)[2].offset + i]);
  }
}
