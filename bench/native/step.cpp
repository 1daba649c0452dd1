// SPDX-License-Identifier: Apache-2.0
// An epoch of each case of bench/peers/cases.py, without Python: time of a step, floating-point
// operations per second, and their share of what the cores do at most with floats, measured between the
// repeats because the speed of a shared machine drifts. Each also with products of bfloat16.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <numeric>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "chains.hpp"
#include "laminar/build_info.hpp"
#include "laminar/laminar.hpp"
#include "laminar/threads/parallel.hpp"

namespace {

using laminar::Index;

struct Case {
  const char* name;
  std::vector<Index> widths;
  const char* activation;
  Index batch;
  const char* optimizer;
  const char* loss;
  Index steps;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> all = {
      {"3-4-1", {3, 4, 1}, "sigmoid", 1, "sgd", "binary_crossentropy", 5000},
      {"17-64-64-6", {17, 64, 64, 6}, "tanh", 64, "adam", "sparse_categorical_crossentropy", 500},
      {"30-128-64-1_b32", {30, 128, 64, 1}, "relu", 32, "adam", "binary_crossentropy", 500},
      {"30-128-64-1_b256", {30, 128, 64, 1}, "relu", 256, "adam", "binary_crossentropy", 200},
      {"28-5x300-1", {28, 300, 300, 300, 300, 300, 1}, "tanh", 100, "adam", "binary_crossentropy", 50},
      {"784-128-10", {784, 128, 10}, "relu", 128, "adam", "sparse_categorical_crossentropy", 100},
      {"784-512-512-10", {784, 512, 512, 10}, "relu", 128, "adam", "sparse_categorical_crossentropy", 50},
      {"1024-2048-2048-1024", {1024, 2048, 2048, 1024}, "relu", 1024, "sgd", "mse", 2},
  };
  return all;
}

/// Multiplications and additions of a step; the first layer's input needs no gradient.
double flops(const Case& c) {
  double sum = 0;
  for (std::size_t i = 1; i < c.widths.size(); ++i) {
    sum += (i == 1 ? 4.0 : 6.0) * static_cast<double>(c.widths[i - 1] * c.widths[i] * c.batch);
  }
  return sum;
}

struct Data {
  explicit Data(const Case& c) : rows(c.batch * c.steps) {
    std::mt19937 generator(7);
    std::normal_distribution<float> normal;
    x.resize(static_cast<std::size_t>(rows * c.widths.front()));
    for (float& v : x) v = normal(generator);
    y.resize(static_cast<std::size_t>(rows * c.widths.back()));
    const bool binary = c.loss == std::string("binary_crossentropy");
    for (float& v : y) v = binary ? static_cast<float>(generator() & 1U) : normal(generator);
    labels.resize(static_cast<std::size_t>(rows));
    for (auto& v : labels) v = static_cast<std::int32_t>(generator() % static_cast<unsigned>(c.widths.back()));
    set.x = {x.data(), rows, c.widths.front()};
    if (c.loss == std::string("sparse_categorical_crossentropy")) {
      set.y = std::span<const std::int32_t>(labels);
    } else {
      set.y = laminar::MatrixView<const float>(y.data(), rows, c.widths.back());
    }
  }

  Index rows;
  std::vector<float> x;
  std::vector<float> y;
  std::vector<std::int32_t> labels;
  laminar::Dataset<float> set;
};

laminar::Model<float> model_of(const Case& c, laminar::ProductPrecision precision) {
  std::vector<laminar::Layer> layers;
  const bool binary = c.loss == std::string("binary_crossentropy");
  const char* last = binary ? "sigmoid" : c.loss == std::string("mse") ? "linear" : "softmax";
  for (std::size_t i = 1; i < c.widths.size(); ++i) {
    layers.push_back(
        laminar::Dense{.units = c.widths[i], .activation = i + 1 == c.widths.size() ? last : c.activation});
  }
  laminar::Model<float> model(laminar::Network(c.widths.front(), layers), 1, precision);
  model.compile(c.loss, c.optimizer);
  return model;
}

/// Floating-point operations a second of `threads` cores together, from registers.
double peak(int threads) {
  void (*chains)() = nullptr;
  int bytes = 0;
  const std::string isa = laminar::build_info().isa;
#ifdef __x86_64__
  if (isa.starts_with("avx512")) {
    chains = chains_avx512;
    bytes = 64;
  } else if (isa == "avx2") {
    chains = chains_avx2;
    bytes = 32;
  } else {
    chains = chains_baseline;
    bytes = 16;
  }
#endif
  if (chains == nullptr) return 0;
  // The fastest of some slices: threads that have just started may have to share a core at first.
  constexpr int slices = 20;
  constexpr int calls = 200;
  std::vector<double> fastest(static_cast<std::size_t>(threads));
  {
    std::vector<std::jthread> team;
    for (double& rate : fastest) {
      team.emplace_back([=, &rate] {
        for (int s = 0; s < slices; ++s) {
          const auto start = std::chrono::steady_clock::now();
          for (int i = 0; i < calls; ++i) chains();
          const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
          rate = std::max(rate, calls * chain_flops(bytes) / elapsed.count());
        }
      });
    }
  }
  return std::accumulate(fastest.begin(), fastest.end(), 0.0);
}

void step(benchmark::State& state, const Case& c, int threads, laminar::ProductPrecision precision) {
  laminar::set_num_threads(threads);
  const Data data(c);
  auto model = model_of(c, precision);
  model.fit(data.set, {.batch_size = c.batch, .epochs = 1, .shuffle = false});
  double most = peak(threads);
  double seconds = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    model.fit(data.set, {.batch_size = c.batch, .epochs = 1, .shuffle = false});
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  most = std::max(most, peak(threads));
  const double step_seconds = seconds / static_cast<double>(c.steps * state.iterations());
  const double rate = flops(c) / step_seconds;
  state.counters["us_per_step"] = 1e6 * step_seconds;
  state.counters["GFLOP/s"] = rate / 1e9;
  state.counters["of_peak"] = most > 0 ? rate / most : 0;
  laminar::set_num_threads(0);
}

[[maybe_unused]] const bool registered = [] {
  using laminar::ProductPrecision;
  const auto add = [](const std::string& name, const Case& c, int threads, ProductPrecision precision) {
    const auto run = [=, &c](benchmark::State& state) { step(state, c, threads, precision); };
    benchmark::RegisterBenchmark((name + c.name + "/threads:" + std::to_string(threads)).c_str(), run)
        ->UseRealTime()
        ->Unit(benchmark::kMillisecond)
        ->MinTime(0.1)
        ->Repetitions(7)
        ->ReportAggregatesOnly();
  };
  for (const Case& c : cases()) {
    for (const int threads : {1, 2}) {
      add("step/", c, threads, ProductPrecision::full);
      add("step_bfloat16/", c, threads, ProductPrecision::bfloat16);
    }
  }
  return true;
}();

}  // namespace
