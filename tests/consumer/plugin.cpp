// SPDX-License-Identifier: Apache-2.0
// A plugin that trains on two threads.
#include <laminar/laminar.hpp>
#include <vector>

extern "C" [[gnu::visibility("default")]] double learn() {
  laminar::set_num_threads(2);
  const std::vector<float> x(1024 * 64, 0.5f), y(1024, 1);
  laminar::Model<float> model(laminar::Network(64, {laminar::Dense{.units = 256}, laminar::Dense{.units = 1}}), 7);
  model.compile("mean_squared_error", laminar::Optimizer("sgd"));
  return model.fit({{x, 64}, {{y, 1}}, {}}, {.batch_size = 1024, .epochs = 3}).epochs.back()[0];
}
