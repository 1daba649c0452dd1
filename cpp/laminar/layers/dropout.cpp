// SPDX-License-Identifier: Apache-2.0
// While training a = x m with a mask m of 0 and 1 / (1 - rate); d_x = d_a m. At prediction the plan
// lets readers read the input itself, so nothing runs.
#include "laminar/layers/dropout.hpp"

#include "laminar/layers/work.hpp"
#include "laminar/random.hpp"

namespace laminar {

void declare(const Dropout& dropout, Declaration& declaration) {
  if (!(dropout.rate >= 0 && dropout.rate < 1)) {
    declaration.refuse("rate is the fraction dropped and must be in [0, 1), got ", dropout.rate);
  }
  declaration.keep(declaration.width());
}

// The mask of a value depends on (seed, layer, step, row in the batch, column) only.
template <typename T>
void forward(const Dropout& layer, int node, const Pass<T>& pass, Rows rows) {
  const Index width = pass.node(node).width;
  const Index groups = (width + 3) / 4;
  const RandomStream stream(pass.seed, Purpose::dropout, static_cast<std::uint32_t>(node),
                            static_cast<std::uint32_t>(pass.step));
  const auto threshold = static_cast<std::uint64_t>(layer.rate * 0x1p32);
  const T scale = static_cast<T>(1 / (1 - layer.rate));
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* mask = pass.kept(node, row);
    for (Index g = 0; g < groups; ++g) {
      const auto words = stream.words(static_cast<std::uint64_t>((pass.first_row + row) * groups + g));
      for (std::size_t l = 0; l < 4; ++l) mask[g * 4 + static_cast<Index>(l)] = words[l] >= threshold ? scale : T(0);
    }
  }
  const int input = pass.node(node).inputs[0];
  pass.kernels.multiply(pass.output(input, rows.begin), pass.stride(input), pass.kept(node, rows.begin),
                        pass.plan[node].kept_stride, pass.output_to_write(node, rows.begin), pass.plan[node].stride,
                        rows.count(), width);
}

template <typename T>
void backward(const Dropout&, int node, const Pass<T>& pass, Rows rows) {
  const int input = pass.node(node).inputs[0];
  if (!pass.wants_delta(input)) return;
  pass.kernels.multiply(pass.delta(node, rows.begin), pass.plan[node].stride, pass.kept(node, rows.begin),
                        pass.plan[node].kept_stride, pass.delta(input, rows.begin), pass.plan[input].stride,
                        rows.count(), pass.node(node).width);
}

template void forward(const Dropout&, int, const Pass<float>&, Rows);
template void forward(const Dropout&, int, const Pass<double>&, Rows);
template void backward(const Dropout&, int, const Pass<float>&, Rows);
template void backward(const Dropout&, int, const Pass<double>&, Rows);

}  // namespace laminar
