// SPDX-License-Identifier: Apache-2.0
// While training a = x m with a mask m of 0 and 1 / (1 - rate); d_x = d_a m. At prediction the plan
// lets readers read the input itself, so nothing runs.
#include "laminar/graph/layers/dropout.hpp"

#include "laminar/execution/layers/draws.hpp"

namespace laminar {

template <typename T>
void forward(const Dropout& layer, int node, const Pass<T>& pass, Rows rows) {
  const Index width = pass.node(node).width;
  const RandomStream stream = stream_of(layer, Purpose::dropout, node, pass);
  const T scale = static_cast<T>(1 / (1 - layer.rate));
  for (Index row = rows.begin; row < rows.end; ++row) {
    T* mask = pass.kept(node, row);
    draw_kept(stream, layer.rate, pass.first_row + row, width,
              [&](Index j, bool kept) { mask[j] = kept ? scale : T(0); });
  }
  const int input = pass.node(node).inputs[0];
  pass.kernels.multiply(pass.output(input, rows.begin), pass.stride(input), pass.kept(node, rows.begin),
                        pass.plan[node].kept_stride, pass.output_to_write(node, rows.begin), pass.plan[node].stride,
                        rows.count(), width);
}

template <typename T>
void backward(const Dropout&, int node, const Pass<T>& pass, Rows rows) {
  multiply_back(node, pass, rows);
}

template void forward(const Dropout&, int, const Pass<float>&, Rows);
template void forward(const Dropout&, int, const Pass<double>&, Rows);
template void backward(const Dropout&, int, const Pass<float>&, Rows);
template void backward(const Dropout&, int, const Pass<double>&, Rows);

}  // namespace laminar
