// SPDX-License-Identifier: Apache-2.0
// The task of main.cpp with Eigen's matrices: prints the outputs, rounded.
#include <cstdio>
#include <laminar/eigen.hpp>

int main() {
  laminar::RowMatrix<float> x(4, 2);
  x << 0, 0, 0, 1, 1, 0, 1, 1;
  const Eigen::Vector4f y(0, 1, 1, 0);
  laminar::Model<float> model(laminar::Network(2, {laminar::Dense{.units = 8, .activation = "tanh"},
                                                   laminar::Dense{.units = 1, .activation = "sigmoid"}}),
                              7);
  model.compile("binary_crossentropy", laminar::Optimizer("adam", {{"learning_rate", 0.05}}));
  model.fit({laminar::view(x), laminar::targets<float>(y), {}}, {.batch_size = 4, .epochs = 300});
  const Eigen::MatrixXf columns = x;
  const laminar::RowMatrix<float> out = laminar::predict(model, laminar::row_major(columns));
  std::printf("%.0f%.0f%.0f%.0f\n", out(0), out(1), out(2), out(3));
  return (out - y).cwiseAbs().maxCoeff() < 0.1f ? 0 : 1;
}
