// SPDX-License-Identifier: Apache-2.0
// The same bits for any number of threads and for many callers at once, those of Python (a graph of everything that
// a graph may hold, which tests/python/test_graph_bits.py has as well), and no memory that is asked for again.
#include <fstream>
#include <thread>

#include "allocations.hpp"
#include "examples/sha256.hpp"
#include "folder.hpp"
#include "laminar/build_info.hpp"
#include "laminar/model_file.hpp"
#include "random_graph.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kRows = 150;

/// A graph of every merge, shared layers, a table, batch normalization and dropout, with two outputs.
Network everything() {
  Graph graph;
  graph.inputs = {{"a", {4}}, {"b", {4}}, {"ids", {2}}};
  const auto call = [&](std::size_t layer, std::vector<int> inputs) {
    graph.calls.push_back({layer, std::move(inputs)});
    return static_cast<int>(graph.inputs.size() + graph.calls.size()) - 1;
  };
  const auto add = [&](Layer layer, std::vector<int> inputs) {
    graph.layers.push_back(std::move(layer));
    return call(graph.layers.size() - 1, std::move(inputs));
  };
  const int rows = add(Embedding{.input_dim = 50, .output_dim = 3}, {2});
  const int read = add(Flatten{}, {add(Add{}, {rows, call(0, {2})})});
  const int left = add(Dense{.units = 24, .activation = "tanh"}, {0});
  const int right = call(graph.layers.size() - 1, {1});
  std::vector<int> merged;
  for (const Layer& layer :
       std::initializer_list<Layer>{Maximum{}, Minimum{}, Multiply{}, Average{}, Subtract{}, Add{}}) {
    merged.push_back(add(layer, {left, right}));
  }
  const int normal = add(BatchNormalization{}, {add(Concatenate{}, merged)});
  const int dropped = add(Dropout{.rate = 0.2}, {normal});
  const int hidden = add(Concatenate{}, {dropped, add(Dot{}, {left, right}), read});
  const int price = add(Dense{.units = 1, .name = "price"}, {hidden});
  const int kind = add(Dense{.units = 3, .activation = "softmax", .name = "kind"}, {hidden});
  graph.outputs = {price, kind};
  return Network(std::move(graph));
}

/// It, to be trained as the other test has it.
template <typename T>
Model<T> compiled() {
  Model<T> model(everything(), 1);
  model.compile({{.loss = "mse", .weight = 0.5, .metrics = {"mae"}},
                 {.loss = "sparse_categorical_crossentropy", .weight = 2, .metrics = {"accuracy"}}},
                "adam");
  return model;
}

/// Its rows, and targets side by side.
template <typename T>
struct EverythingTask {
  std::vector<T> x;
  std::vector<T> y;

  explicit EverythingTask(std::size_t rows = as_size(kRows)) {
    for (std::size_t i = 0; i < rows; ++i) {
      const auto at = [&](std::size_t j) {
        return static_cast<T>((static_cast<double>((8 * i + j) * 7919 % 2001) - 1000) / 1000);
      };
      for (std::size_t j = 0; j < 8; ++j) x.push_back(at(j));
      for (std::size_t j = 0; j < 2; ++j) x.push_back(static_cast<T>((2 * i + j) * 7919 % 50));
      y.insert(y.end(), {at(0) * at(4), static_cast<T>(i * 7 % 3)});
    }
  }

  MatrixView<const T> inputs(Index rows = 0) const {
    return {view(x).first(rows > 0 ? as_size(10 * rows) : x.size()), 10};
  }
  Dataset<T> dataset(Index rows = 0) const {
    return {inputs(rows), MatrixView<const T>(view(y).first(rows > 0 ? as_size(2 * rows) : y.size()), 2), {}};
  }
};

/// SHA-256 of all weights and of the predictions.
std::string sha256(const Model<float>& model, const EverythingTask<float>& task) {
  Sha256 hash;
  for (std::size_t i = 0; i < model.network().parameters().tensors().size(); ++i) {
    hash.add(std::as_bytes(model.tensor(i)));
  }
  const std::vector<float> out = predictions(model, task.inputs());
  hash.add(std::as_bytes(std::span(out)));
  return hash.finish();
}

}  // namespace

TEST_CASE("graph: everything has one SHA-256, that of Python, and goes on inside an epoch") {
  const EverythingTask<float> task;
  const Folder folder;
  std::string first;
  for (const int count : {1, 2, 3, 4, 8}) {
    CAPTURE(count);
    const Threads threads(count);
    FitOptions<float> options{.batch_size = 32, .epochs = 3};
    Model<float> model = compiled<float>();
    options.on_batch = [&](const Progress&) {
      if (model.iterations() == 7) save_model(model, folder / "m.safetensors");
      return false;
    };
    model.fit(task.dataset(), options);
    if (first.empty()) first = sha256(model, task);
    CHECK(sha256(model, task) == first);
    auto resumed = load_model<float>(folder / "m.safetensors");
    resumed.fit(task.dataset(), {.batch_size = 32, .epochs = 3, .resume = true});
    CHECK(sha256(resumed, task) == first);
  }
// The hashes are those of x86-64; sanitizers keep products and sums apart that are fused elsewhere.
#if defined(LAMINAR_X86) && !defined(__SANITIZE_ADDRESS__)
  std::ifstream list(std::filesystem::path(LAMINAR_GOLDEN_FILES) / "graph_sha256.txt");
  std::string kind, hash;
  while (list >> kind >> hash) {
    if (kind == (build_info().isa == "baseline" ? "baseline" : "fused")) CHECK(first == hash);
  }
  CHECK(list.eof());
#endif
}

TEST_CASE_TEMPLATE("graph: the same bits for any number of threads, and in parts", T, float, double) {
  for (std::uint64_t seed = 300; seed < 312; ++seed) {
    std::vector<T> first;
    const Network network = random_graph(seed, 14);
    const Task<T> task = random_task<T>(network, 150, seed);
    for (const int count : {1, 2, 3, 4, 8}) {
      const Threads threads(count);
      Model<T> model(network, seed);
      model.compile("mse", "adam", {"mae"});
      model.fit(task.dataset("mse"), {.batch_size = 64, .epochs = 2});
      std::vector<T> got = weights_of(model);
      const std::vector<T> out = predictions(model, task.inputs());
      got.insert(got.end(), out.begin(), out.end());
      if (first.empty()) first = got;
      INFO("seed " << seed << ", threads " << count);
      CHECK(bit_difference(got, first) == "");
    }
  }
}

TEST_CASE_TEMPLATE("graph: five hundred more steps, and predictions, allocate nothing more", T, float, double) {
  const EverythingTask<T> task(8 * 510);
  for (const int count : {1, 2}) {
    const Threads threads(count);
    Model<T> model = compiled<T>();
    const auto allocated = [&](Index batches) {
      const std::int64_t before = allocations();
      model.fit(task.dataset(8 * batches), {.batch_size = 8});
      return allocations() - before;
    };
    allocated(20);  // which reads all rows of the table
    const std::int64_t few = allocated(10);
    CHECK(allocated(count == 1 ? 510 : 60) == few);
    std::vector<T> out(as_size(8 * model.network().outputs()));
    const auto predict = [&] { model.predict(task.inputs(8), {std::span<T>(out), model.network().outputs()}); };
    predict();
    const std::int64_t before = allocations();
    predict();
    CHECK(allocations() == before);
  }
}

TEST_CASE_TEMPLATE("graph: many threads may predict and go back through one model, to the same bits", T, float,
                   double) {
  Model<T> trained = compiled<T>();
  const EverythingTask<T> task;
  trained.fit(task.dataset(), {.batch_size = 32});
  const Model<T>& model = trained;
  const Index outputs = model.network().outputs();
  const auto d_out = draws<T>(kRows * outputs, -1, 1, 2);
  std::vector<std::vector<T>> results(32);
  std::vector<std::thread> threads;
  for (auto& result : results) {
    threads.emplace_back([&] {
      for (int times = 0; times < 3; ++times) {
        std::vector<T> d_x(task.x.size());
        result.resize(model.parameters().size());
        model.backward(task.inputs(), {view(d_out), outputs}, result, {std::span<T>(d_x), 10});
        const auto out = predictions(model, task.inputs());
        result.insert(result.end(), d_x.begin(), d_x.end());
        result.insert(result.end(), out.begin(), out.end());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const auto& result : results) CHECK(bit_difference(result, results[0]) == "");
}
