// SPDX-License-Identifier: Apache-2.0
// Learns exclusive-or and prints what came of it with a checksum of the weights, so that the ways of
// building against laminar can be compared bit for bit.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <laminar/laminar.hpp>
#include <stdexcept>
#include <vector>

namespace {

/// Whether it throws just this.
template <typename Error, typename Call>
bool throws(Call&& call) {
  try {
    call();
  } catch (const Error&) {
    return true;
  } catch (...) {
  }
  return false;
}

}  // namespace

int main() {
  const std::vector<float> x = {0, 0, 0, 1, 1, 0, 1, 1};
  const std::vector<float> y = {0, 1, 1, 0};
  const laminar::MatrixView<const float> inputs(x, 2);
  const laminar::Targets<float> targets(laminar::MatrixView<const float>(y, 1));

  laminar::Model<float> model(laminar::Network(2, {laminar::Dense{.units = 8, .activation = "tanh"},
                                                   laminar::Dense{.units = 1, .activation = "sigmoid"}}),
                              7);
  model.compile("binary_crossentropy", laminar::Optimizer("adam", {{"learning_rate", 0.05}}));
  model.fit({inputs, targets, {}}, {.batch_size = 4, .epochs = 300});

  std::vector<float> out(4);
  model.predict(inputs, laminar::MatrixView<float>(out, 1));
  std::uint64_t checksum = 14695981039346656037u;  // FNV-1a
  for (const float weight : model.parameters()) {
    std::uint32_t bits;
    std::memcpy(&bits, &weight, sizeof bits);
    checksum = (checksum ^ bits) * 1099511628211u;
  }
  std::printf("%.0f%.0f%.0f%.0f weights %016llx laminar %s\n", out[0], out[1], out[2], out[3],
              static_cast<unsigned long long>(checksum), laminar::build_info().version.c_str());

  // Errors keep their types on the way out of a shared library.
  if (!throws<std::invalid_argument>([&] { model.compile("no such loss", laminar::Optimizer("adam")); })) return 2;
  const std::vector<float> much = {1e38f, 1e38f, 1e38f, 1e38f};
  laminar::Model<float> high(laminar::Network(1, {laminar::Dense{.units = 1}}), 7);
  high.compile("mean_squared_error", laminar::Optimizer("sgd", {{"learning_rate", 1e10}}));
  const laminar::MatrixView<const float> column(much, 1);
  if (!throws<laminar::NonFiniteError>(
          [&] { high.fit({column, laminar::Targets<float>(column), {}}, {.epochs = 9}); })) {
    return 3;
  }
  return out[0] < 0.1f && out[1] > 0.9f && out[2] > 0.9f && out[3] < 0.1f ? 0 : 1;
}
