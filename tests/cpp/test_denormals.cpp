// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/denormals.hpp"

#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// Half the smallest normal number, computed now.
float half_of_smallest() {
  volatile float x = std::numeric_limits<float>::min();
  x = x / 2;
  return x;
}

}  // namespace

TEST_CASE("denormals: zero inside the scope, back behind it, and behind a training run") {
  CHECK(half_of_smallest() > 0);
  {
    const FlushDenormals flush;
    CHECK(half_of_smallest() == 0);
    {
      const FlushDenormals again;
      CHECK(half_of_smallest() == 0);
    }
    CHECK(half_of_smallest() == 0);
  }
  CHECK(half_of_smallest() > 0);

  const Task<float> task(40, 5, 2);
  for (const Index batch : {1, 16}) {
    Model<float> model(Network(5, {Dense{.units = 2}}), 1);
    model.compile("mse", "sgd");
    bool kept = false;
    const auto poll = [&](const Progress&) {  // runs under the user's rules, and ends the training
      kept = half_of_smallest() > 0;
      return true;
    };
    model.fit(task.dataset("mse"), {.batch_size = batch, .epochs = 1'000'000'000, .poll = poll});
    CHECK(kept);
    CHECK(half_of_smallest() > 0);
  }
}
