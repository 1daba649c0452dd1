// SPDX-License-Identifier: Apache-2.0
// Every kernel that a step is made of, for every instruction set that runs here. Products are compared
// with a plain loop before they are timed, and timed beside it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/kernels/dispatch.hpp"

namespace {

using namespace laminar;
using Table = kernels::Kernels<float>;

AlignedBuffer<float> normal(Index size, unsigned seed) {
  AlignedBuffer<float> buffer(size);
  std::mt19937 generator(seed);
  std::normal_distribution<float> draw;
  for (float& v : buffer.span()) v = draw(generator);
  return buffer;
}

/// Rows, depth, columns of a product, with its operands.
struct Product {
  Product(Index rows_, Index depth_, Index columns_)
      : rows(rows_),
        depth(depth_),
        columns(columns_),
        left(normal(rows * padded_stride(depth), 1)),
        right(normal(depth * columns, 2)),
        out(rows * padded_stride(columns)) {}

  double flops() const { return 2.0 * static_cast<double>(rows * depth * columns); }
  float exact(Index i, Index j) const {
    double sum = 0;
    for (Index k = 0; k < depth; ++k) {
      sum += static_cast<double>(left.data()[i * padded_stride(depth) + k]) *
             static_cast<double>(right.data()[k * columns + j]);
    }
    return static_cast<float>(sum);
  }

  Index rows;
  Index depth;
  Index columns;
  AlignedBuffer<float> left;
  AlignedBuffer<float> right;
  AlignedBuffer<float> out;
};

void report(benchmark::State& state, double flops_or_elements) {
  state.counters["rate"] = benchmark::Counter(flops_or_elements, benchmark::Counter::kIsIterationInvariantRate);
}

void product(benchmark::State& state, const Table& table, bool tiles) {
  Product p(state.range(0), state.range(1), state.range(2));
  AlignedBuffer<float> packed(table.packed_size(p.depth, p.columns));
  table.pack(p.right.data(), p.columns, p.depth, p.columns, packed.data());
  kernels::Product<float> task;
  task.left = p.left.data();
  task.left_stride = padded_stride(p.depth);
  task.right = packed.data();
  task.out = p.out.data();
  task.out_stride = padded_stride(p.columns);
  task.rows = p.rows;
  task.depth = p.depth;
  task.columns = p.columns;
  AlignedBuffer<float> room(kernels::tiles_size(p.rows));
  if (tiles) task.tiles = room.data();
  table.product(task);
  for (Index i = 0; i < p.rows; i += 7) {
    for (Index j = 0; j < p.columns; j += 5) {
      const float got = p.out.data()[i * padded_stride(p.columns) + j];
      const float rounding = table.depths == 1 ? 1e-5F : 1e-2F;
      if (std::abs(got - p.exact(i, j)) > rounding * static_cast<float>(p.depth)) {
        state.SkipWithError("the product is wrong");
        return;
      }
    }
  }
  for (auto _ : state) table.product(task);
  report(state, p.flops());
}

/// What a compiler makes of three loops.
void product_by_loops(benchmark::State& state) {
  Product p(state.range(0), state.range(1), state.range(2));
  for (auto _ : state) {
    std::fill(p.out.span().begin(), p.out.span().end(), 0.0F);
    for (Index i = 0; i < p.rows; ++i) {
      for (Index k = 0; k < p.depth; ++k) {
        const float x = p.left.data()[i * padded_stride(p.depth) + k];
        for (Index j = 0; j < p.columns; ++j) {
          p.out.data()[i * padded_stride(p.columns) + j] += x * p.right.data()[k * p.columns + j];
        }
      }
    }
    benchmark::ClobberMemory();
  }
  report(state, p.flops());
}

/// Gradient of a kernel of `in` x one panel over so many rows. Beside it, `add` is what sums split by
/// rows would need in addition: the price of giving determinism up.
void weight_gradient(benchmark::State& state, const Table& table, bool tiles) {
  const Index rows = state.range(0);
  const Index in = state.range(1);
  const auto left = normal(rows * padded_stride(in), 1);
  const auto delta = normal(rows * table.panel, 2);
  AlignedBuffer<float> out(in * table.panel);
  kernels::WeightGradient<float> task;
  task.left = left.data();
  task.left_stride = padded_stride(in);
  task.delta = delta.data();
  task.delta_stride = table.panel;
  task.rows = rows;
  task.in_count = in;
  task.out_count = table.panel;
  task.out = out.data();
  task.out_stride = table.panel;
  AlignedBuffer<float> room(rows * in);
  if (tiles) {
    table.tiles_of_columns(task.left, task.left_stride, rows, in, room.data());
    task.tiles = room.data();
  }
  for (auto _ : state) table.weight_gradient(task);
  report(state, 2.0 * static_cast<double>(rows * in * table.panel));
}

void add(benchmark::State& state) {
  const Index size = state.range(0);
  const auto from = normal(size, 1);
  AlignedBuffer<float> to(size);
  for (auto _ : state) {
    for (Index i = 0; i < size; ++i) to.data()[i] += from.data()[i];
    benchmark::ClobberMemory();
  }
  report(state, static_cast<double>(size));
}

void pack(benchmark::State& state, const Table& table, bool transposed) {
  const Index depth = state.range(0);
  const Index columns = state.range(1);
  const auto w = normal(depth * columns, 1);
  AlignedBuffer<float> packed(transposed ? table.packed_size(columns, depth) : table.packed_size(depth, columns));
  for (auto _ : state)
    (transposed ? table.pack_transposed : table.pack)(w.data(), columns, depth, columns, packed.data());
  report(state, static_cast<double>(depth * columns));
}

void activate(benchmark::State& state, const Table& table, int entry) {
  constexpr Index rows = 64;
  constexpr Index columns = 128;
  const Activation f(activation_family().entries[static_cast<std::size_t>(entry)].name);
  const auto parameters = f.values_as<float>();
  const auto in = normal(rows * columns, 1);
  AlignedBuffer<float> out(rows * columns);
  for (auto _ : state) {
    table.activate({f.index(), parameters.data(), in.data(), columns, out.data(), columns, rows, columns});
  }
  report(state, static_cast<double>(rows * columns));
}

void loss(benchmark::State& state, const Table& table, int entry, Index columns) {
  constexpr Index rows = 64;
  const Loss l(loss_family().entries[static_cast<std::size_t>(entry)].name);
  const auto parameters = l.values_as<float>();
  const Index stride = padded_stride(columns);
  auto outputs = normal(rows * stride, 1);
  AlignedBuffer<float> targets(rows * stride);
  for (Index i = 0; i < rows; ++i) targets.data()[i * stride] = 1;
  AlignedBuffer<float> delta(rows * stride);
  AlignedBuffer<float> losses(rows);
  const std::vector<std::int32_t> labels(static_cast<std::size_t>(rows), 0);
  kernels::LossRows<float> task;
  task.loss = l.index();
  task.parameters = parameters.data();
  task.logits = true;
  task.outputs = outputs.data();
  task.outputs_stride = stride;
  task.targets = targets.data();
  task.targets_stride = stride;
  task.labels = labels.data();
  task.delta = delta.data();
  task.delta_stride = stride;
  task.losses = losses.data();
  task.rows = rows;
  task.columns = columns;
  for (auto _ : state) table.loss(task);
  report(state, static_cast<double>(rows * columns));
}

void update(benchmark::State& state, const Table& table, int entry) {
  constexpr Index size = 8192;
  const Optimizer optimizer(optimizer_family().entries[static_cast<std::size_t>(entry)].name);
  std::vector<float> coefficients(kernels::kMaxCoefficients);
  optimizer.coefficients(1, coefficients.data());
  auto weights = normal(size, 1);
  const auto gradients = normal(size, 2);
  std::vector<AlignedBuffer<float>> slots(static_cast<std::size_t>(optimizer.slots()), AlignedBuffer<float>(size));
  kernels::Update<float> task;
  task.optimizer = optimizer.index();
  task.coefficients = coefficients.data();
  task.weights = weights.data();
  for (std::size_t s = 0; s < slots.size(); ++s) task.slots[s] = slots[s].data();
  task.gradients = gradients.data();
  task.rows = 1;
  task.columns = size;
  for (auto _ : state) table.update(task);
  report(state, static_cast<double>(size));
}

template <typename... Arguments>
benchmark::internal::Benchmark* add_benchmark(const std::string& name, Arguments... arguments) {
  return benchmark::RegisterBenchmark(name.c_str(), arguments...)
      ->MinTime(0.02)
      ->Repetitions(5)
      ->ReportAggregatesOnly();
}

/// Products with what brings their operands into place; pairs are read from tiles alone.
void add_products(const Table& table, const std::string& isa) {
  const std::vector<std::vector<std::int64_t>> shapes = {
      {64, 17, 64}, {64, 64, 64}, {64, 64, 6}, {64, 300, 300}, {64, 784, 128}, {64, 512, 512}, {64, 2048, 2048}};
  const bool in_place = table.depths == 1;
  for (const auto& shape : shapes) {
    if (in_place) add_benchmark("product/" + isa, product, std::cref(table), false)->Args(shape);
  }
  for (const auto& shape : shapes) add_benchmark("product/tiles/" + isa, product, std::cref(table), true)->Args(shape);
  for (const Index rows : {32, 64, 128, 1024}) {
    if (in_place) add_benchmark("weight_gradient/" + isa, weight_gradient, std::cref(table), false)->Args({rows, 128});
    add_benchmark("weight_gradient/tiles/" + isa, weight_gradient, std::cref(table), true)->Args({rows, 128});
  }
  for (const bool transposed : {false, true}) {
    add_benchmark((transposed ? "pack_transposed/" : "pack/") + isa, pack, std::cref(table), transposed)
        ->Args({512, 512});
  }
}

void add_tables(const Table& table, const std::string& isa) {
  add_products(table, isa);
  for (int i = 0; i < static_cast<int>(activation_family().entries.size()); ++i) {
    add_benchmark("activate/" + isa + "/" + activation_family().entries[static_cast<std::size_t>(i)].name, activate,
                  std::cref(table), i);
  }
  for (int i = 0; i < static_cast<int>(loss_family().entries.size()); ++i) {
    for (const Index columns : {1, 10, 100}) {
      add_benchmark(
          "loss/" + isa + "/" + loss_family().entries[static_cast<std::size_t>(i)].name + "/" + std::to_string(columns),
          loss, std::cref(table), i, columns);
    }
  }
  for (int i = 0; i < static_cast<int>(optimizer_family().entries.size()); ++i) {
    const std::string name = optimizer_family().entries[static_cast<std::size_t>(i)].name;
    if (Optimizer(std::string_view(name)).tensor_wise()) continue;  // no kernel has it
    add_benchmark("update/" + isa + "/" + name, update, std::cref(table), i);
  }
}

[[maybe_unused]] const bool registered = [] {
  for (const std::string& isa : kernels::available_isas()) {
    if (isa != "avx512_bf16") add_tables(kernels::kernels_for<float>(isa), isa);  // numbers are avx512's there
    add_products(kernels::kernels_for<float>(isa, ProductPrecision::bfloat16), isa + "/bfloat16");
  }
  add_benchmark("product/loops", product_by_loops)->Args({64, 300, 300});
  add_benchmark("add", add)->Args({512 * 512});
  return true;
}();

}  // namespace
