// SPDX-License-Identifier: Apache-2.0
// What check.py kills: `save_once write PATH SEED` saves a model of many tensors, `save_once read PATH`
// loads it and prints its seed and whether its weights are those of the seed.
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <system_error>

#include "laminar/laminar.hpp"

namespace {

laminar::Model<float> model_of(std::uint64_t seed) {
  std::vector<laminar::Layer> layers;
  for (int i = 0; i < 20; ++i) layers.push_back(laminar::Dense{.units = 40, .activation = "relu"});
  return laminar::Model<float>(laminar::Network(40, std::move(layers)), seed);
}

int run(const std::string& what, const char* path, const char* seed) {
  if (what == "write") {
    laminar::save_model(model_of(std::strtoull(seed, nullptr, 10)), path);
    return 0;
  }
  const auto model = laminar::load_model<float>(path);
  const auto expected = model_of(model.seed());
  const bool same = std::equal(model.parameters().begin(), model.parameters().end(), expected.parameters().begin());
  std::printf("%llu %s\n", static_cast<unsigned long long>(model.seed()), same ? "whole" : "DAMAGED");
  return same ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  try {
    return run(argv[1], argv[2], argc > 3 ? argv[3] : "0");
  } catch (const std::system_error& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 3;
  } catch (const std::invalid_argument& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 4;
  }
}
