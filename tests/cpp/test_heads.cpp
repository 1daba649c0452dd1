// SPDX-License-Identifier: Apache-2.0
// Models of several outputs in training and evaluation: gradients against central differences, branches
// against models of their own, losses against those of arrays, bits, files, and what is refused.
#include "heads.hpp"

#include "allocations.hpp"
#include "laminar/execution/row_losses.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

const std::vector<Head> kTwins{{.loss = "sparse_categorical_crossentropy", .weight = 0.5, .metrics = {"accuracy"}},
                               {.loss = "mse", .weight = 2, .metrics = {"mae"}}};

/// Tensors of a name in another network with layers of the same names.
template <typename T>
void copy_weights(const Model<T>& from, Model<T>& to) {
  std::vector<T> flat = weights_of(to);
  for (const Tensor& tensor : to.network().parameters().tensors()) {
    for (const Tensor& other : from.network().parameters().tensors()) {
      if (other.name == tensor.name) {
        std::copy_n(from.parameters().data() + other.offset, tensor.size, flat.data() + tensor.offset);
      }
    }
  }
  to.set_parameters(flat);
}

template <typename T>
std::string weights_differ(const Model<T>& a, const Model<T>& b) {
  for (std::size_t i = 0; i < b.network().parameters().tensors().size(); ++i) {
    const Tensor& tensor = b.network().parameters()[i];
    for (std::size_t j = 0; j < a.network().parameters().tensors().size(); ++j) {
      if (a.network().parameters()[j].name != tensor.name) continue;
      if (const std::string text = bit_difference(a.tensor(j), b.tensor(i)); !text.empty()) return tensor.name + text;
    }
  }
  return "";
}

}  // namespace

TEST_CASE("heads: gradients of 150 random graphs are central differences") {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    const auto [network, heads] = random_heads(seed);
    const auto task = head_task<double>(network, heads, 6, seed, static_cast<int>(seed % 3));
    Model<double> model(network, seed);
    model.compile(heads, "sgd");
    INFO("seed " << seed << ": " << to_json(network) << to_json(heads));
    CHECK(gradient_error(model, task.dataset()) < 1e-6);
  }
}

TEST_CASE("heads: gradients of 60 random graphs with missing targets are central differences") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const auto [network, heads] = random_heads(seed);
    auto task = head_task<double>(network, heads, 7, seed, static_cast<int>(seed % 3));
    std::mt19937_64 bits(seed);
    for (double& y : task.y) {
      if (bits() % 3 == 0) y = kNan<double>;
    }
    Model<double> model(network, seed);
    model.compile(heads, "sgd", true);
    INFO("seed " << seed << ": " << to_json(network) << to_json(heads));
    CHECK(gradient_error(model, task.dataset()) < 1e-6);
  }
}

TEST_CASE_TEMPLATE("heads: branches side by side train as each does alone, to the bit", T, float, double) {
  const std::vector<Head> plain{{.loss = "sparse_categorical_crossentropy", .metrics = {"accuracy"}},
                                {.loss = "mse", .metrics = {"mae"}}};
  const Index rows = 90;
  auto task = head_task<T>(twins(), plain, rows, 4);
  for (const bool weighted : {false, true}) {
    if (weighted) task.weights = draws<T>(2 * rows, 0, 2, 6);
    Model<T> both(twins(), 3);
    both.compile(plain, "adam");
    const FitOptions<T> options{.batch_size = 16, .epochs = 2};
    std::vector<std::int32_t> labels;
    std::vector<T> values;
    std::vector<T> weights[2];
    for (Index i = 0; i < rows; ++i) {
      labels.push_back(static_cast<std::int32_t>(task.y[as_size(3 * i)]));
      values.insert(values.end(), {task.y[as_size(3 * i + 1)], task.y[as_size(3 * i + 2)]});
      for (const std::size_t side : {0, 1}) {
        if (weighted) weights[side].push_back(task.weights[2 * as_size(i) + side]);
      }
    }
    // The same order of rows: both are drawn from the same seed.
    Model<T> a(twins(true, false), 3);
    Model<T> b(twins(false, true), 3);
    copy_weights(both, a);
    copy_weights(both, b);
    a.compile("sparse_categorical_crossentropy", "adam", {"accuracy"});
    b.compile("mse", "adam", {"mae"});
    const History history = both.fit(task.dataset(), options);
    const Dataset<T> of_a{{view(task.x), 5}, std::span<const std::int32_t>(labels), view(weights[0])};
    const Dataset<T> of_b{{view(task.x), 5}, MatrixView<const T>(view(values), 2), view(weights[1])};
    const History first = a.fit(of_a, options);
    const History second = b.fit(of_b, options);
    CHECK(weights_differ(both, a) == "");
    CHECK(weights_differ(both, b) == "");
    CHECK(history.names == std::vector<std::string>{"loss", "a_loss", "b_loss", "a_accuracy", "b_mae"});
    for (std::size_t e = 0; e < 2; ++e) {
      const std::vector<double>& logs = history.epochs[e];
      CHECK(logs[1] == first.epochs[e][0]);
      CHECK(logs[2] == second.epochs[e][0]);
      CHECK(logs[0] == logs[1] + logs[2]);
      CHECK(logs[3] == first.epochs[e][1]);
      CHECK(logs[4] == second.epochs[e][1]);
    }
    const std::vector<double> seen = both.evaluate(task.dataset());
    CHECK(seen[1] == a.evaluate(of_a)[0]);
    CHECK(seen[2] == b.evaluate(of_b)[0]);
    CHECK(seen[3] == a.evaluate(of_a)[1]);
    CHECK(seen[4] == b.evaluate(of_b)[1]);
  }
}

TEST_CASE("heads: the loss is the sum of those of the outputs times their weights, and penalties once") {
  Graph graph;
  graph.inputs = {{"x", {3}}};
  graph.layers = {Dense{.units = 4, .activation = "tanh", .activity_regularizer = Regularizer("l2", {{"l2", 0.1}})},
                  Dense{.units = 2, .name = "y", .kernel_regularizer = Regularizer("l2", {{"l2", 0.01}})}};
  graph.calls = {{0, {0}}, {1, {1}}};
  graph.outputs = {2, 1};
  const Network network(graph);
  const std::vector<Head> heads{{.loss = "mse", .weight = 3}, {.loss = "mae", .weight = 0.5}};
  const auto task = head_task<double>(network, heads, 20, 5);
  Model<double> model(network, 3);
  model.compile(heads, "sgd");
  const std::vector<double> values = model.evaluate(task.dataset());
  CHECK(model.metric_names() == std::vector<std::string>{"loss", "y_loss", "dense_loss"});
  const std::vector<double> out = predictions(model, {view(task.x), 3});
  double squares = 0;
  double absolute = 0;
  double activity = 0;
  for (std::size_t i = 0; i < 20; ++i) {
    for (std::size_t j = 0; j < 2; ++j) squares += std::pow(out[6 * i + j] - task.y[6 * i + j], 2) / 2 / 20;
    for (std::size_t j = 2; j < 6; ++j) {
      absolute += std::abs(out[6 * i + j] - task.y[6 * i + j]) / 4 / 20;
      activity += 0.1 * out[6 * i + j] * out[6 * i + j] / 20;
    }
  }
  double kernel = 0;
  for (const double w : model.tensor(2)) kernel += 0.01 * w * w;
  CHECK(values[1] == doctest::Approx(squares));
  CHECK(values[2] == doctest::Approx(absolute));
  CHECK(values[0] == doctest::Approx(3 * squares + 0.5 * absolute + activity + kernel));
  std::vector<double> gradients(model.parameters().size());
  CHECK(model.loss_and_gradients(task.dataset(), gradients) == doctest::Approx(values[0]));
  CHECK(model.train_on_batch(task.dataset())[0] == doctest::Approx(values[0]));
  CHECK(gradient_error(model, task.dataset()) < 1e-6);
}

TEST_CASE("heads: one head weighs its loss, and its gradient") {
  const Task<double> task(9, 3, 2);
  Model<double> plain(Network(3, {Dense{.units = 2}}), 1);
  Model<double> weighed(Network(3, {Dense{.units = 2}}), 1);
  plain.compile("mse", Optimizer("sgd", {{"learning_rate", 0.5}}));
  weighed.compile({Head{.loss = "mse", .weight = 0.25}}, Optimizer("sgd", {{"learning_rate", 2}}));
  CHECK(weighed.metric_names() == std::vector<std::string>{"loss"});
  CHECK(weighed.evaluate(task.dataset("mse"))[0] == 0.25 * plain.evaluate(task.dataset("mse"))[0]);
  plain.fit(task.dataset("mse"), {.batch_size = 4, .epochs = 3});
  weighed.fit(task.dataset("mse"), {.batch_size = 4, .epochs = 3});
  CHECK(difference(weights_of(weighed), weights_of(plain), 1e-14) == "");
}

TEST_CASE_TEMPLATE("heads: the same bits for any number of threads, and resumed from a file inside an epoch", T, float,
                   double) {
  for (std::uint64_t seed = 300; seed < 306; ++seed) {
    const auto [network, heads] = random_heads(seed);
    auto task = head_task<T>(network, heads, 150, seed, 2);
    for (std::size_t i = 0; i < task.y.size(); i += 7) task.y[i] = kNan<T>;
    INFO("seed " << seed << to_json(heads));
    std::vector<T> first;
    std::vector<double> logs;
    for (const int count : {1, 2, 3, 4, 8}) {
      const Threads threads(count);
      Model<T> model(network, seed);
      model.compile(heads, "adam", true);
      const History history = model.fit(task.dataset(), {.batch_size = 64, .epochs = 2});
      std::vector<double> seen = history.epochs.back();
      for (const double value : model.evaluate(task.dataset())) seen.push_back(value);
      if (first.empty()) first = weights_of(model);
      if (logs.empty()) logs = seen;
      CHECK(bit_difference(weights_of(model), first) == "");
      CHECK(bit_difference(seen, logs) == "");
    }
    std::vector<std::byte> bytes;
    Model<T> stopped(network, seed);
    stopped.compile(heads, "adam", true);
    FitOptions<T> options{.batch_size = 64, .epochs = 2};
    options.poll = [&](const Progress& progress) {
      if (progress.epoch == 1 && progress.batches_done == 1 && bytes.empty()) bytes = model_bytes(stopped);
      return !bytes.empty();
    };
    std::atomic<bool> soon = true;
    options.poll_soon = &soon;
    stopped.fit(task.dataset(), options);
    REQUIRE_FALSE(bytes.empty());
    auto loaded = ModelFile(bytes).model<T>();
    CHECK(loaded.metric_names() == stopped.metric_names());
    const History rest = loaded.fit(task.dataset(), {.batch_size = 64, .epochs = 2, .resume = true});
    CHECK(bit_difference(weights_of(loaded), first) == "");
    CHECK(bit_difference(
              rest.epochs.back(),
              std::vector<double>(logs.begin(), logs.begin() + static_cast<Index>(rest.epochs.back().size()))) == "");
    CHECK(to_json(ModelFile(model_bytes(loaded)).model<T>().state().objective->asked) == to_json(heads));
  }
}

TEST_CASE("heads: a batch in parts gives the same update") {
  const auto network = twins();
  const auto task = head_task<double>(network, kTwins, 1000, 3, 2);
  std::vector<std::vector<double>> results;
  for (const Index limit : {Index{0}, Index{200'000}}) {
    Model<double> model(network, 7);
    model.compile(kTwins, "adam");
    const History history = model.fit(task.dataset(), {.batch_size = 1000, .memory_limit = limit, .epochs = 3});
    results.push_back(weights_of(model));
    results.back().insert(results.back().end(), history.epochs[2].begin(), history.epochs[2].end());
  }
  CHECK(difference(results[1], results[0], 1e-12) == "");
}

TEST_CASE("heads: rows of a source train as those in memory") {
  const auto network = twins();
  for (const int weights : {0, 2}) {
    const auto task = head_task<float>(network, kTwins, 100, 3, weights);
    Model<float> memory(network, 7);
    Model<float> read(network, 7);
    for (Model<float>* model : {&memory, &read}) model->compile(kTwins, "adam");
    memory.fit(task.dataset(), {.batch_size = 16, .epochs = 2});
    ArrayRows<float> source(task.dataset());
    read.fit(source, {.batch_size = 16, .epochs = 2});
    CHECK(bit_difference(weights_of(read), weights_of(memory)) == "");
    CHECK(bit_difference(read.evaluate(source), memory.evaluate(task.dataset())) == "");
    CHECK_NOTHROW(read.fit(source, {.batch_size = 4, .epochs = 1, .buffer_size = 1000}));
  }
}

TEST_CASE("heads: an activation that others read is not absorbed, one that goes to the end alone is") {
  Graph graph;
  graph.inputs = {{"x", {3}}};
  graph.layers = {Dense{.units = 3, .activation = "softmax", .name = "inner"},
                  Dense{.units = 3, .activation = "softmax", .name = "last"}};
  graph.calls = {{0, {0}}, {1, {1}}};
  graph.outputs = {1, 2};
  const Network network(graph);
  const std::vector<Head> heads(2, Head{.loss = "categorical_crossentropy"});
  const Objective objective(network, heads);
  CHECK_FALSE(objective.goals[0].absorbs_last);
  CHECK(objective.goals[1].absorbs_last);
  graph.outputs = {2, 2, 1};
  std::vector<Head> thrice(3, Head{.loss = "categorical_crossentropy"});
  for (std::size_t i = 0; i < 3; ++i) thrice[i].name = std::string(1, static_cast<char>('a' + i));
  CHECK(Objective(Network(graph), thrice).absorbs.empty());
  const auto task = head_task<double>(Network(graph), thrice, 8, 2);
  Model<double> model(Network(graph), 2);
  model.compile(thrice, "sgd");
  CHECK(gradient_error(model, task.dataset()) < 1e-6);
}

TEST_CASE("heads: frozen outputs are measured, and change nothing") {
  Graph graph = twins().graph();
  graph.frozen = {2, 3};
  const Network network(graph);
  const auto task = head_task<double>(network, kTwins, 12, 3);
  Model<double> model(network, 3);
  model.compile(kTwins, "sgd");
  const auto before = weights_of(model);
  const double loss = model.evaluate(task.dataset())[2];
  model.fit(task.dataset(), {.epochs = 2});
  CHECK(model.evaluate(task.dataset())[2] == loss);
  const Tensor& kernel = network.parameters()[4];
  CHECK(kernel.name == "b_hidden/kernel");
  CHECK(std::equal(before.begin() + kernel.offset, before.begin() + kernel.offset + kernel.size,
                   model.parameters().begin() + kernel.offset));
}

TEST_CASE_TEMPLATE("heads: more steps allocate nothing more", T, float, double) {
  const auto network = twins();
  for (const bool missing : {false, true}) {
    auto task = head_task<T>(network, kTwins, 8 * 400, 3, 2);
    for (std::size_t i = 1; missing && i < task.y.size(); i += 5) task.y[i] = kNan<T>;
    Model<T> model(network, 7);
    model.compile(kTwins, "adam", missing);
    const auto allocated = [&](Index batches) {
      const auto data = rows_of(task.dataset(), 0, 8 * batches);
      const std::int64_t before = allocations();
      model.fit(data, {.batch_size = 8});
      return allocations() - before;
    };
    const Threads one(1);
    allocated(1);
    const std::int64_t few = allocated(10);
    CHECK(allocated(400) == few);
  }
}

TEST_CASE("heads: targets are put side by side by their names") {
  Model<float> model(twins(), 3);
  model.compile(kTwins, "adam", true);
  const std::vector<std::int32_t> labels{2, kMissingLabel};
  const std::vector<float> values{1, 2, 3, 4};
  const NamedTargets<float> a{"a", std::span<const std::int32_t>(labels)};
  const NamedTargets<float> b{"b", MatrixView<const float>(view(values), 2)};
  const std::vector<float> y = model.side_by_side({b, a});
  CHECK(bit_difference(y, {2, 1, 2, kNan<float>, 3, 4}) == "");
  const auto message = [&](const std::vector<NamedTargets<float>>& given) {
    return message_of([&] { model.side_by_side(given); });
  };
  CHECK(without(message({a}), {"'b' must have targets"}) == "");
  CHECK(without(message({a, b, a}), {"'a' must have targets, once"}) == "");
  CHECK(without(message({a, b, {"c", b.y}}), {"no output", "'c'"}) == "");
  CHECK(without(message({{"a", b.y}, b}), {"'a' takes class numbers"}) == "");
  CHECK(without(message({a, {"b", a.y}}), {"'b' takes rows of 2 values"}) == "");
  CHECK(without(message({a, {"b", MatrixView<const float>(view(values).first(2), 2)}}), {"1 rows, others have 2"}) ==
        "");
}

TEST_CASE("heads: fit_lbfgs finds the minimum of the sum") {
  const auto network = twins();
  const auto task = head_task<double>(network, kTwins, 30, 3);
  Model<double> model(network, 3);
  model.compile(kTwins, "sgd");
  const double before = model.evaluate(task.dataset())[0];
  const LbfgsEnd end = fit_lbfgs(model, task.dataset(), {.max_iterations = 30});
  CHECK(end.value < before / 2);
  CHECK(model.evaluate(task.dataset())[0] == doctest::Approx(end.value));
}

TEST_CASE("heads: what does not fit is refused by name") {
  const Network network = twins();
  Model<float> model(network, 3);
  const auto refused = [&](const std::vector<Head>& heads, std::initializer_list<std::string_view> parts) {
    CHECK(without(message_of([&] { model.compile(heads, "adam"); }), parts) == "");
    CHECK_FALSE(model.compiled());
  };
  refused({{.loss = "mse"}, {.loss = "mse"}, {.loss = "mse"}}, {"heads", "2 outputs", "got 3"});
  refused({{}, {}}, {"no output has a loss"});
  refused({{.metrics = {"mae"}}, {}}, {"no output has a loss"});
  refused({{.loss = "rmse"}, {.loss = "mse"}}, {"'rmse'", "one loss", "'mse'"});
  refused({{.loss = "mse", .name = "b"}, {.loss = "mse"}}, {"two outputs are called 'b'"});
  refused({{.loss = "mse", .weight = kNan<double>}, {.loss = "mse"}}, {"weight of a loss must be finite"});
  refused({{.loss = "mse", .metrics = {"mae", "mae"}}, {.loss = "mse"}}, {"'a_mae' is given twice"});
  refused({{.loss = "mse", .metrics = {"sparse_categorical_accuracy"}}, {.loss = "mse"}}, {"class numbers"});
  const Loss far("sparse_categorical_crossentropy", {{"ignore_class", 33554433}});
  refused({{.loss = far}, {.loss = "mse"}}, {"class numbers stand between values", "16777216", "'a'"});
  model.compile(kTwins, "adam");
  auto task = head_task<float>(network, kTwins, 6, 3, 2);
  const auto bad = [&](auto change, std::initializer_list<std::string_view> parts) {
    auto broken = task;
    change(broken);
    const auto before = weights_of(model);
    CHECK(without(message_of([&] { model.fit(broken.dataset()); }), parts) == "");
    CHECK(without(message_of([&] { model.evaluate(broken.dataset()); }), parts) == "");
    CHECK(bit_difference(weights_of(model), before) == "");
  };
  using Broken = HeadTask<float>;
  bad([](Broken& t) { t.y[3] = 3; }, {"y of output 'a'", "class numbers from 0 to 2", "row 1 is 3"});
  bad([](Broken& t) { t.y[3] = 0.5; }, {"y of output 'a'", "row 1 is 0.5"});
  bad([](Broken& t) { t.y[0] = kNan<float>; }, {"y of output 'a'", "row 0 is nan"});
  bad([](Broken& t) { t.y[5] = kNan<float>; },
      {"y of output 'b' must be finite", "row 1, column 1 is nan", "ignore_nan"});
  bad([](Broken& t) { t.weights.pop_back(); }, {"6 rows", "sample_weight has 11", "for each output"});
  bad([](Broken& t) { t.weights[3] = -1; }, {"sample_weight", "row 1 is -1"});
  bad([](Broken& t) { t.columns = 2, t.y.resize(12); }, {"y has 2 columns", "take 3 side by side"});
  CHECK(without(message_of([&] { model.set_penalties_per_row(true); }), {"penalties_per_row", "several"}) == "");
  const std::vector<std::int32_t> labels(6, 0);
  const Dataset<float> numbers{{view(task.x), 5}, std::span<const std::int32_t>(labels), {}};
  CHECK(without(message_of([&] { model.fit(numbers); }), {"rows of 3 values", "side by side", "class numbers"}) == "");
}
