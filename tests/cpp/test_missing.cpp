// SPDX-License-Identifier: Apache-2.0
// Missing targets: a row without any counts for nothing, one with some is compared on these, whatever loss and
// metric, output by output; and where nobody asked for it, they are refused.
#include "heads.hpp"
#include "laminar/execution/row_losses.hpp"
#include "laminar/execution/scores.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

constexpr Index kRows = 41;
constexpr Index kColumns = 5;

const char* last_for(const Loss& loss) {
  if (loss.takes("from_logits")) return loss.absorbs("sigmoid") ? "sigmoid" : "softmax";
  return "sigmoid";
}

template <typename T>
Model<T> model_for(const Loss& loss, const std::vector<Metric>& metrics = {}, const Optimizer& optimizer = "sgd") {
  Model<T> model(Network(4, {Dense{.units = 6, .activation = "tanh"}, mild_layer(6, kColumns, last_for(loss))}), 3);
  model.compile(loss, optimizer, metrics, true);
  return model;
}

/// The rows of a task that `keeps` says, all of them.
template <typename T, typename Keeps>
Task<T> rows_that(const Task<T>& task, const Keeps& keeps) {
  Task<T> kept(0, task.features, task.outputs);
  for (Index i = 0; i < task.rows(); ++i) {
    if (!keeps(i)) continue;
    const auto add = [i](auto& to, const auto& from, Index width) {
      to.insert(to.end(), from.begin() + i * width, from.begin() + (i + 1) * width);
    };
    add(kept.x, task.x, task.features);
    add(kept.y, task.y, task.outputs);
    add(kept.labels, task.labels, 1);
    if (!task.weights.empty()) add(kept.weights, task.weights, 1);
  }
  return kept;
}

template <typename T>
std::vector<T> gradients_of(Model<T>& model, const Dataset<T>& data) {
  std::vector<T> gradients(model.parameters().size());
  model.loss_and_gradients(data, gradients);
  return gradients;
}

std::vector<Metric> metrics_for(const Loss& loss) {
  std::vector<Metric> metrics;
  for (const EntryInfo& entry : metric_family().entries) {
    const Metric metric(entry.name);
    if (metric.takes() == Takes::either || (metric.takes() == Takes::labels) == loss.class_labels()) {
      metrics.push_back(metric);
      metrics.push_back(metric);
      metrics.back().key = std::string("weighted_") + entry.name;
      metrics.back().weighted = true;
    }
  }
  return metrics;
}

}  // namespace

TEST_CASE_TEMPLATE("missing: rows without targets are as if they were not there, for every loss and metric", T, float,
                   double) {
  for (const Loss& loss : variants<Loss>(loss_family())) {
    if (loss.reduction() == Reduction::none) continue;
    for (const bool weighted : {false, true}) {
      INFO(to_json(loss) << (weighted ? " weighted" : ""));
      Task<T> task(kRows, 4, kColumns, 7);
      if (weighted) task.weights = draws<T>(kRows, 0.1, 2, 9);
      const auto is_there = [](Index i) { return i % 3 != 1 && i != 0; };
      Task<T> holed = task;
      for (Index i = 0; i < kRows; ++i) {
        if (is_there(i)) continue;
        holed.labels[as_size(i)] = kMissingLabel;
        std::fill_n(holed.y.begin() + i * kColumns, kColumns, kNan<T>);
      }
      const Task<T> kept = rows_that(task, is_there);
      auto with = model_for<T>(loss, metrics_for(loss));
      auto without_them = model_for<T>(loss, metrics_for(loss));
      CHECK(bit_difference(with.evaluate(holed.dataset(loss)), without_them.evaluate(kept.dataset(loss))) == "");
      // Other rows between them are summed in other blocks.
      const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-12;
      CHECK(difference(gradients_of(with, holed.dataset(loss)), gradients_of(without_them, kept.dataset(loss)),
                       tolerance) == "");
      CHECK(difference(with.train_on_batch(holed.dataset(loss)), without_them.train_on_batch(kept.dataset(loss)),
                       tolerance) == "");
    }
  }
}

TEST_CASE("missing: a row with some targets is compared on these, or where a loss needs all, not at all") {
  for (const Loss& loss : variants<Loss>(loss_family())) {
    if (loss.class_labels() || loss.reduction() == Reduction::none) continue;
    INFO(to_json(loss));
    const Task<double> task(kRows, 4, kColumns, 7);
    Task<double> holed = task;
    std::mt19937_64 bits(5);
    for (double& y : holed.y) {
      if (bits() % 3 == 0) y = kNan<double>;
    }
    auto model = model_for<double>(loss);
    const auto out = predictions(model, task.inputs());
    double sum = 0;
    double count = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
      std::vector<double> p;
      std::vector<double> y;
      for (std::size_t j = 0; j < kColumns; ++j) {
        if (std::isnan(holed.y[i * kColumns + j])) continue;
        p.push_back(out[i * kColumns + j]);
        y.push_back(holed.y[i * kColumns + j]);
      }
      const auto present = static_cast<Index>(y.size());
      if (present == 0 || (present < kColumns && !loss.elementwise())) continue;
      double value = 0;
      Loss plain = loss;
      if (plain.takes("from_logits")) plain.set("from_logits", 0);
      row_losses<double>(plain, {view(p), present}, Targets<double>(MatrixView<const double>(view(y), present)), {},
                         std::span(&value, 1));
      sum += value;
      count += 1;
    }
    const double expected = loss.finish(loss.reduction() == Reduction::sum ? sum : sum / count);
    const std::vector<double> got = model.evaluate(holed.dataset(loss));
    CHECK(got[0] == doctest::Approx(expected).epsilon(1e-9));
    CHECK(gradient_error(model, holed.dataset(loss)) < 1e-6);
  }
}

TEST_CASE("missing: what the losses need is declared") {
  for (const char* name : {"mse", "mae", "binary_crossentropy", "huber", "rmse", "poisson", "hinge"}) {
    CHECK(Loss(name).elementwise());
  }
  for (const char* name : {"categorical_crossentropy", "sparse_categorical_crossentropy", "cosine_similarity", "dice",
                           "kl_divergence", "categorical_hinge"}) {
    CHECK_FALSE(Loss(name).elementwise());
  }
}

TEST_CASE("missing: metrics of single columns are as those of models with one output") {
  // What is there of each column, as rows of its own.
  Task<double> task(60, 4, 3, 7);
  for (std::size_t i = 0; i < task.y.size(); ++i) {
    task.y[i] = i % 4 == 1 ? kNan<double> : task.y[i] > 0.5 ? 1 : 0;
  }
  const Metric auc("auc", {{"multi_label", 1}});
  Metric buckets("auc", {{"multi_label", 1}, {"num_thresholds", 20}});
  buckets.key = "buckets";
  const Metric f1("f1_score", {{"threshold", 0.4}});
  const std::vector<Metric> metrics{auc, buckets, f1, "precision", "true_positives", "binary_accuracy"};
  Model<double> model(Network(4, {Dense{.units = 3, .activation = "sigmoid"}}), 3);
  model.compile("binary_crossentropy", "sgd", metrics, true);
  const auto out = predictions(model, task.inputs());
  const std::vector<double> got = model.evaluate(task.dataset("mse"));
  std::vector<double> means(3);
  double said[4] = {};
  for (std::size_t j = 0; j < 3; ++j) {
    std::vector<double> p;
    std::vector<double> y;
    for (std::size_t i = 0; i < 60; ++i) {
      if (std::isnan(task.y[3 * i + j])) continue;
      p.push_back(out[3 * i + j]);
      y.push_back(task.y[3 * i + j]);
      said[(p.back() > 0.5 ? 2 : 0) + (y.back() > 0.5 ? 1 : 0)] += 1;
    }
    for (std::size_t m = 0; m < 3; ++m) {
      RunningMetric running(metrics[m]);
      running.update<double>({view(p), 1}, Targets<double>(MatrixView<const double>(view(y), 1)));
      means[m] += running.result() / 3;
    }
  }
  for (std::size_t m = 0; m < 3; ++m) CHECK(got[1 + m] == doctest::Approx(means[m]));
  CHECK(got[4] == doctest::Approx(said[3] / (said[2] + said[3])));
  CHECK(got[5] == said[3]);
}

TEST_CASE("missing: metrics that need a whole row leave out those with a part") {
  Task<double> task(20, 4, 3, 7);
  const Task<double> whole = rows_that(task, [](Index i) { return i % 2 == 0; });
  for (std::size_t i = 1; i < 20; i += 2) task.y[3 * i + i % 3] = kNan<double>;
  const std::vector<Metric> metrics{"categorical_accuracy", "r2_score", "cosine_similarity"};
  Model<double> model(Network(4, {Dense{.units = 3}}), 3);
  model.compile("mse", "sgd", metrics, true);
  const auto got = model.evaluate(task.dataset("mse"));
  const auto expected = model.evaluate(whole.dataset("mse"));
  CHECK(bit_difference(std::vector<double>(got.begin() + 1, got.end()),
                       std::vector<double>(expected.begin() + 1, expected.end())) == "");
  CHECK(got[0] != expected[0]);
}

TEST_CASE("missing: metrics of logits see probabilities of what is there") {
  Task<double> task(20, 4, 3, 7);
  for (std::size_t i = 0; i < 60; i += 4) task.y[i] = kNan<double>;
  Model<double> logits(Network(4, {Dense{.units = 3}}), 3);
  Model<double> shares(Network(4, {Dense{.units = 3, .activation = "sigmoid"}}), 3);
  logits.compile(Loss("binary_crossentropy", {{"from_logits", 1}}), "sgd", {"mse", "precision"}, true);
  shares.compile("binary_crossentropy", "sgd", {"mse", "precision"}, true);
  CHECK(difference(logits.evaluate(task.dataset("mse")), shares.evaluate(task.dataset("mse")), 1e-12) == "");
  CHECK(difference(logits.train_on_batch(task.dataset("mse")), shares.train_on_batch(task.dataset("mse")), 1e-12) ==
        "");
}

TEST_CASE("missing: an ignored class and missing class numbers count for nothing alike") {
  const Loss loss("sparse_categorical_crossentropy", {{"ignore_class", 2}});
  Task<float> task(30, 4, kColumns, 3);
  Task<float> ignored = task;
  for (std::size_t i = 0; i < 30; ++i) {
    if (i % 4 == 0) task.labels[i] = i % 8 == 0 ? kMissingLabel : 2;
    if (i % 4 == 0) ignored.labels[i] = 2;
  }
  auto a = model_for<float>(loss, {"accuracy"}, "adam");
  auto b = model_for<float>(loss, {"accuracy"}, "adam");
  b.compile(loss, "adam", {"accuracy"});
  a.fit(task.dataset(loss), {.batch_size = 8, .epochs = 3});
  b.fit(ignored.dataset(loss), {.batch_size = 8, .epochs = 3});
  CHECK(difference(weights_of(a), weights_of(b), 1e-5) == "");
  CHECK(difference(a.evaluate(task.dataset(loss)), b.evaluate(ignored.dataset(loss)), 1e-5) == "");
}

TEST_CASE("missing: with ignore_nan and nothing missing the bits are those without it") {
  for (const char* name : {"mse", "sparse_categorical_crossentropy", "binary_crossentropy", "rmse"}) {
    const Loss loss(name);
    const Task<float> task(100, 4, kColumns, 3);
    auto with = model_for<float>(loss, {"accuracy"}, "adam");
    auto without_it = model_for<float>(loss, {"accuracy"}, "adam");
    without_it.compile(loss, "adam", {"accuracy"});
    for (Model<float>* model : {&with, &without_it}) model->fit(task.dataset(loss), {.batch_size = 16, .epochs = 2});
    CHECK(bit_difference(weights_of(with), weights_of(without_it)) == "");
    CHECK(bit_difference(with.evaluate(task.dataset(loss)), without_it.evaluate(task.dataset(loss))) == "");
    CHECK(ModelFile(model_bytes(with)).model<float>().state().objective->ignore_nan);
    CHECK_FALSE(ModelFile(model_bytes(without_it)).model<float>().state().objective->ignore_nan);
  }
}

TEST_CASE("missing: an output of which nothing is there in a batch gets no gradient, and no loss") {
  const std::vector<Head> heads{{.loss = "sparse_categorical_crossentropy"}, {.loss = "mse", .metrics = {"mae"}}};
  auto task = head_task<double>(twins(), heads, 12, 3);
  for (std::size_t i = 0; i < 12; ++i) task.y[3 * i + 1] = task.y[3 * i + 2] = kNan<double>;
  Model<double> model(twins(), 3);
  model.compile(heads, "sgd", true);
  const auto gradients = gradients_of(model, task.dataset());
  for (const Tensor& tensor : model.network().parameters().tensors()) {
    const auto begin = gradients.begin() + tensor.offset;
    const bool zero = std::all_of(begin, begin + tensor.size, [](double g) { return g == 0; });
    CHECK(zero == tensor.name.starts_with("b"));
  }
  const std::vector<double> values = model.evaluate(task.dataset());
  CHECK(values[0] == values[1]);
  CHECK(values[2] == 0);
  CHECK(values[3] == 0);
}

TEST_CASE("missing: refused where there is nothing else, where values are infinite, and where nobody asked") {
  auto model = model_for<float>("mse");
  Task<float> task(6, 4, kColumns);
  const auto message = [&] { return message_of([&] { model.fit(task.dataset("mse")); }); };
  task.y[7] = std::numeric_limits<float>::infinity();
  CHECK(without(message(), {"y must be finite", "row 1, column 2 is inf"}) == "");
  std::fill(task.y.begin(), task.y.end(), kNan<float>);
  CHECK(without(message(), {"fit: y has no target that is there"}) == "");
  task = Task<float>(6, 4, kColumns);
  task.y[0] = kNan<float>;
  CHECK(message() == "nothing thrown");
  model.compile("mse", "sgd");
  CHECK(without(message(), {"y must be finite", "row 0, column 0 is nan", "ignore_nan"}) == "");
  model.compile("gamma", "sgd", {}, true);
  CHECK(message() == "nothing thrown");
  task.y[1] = -1;
  CHECK(without(message(), {"y must be greater than 0", "row 0, column 1 is -1"}) == "");
}
