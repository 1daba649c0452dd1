// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/packed.hpp"

#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
struct Packed {
  Network network;
  AlignedBuffer<T> parameters;
  PackedWeights<T> weights;

  Packed(Index in, Index out)
      : network(in, {Dense{.units = in}, Dropout{.rate = 0.1}, Dense{.units = out}}),
        parameters(network.parameters().size()),
        weights(network) {
    initialize(network.parameters(), 1, parameters);
  }

  /// The second dense layer's kernel as the kernels pack it whole.
  std::vector<T> whole(bool transposed) const {
    const auto& k = kernels::kernels<T>();
    const Tensor& kernel = network.parameters()[2];
    const Index in = kernel.shape[0];
    const Index out = kernel.shape[1];
    std::vector<T> panels(as_size(transposed ? k.packed_size(out, in) : k.packed_size(in, out)));
    (transposed ? k.pack_transposed : k.pack)(parameters.data() + kernel.offset, out, in, out, panels.data());
    return panels;
  }
  std::string difference() const {
    const auto forward = whole(false);
    const auto backward = whole(true);
    return bit_difference<T>({weights.forward(2), forward.size()}, view(forward)) +
           bit_difference<T>({weights.backward(2), backward.size()}, view(backward));
  }
};

}  // namespace

TEST_CASE_TEMPLATE("packed: both panel layouts are the whole kernel's, at every size", T, float, double) {
  for (const Index in : kSizes) {
    for (const Index out : kSizes) {
      if (in == 300 && out == 300) continue;
      CAPTURE(in);
      CAPTURE(out);
      Packed<T> packed(in, out);
      packed.weights.refresh(packed.network, packed.parameters.data());
      CHECK(packed.difference() == "");
    }
  }
}

TEST_CASE_TEMPLATE("packed: refreshing changed blocks is refreshing everything", T, float, double) {
  const Index panel = kernels::kernels<T>().panel;
  for (const Index in : {1, 17, 33, 65, 130}) {
    for (const Index out : {1, 15, 32, 65, 130}) {
      Packed<T> packed(in, out);
      packed.weights.refresh(packed.network, packed.parameters.data());
      const Index i = in > 100 ? panel : (in - 1) / panel * panel;  // the last panel, or all but the first
      const Index j = out > 100 ? panel : (out - 1) / panel * panel;
      T* kernel = packed.parameters.data() + packed.network.parameters()[2].offset;
      for (Index row = i; row < in; ++row) {
        for (Index column = j; column < out; ++column) kernel[row * out + column] += T(1);
      }
      packed.weights.refresh_block(packed.network, 2, packed.parameters.data(), i, in - i, j, out - j);
      CHECK(packed.difference() == "");
    }
  }
}
