// SPDX-License-Identifier: Apache-2.0
// Tables of which a step reads and changes few rows: values, gradients, updates of those rows alone by every
// optimizer, the same bits whichever way an update is made, and coming back where one fails.
#include <atomic>
#include <thread>

#include "allocations.hpp"
#include "graphs.hpp"
#include "optimizers.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kRows = 40;  // of the tables

/// Two columns of one table, a column of another, and three plain values.
Network categories(Index rows = kRows, const std::optional<Regularizer>& regularizer = {}) {
  Graph graph;
  graph.inputs = {{"pair", {2}}, {"single", {1}}, {"values", {3}}};
  graph.layers = {Embedding{.input_dim = rows, .output_dim = 3, .name = "pairs", .embeddings_regularizer = regularizer},
                  Embedding{.input_dim = rows, .output_dim = 17, .name = "singles"},
                  Flatten{},
                  Concatenate{},
                  Dense{.units = 9, .activation = "tanh"},
                  Dense{.units = 2},
                  Flatten{}};
  graph.calls = {{0, {0}}, {1, {1}}, {2, {3}}, {6, {4}}, {3, {5, 6, 2}}, {4, {7}}, {5, {8}}};
  graph.outputs = {9};
  return Network(std::move(graph));
}

/// Whole numbers below `rows` in the first `columns` columns.
template <typename T>
Task<T> category_task(Index count, Index rows = kRows, Index columns = 3, Index features = 6) {
  Task<T> task(count, features, 2);
  std::mt19937_64 bits(7);
  for (Index i = 0; i < count; ++i) {
    for (Index j = 0; j < columns; ++j) {
      task.x[as_size(i * features + j)] = static_cast<T>(bits() % static_cast<std::uint64_t>(rows));
    }
  }
  return task;
}

template <typename T>
std::vector<T> trained(const Network& network, const Task<T>& task, const Optimizer& optimizer,
                       const FitOptions<T>& options = {.batch_size = 16, .epochs = 2}) {
  Model<T> model(network, 3);
  model.compile("mse", optimizer);
  model.fit(task.dataset("mse"), options);
  return weights_of(model);
}

}  // namespace

TEST_CASE_TEMPLATE("embedding: rows of its table, and NaN where there is none", T, float, double) {
  const Network network(Shape{2, 2}, {Embedding{.input_dim = 5, .output_dim = 3}});
  CHECK(network.nodes().back().shape == Shape{2, 2, 3});
  Model<T> model(network, 1);
  const std::vector<T> x{4, 0, 1, 1};
  const std::vector<T> out = predictions(model, {view(x), 4});
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      CHECK(same_bits(out[i * 3 + j], model.tensor(0)[static_cast<std::size_t>(x[i]) * 3 + j]));
    }
  }
  const std::vector<T> missing{kNan<T>, 0, 1, 1};
  const std::vector<T> other = predictions(model, {view(missing), 4});
  CHECK(std::isnan(other[0]));
  CHECK(same_bits(other[3], out[3]));
  // What another layer has computed is not seen before.
  Model<T> scaled(Network(Shape{1}, {Rescaling{.scale = 2}, Embedding{.input_dim = 3, .output_dim = 1}}), 1);
  const std::vector<T> computed{1, 2};
  const std::vector<T> found = predictions(scaled, {view(computed), 1});
  CHECK(same_bits(found[0], scaled.tensor(0)[2]));
  CHECK(std::isnan(found[1]));
}

TEST_CASE("embedding: numbers that have no row are refused, with row, column and value") {
  Model<double> model(categories(), 1);
  model.compile("mse", "sgd");
  for (const double wrong : {-1.0, 40.0, 1.5, 1e300}) {
    for (const Index column : {0, 1, 2}) {
      Task<double> task = category_task<double>(5);
      task.x[as_size(3 * 6 + column)] = wrong;
      const char* layer = column < 2 ? "'pairs'" : "'singles'";
      std::ostringstream place;
      place << "row 3, column " << column % 2 << " of input '" << (column < 2 ? "pair" : "single") << "' is " << wrong;
      const auto check = [&](const auto& call) {
        CHECK(without(message_of(call), {"from 0 to 39", layer, place.str()}) == "");
      };
      const std::vector<double> before = weights_of(model);
      check([&] { predictions(model, task.inputs()); });
      check([&] { model.fit(task.dataset("mse"), {}); });
      check([&] { model.evaluate(task.dataset("mse")); });
      check([&] { model.train_on_batch(task.dataset("mse")); });
      CHECK(bit_difference(weights_of(model), before) == "");
    }
  }
  // Brought together before they are looked up, they are looked at all the same.
  Graph graph;
  graph.inputs = {{"a", {1}}, {"b", {2}}};
  graph.layers = {Concatenate{}, Embedding{.input_dim = 4, .output_dim = 2}, Flatten{}};
  graph.calls = {{0, {1, 0}}, {1, {2}}, {2, {3}}};
  graph.outputs = {4};
  const Model<double> together(Network(graph), 1);
  const std::vector<double> x{0, 1, 4};
  CHECK(without(message_of([&] { predictions(together, {view(x), 3}); }), {"row 0, column 1 of input 'b' is 4"}) == "");
}

TEST_CASE("embedding: what does not fit is refused") {
  const auto refused = [](std::vector<Layer> layers) { return message_of([&] { Network(3, std::move(layers)); }); };
  CHECK(without(refused({Embedding{.output_dim = 3}}), {"'embedding'", "input_dim", "got 0"}) == "");
  CHECK(without(refused({Embedding{.input_dim = 3}}), {"'embedding'", "output_dim", "got 0"}) == "");
  CHECK(without(refused({Embedding{.input_dim = (1 << 24) + 1, .output_dim = 1}}), {"16777216"}) == "");
  CHECK(without(refused({Dense{.units = 3}, Embedding{.input_dim = 3, .output_dim = 1}}), {"no gradient"}) == "");
}

TEST_CASE("embedding: gradients are central differences") {
  for (const bool penalized : {false, true}) {
    const Network network = categories(7, penalized ? std::optional(Regularizer("l2")) : std::nullopt);
    const Task<double> task = category_task<double>(30, 7);
    Model<double> model(network, 3);
    model.compile("mse", "sgd");
    CHECK(gradient_error(model, task.dataset("mse")) < 1e-6);
  }
}

TEST_CASE_TEMPLATE("embedding: where a batch reads all rows, every optimizer does as with one-hot vectors", T, float,
                   double) {
  constexpr Index rows = 6;
  Task<T> task(24, 1, 2);
  for (Index i = 0; i < 24; ++i) task.x[as_size(i)] = static_cast<T>((i * 5) % rows);
  const Initializer start = Initializer("random_normal", {{"seed", 3}});
  const Network table(1, {Embedding{.input_dim = rows, .output_dim = 5, .embeddings_initializer = start}, Flatten{},
                          Dense{.units = 2, .name = "out"}});
  const Network one_hot(
      1, {CategoryEncoding{.num_tokens = rows, .output_mode = "one_hot"},
          Dense{.units = 5, .use_bias = false, .kernel_initializer = start}, Dense{.units = 2, .name = "out"}});
  std::vector<Optimizer> optimizers = variants<Optimizer>(optimizer_family());
  std::erase_if(optimizers, [](const Optimizer& o) { return o.name() == std::string_view("muon"); });  // knows kernels
  for (const auto& [option, value] : {std::pair{"clipnorm", 0.01},
                                      {"global_clipnorm", 0.01},
                                      {"clipvalue", 0.001},
                                      {"weight_decay", 0.1},
                                      {"gradient_accumulation_steps", 2.0},
                                      {"use_ema", 1.0}}) {
    optimizers.push_back(Optimizer("adam"));
    optimizers.back().set(option, value);
  }
  for (const Optimizer& optimizer : optimizers) {
    Model<T> a(table, 3);
    Model<T> b(one_hot, 3);
    std::vector<T> weights = weights_of(b);
    for (std::size_t tensor = 0; tensor < 3; ++tensor) {
      const Tensor& to = one_hot.parameters()[tensor];
      std::copy_n(a.tensor(tensor).data(), to.size, weights.data() + to.offset);
    }
    b.set_parameters(weights);
    for (Model<T>* model : {&a, &b}) {
      INFO(std::string(optimizer.name()));
      model->compile("mse", optimizer);
      model->fit(task.dataset("mse"), {.batch_size = 12, .epochs = 4, .shuffle = false});
    }
    INFO(std::string(optimizer.name()));
    const double tolerance = std::is_same_v<T, float> ? 2e-5 : 1e-10;
    for (std::size_t tensor = 0; tensor < 3; ++tensor) {
      CHECK(difference(a.tensor(tensor), b.tensor(tensor), tolerance) == "");
    }
  }
}

TEST_CASE_TEMPLATE("embedding: rows that a batch does not read keep their bits, with every optimizer", T, float,
                   double) {
  Task<T> task = category_task<T>(32);
  for (Index i = 0; i < 32; ++i) {
    for (Index j = 0; j < 3; ++j) {
      T& value = task.x[as_size(i * 6 + j)];
      value = std::floor(value / 2) * 2;  // even rows alone
    }
  }
  std::vector<Optimizer> optimizers = elementwise_optimizers();
  optimizers.push_back(Optimizer("adam"));
  optimizers.back().set("weight_decay", 0.1);
  optimizers.back().set("clipnorm", 1);
  const Network network = categories();
  const std::vector<T> before = weights_of(Model<T>(network, 3));
  for (const Optimizer& optimizer : optimizers) {
    const std::vector<T> after = trained(network, task, optimizer);
    INFO(std::string(optimizer.name()));
    bool changed = false;
    for (std::size_t tensor : {0, 1}) {
      const Tensor& table = network.parameters()[tensor];
      for (Index i = 0; i < table.size; ++i) {
        const std::size_t at = as_size(table.offset + i);
        if (i / table.shape[1] % 2 == 0) {
          changed = changed || !same_bits(before[at], after[at]);
        } else {
          CHECK(same_bits(before[at], after[at]));
        }
      }
    }
    CHECK(changed);
  }
}

TEST_CASE_TEMPLATE("embedding: the same bits for any number of threads and whichever way updates are made", T, float,
                   double) {
  const Network network = categories();
  const Task<T> task = category_task<T>(150);
  for (const char* name : {"sgd", "adam"}) {
    for (const bool clipped : {false, true}) {
      Optimizer optimizer(name);
      if (clipped) optimizer.set("global_clipnorm", 0.05);
      std::vector<T> first;
      for (const int count : {1, 2, 3, 4, 8}) {
        const Threads threads(count);
        const std::vector<T> got = trained(network, task, optimizer, {.batch_size = 150, .epochs = 3});
        if (first.empty()) first = got;
        INFO(name << ", threads " << count);
        CHECK(bit_difference(got, first) == "");
        FitOptions<T> in_parts{.batch_size = 150, .epochs = 3};
        in_parts.memory_limit = 400'000 * static_cast<Index>(sizeof(T) / 4);
        CHECK(difference(trained(network, task, optimizer, in_parts), first, 1e-6) == "");
      }
    }
  }
}

TEST_CASE_TEMPLATE("embedding: a batch that fails changes nothing, and a fit keeps its last finite weights", T, float,
                   double) {
  const Network network = categories();
  Task<T> task = category_task<T>(64);
  Model<T> model(network, 3);
  Optimizer optimizer("sgd");
  optimizer.set("learning_rate", std::is_same_v<T, float> ? 1e30 : 1e200);
  model.compile("mse", optimizer);
  const std::vector<T> before = weights_of(model);
  for (T& value : task.y) value *= 1000;
  while (true) {  // one update may still be finite
    const std::vector<T> last = weights_of(model);
    bool failed = false;
    try {
      model.train_on_batch(task.dataset("mse"));
    } catch (const NonFiniteError&) {
      failed = true;
    }
    if (!failed) continue;
    CHECK(bit_difference(weights_of(model), last) == "");
    break;
  }
  model.set_parameters(before);
  CHECK_THROWS_AS(model.fit(task.dataset("mse"), {.batch_size = 8, .epochs = 5}), NonFiniteError);
  for (const T weight : model.parameters()) CHECK(std::isfinite(weight));
  // What is thrown from a callback leaves the epoch's rows as they are then; weights that blow up do not stay.
  CHECK(bit_difference(weights_of(model), before) != "");
}

TEST_CASE_TEMPLATE("embedding: time and memory of a step do not follow the table", T, float, double) {
  const Index rows = 1 << 17;
  const Network network(1, {Embedding{.input_dim = rows, .output_dim = 8}, Flatten{}, Dense{.units = 1}});
  Task<T> task(64, 1, 1);
  for (Index i = 0; i < 64; ++i) task.x[as_size(i)] = static_cast<T>(i * 1999);
  const Index table = rows * 8 * static_cast<Index>(sizeof(T));
  for (const char* option : {"", "clipnorm"}) {
    Model<T> model(network, 3);
    Optimizer optimizer("adam");
    if (*option != 0) optimizer.set(option, 1);
    model.compile("mse", optimizer);
    const AllocationPeak peak;
    model.fit(task.dataset("mse"), {.batch_size = 16, .epochs = 2});
    model.train_on_batch(task.dataset("mse"));
    CHECK(peak.bytes() < table / 8);
    const std::int64_t before = allocations();
    model.train_on_batch(task.dataset("mse"));
    const std::int64_t one = allocations() - before;
    for (int i = 0; i < 3; ++i) model.train_on_batch(task.dataset("mse"));
    CHECK(allocations() - before == 4 * one);
  }
}
