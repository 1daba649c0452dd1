// SPDX-License-Identifier: Apache-2.0
// Updates of whole layouts with options and tensor-wise rules. Ten steps of each against Keras's own
// values: tests/python/test_golden.py.
#include "laminar/training/updater.hpp"

#include "laminar/files/config.hpp"
#include "laminar/threads/crew.hpp"
#include "optimizers.hpp"
#include "reference.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// Odd shapes, one of them longer than a chunk, and one that is not trained.
ParameterLayout odd_layout() {
  ParameterLayout layout;
  layout.add("a/kernel", {7, 5}, true, "zeros");
  layout.add("a/bias", {5}, true, "zeros");
  layout.add("a/mean", {5}, false, "zeros");
  layout.add("b/kernel", {5, 901}, true, "zeros");
  layout.add("b/bias", {901}, true, "zeros");
  layout.add("c/kernel", {901, 1}, true, "zeros");
  return layout;
}

/// Values for all tensors; what lies between them is NaN.
template <typename T>
std::vector<T> values_for(const ParameterLayout& layout, std::uint64_t seed) {
  std::vector<T> flat(as_size(layout.size()), kNan<T>);
  for (const Tensor& tensor : layout.tensors()) {
    const auto drawn = draws<T>(tensor.size, -1, 1, seed++);
    std::copy(drawn.begin(), drawn.end(), flat.begin() + tensor.offset);
  }
  return flat;
}

template <typename T>
struct Run {
  ParameterLayout layout = odd_layout();
  OptimizerState<T> state;
  Updater<T> updater;
  std::vector<T> weights;

  explicit Run(const Optimizer& optimizer)
      : state(optimizer, layout), updater(layout, optimizer), weights(values_for<T>(layout, 1)) {}

  bool step(std::uint64_t seed, int threads = 1) {
    auto gradients = values_for<T>(layout, 100 * seed);
    bool changed = false;
    run_team(threads, [&](const Team& team) {
      const bool updated = updater.apply(weights, gradients, state, team);
      if (team.rank() == 0) changed = updated;
    });
    return changed;
  }
  std::vector<double> all() const { return as_double(std::span<const T>(weights)); }
};

/// Every entry, and one with all options of a kind at once.
std::vector<Optimizer> with_options() {
  auto all = variants<Optimizer>(optimizer_family());
  for (const char* clip : {"clipnorm", "clipvalue", "global_clipnorm"}) {
    all.push_back(Optimizer("adam", {{clip, 0.5},
                                     {"weight_decay", 0.1},
                                     {"use_ema", 1},
                                     {"ema_overwrite_frequency", 2},
                                     {"gradient_accumulation_steps", 2}}));
    all.push_back(Optimizer("lamb", {{clip, 0.5}, {"weight_decay", 0.1}, {"use_ema", 1}}));
  }
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("updater: elementwise rules are the reference's", T, float, double) {
  const double tolerance = sizeof(T) == 4 ? 1e-5 : 1e-13;
  for (const Optimizer& optimizer : elementwise_optimizers()) {
    const std::string entry = to_json(optimizer);
    CAPTURE(entry);
    Run<T> run(optimizer);
    auto expected = run.all();
    reference::Slots slots;
    for (Index step = 1; step <= 4; ++step) {
      const auto gradients = values_for<T>(run.layout, 100 * static_cast<std::uint64_t>(step));
      const auto g = as_double(std::span<const T>(gradients));
      const auto before = expected;
      reference::update(optimizer, step, expected, g, slots);
      const Tensor& still = run.layout[2];
      std::copy_n(before.begin() + still.offset, still.size, expected.begin() + still.offset);
      CHECK(run.step(static_cast<std::uint64_t>(step)));
    }
    CHECK(run.state.iterations == 4);
    CHECK(difference(run.all(), expected, tolerance) == "");
  }
}

TEST_CASE_TEMPLATE("updater: the same bits for any number of threads", T, float, double) {
  for (const Optimizer& optimizer : with_options()) {
    const std::string entry = to_json(optimizer);
    CAPTURE(entry);
    Run<T> alone(optimizer);
    for (std::uint64_t step = 1; step <= 4; ++step) alone.step(step);
    for (const int threads : {2, 3}) {
      Run<T> together(optimizer);
      for (std::uint64_t step = 1; step <= 4; ++step) together.step(step, threads);
      CHECK(bit_difference(together.all(), alone.all()) == "");
      CHECK(together.state.iterations == alone.state.iterations);
    }
  }
}

TEST_CASE_TEMPLATE("updater: float agrees with double", T, float) {
  for (const Optimizer& optimizer : with_options()) {
    const std::string entry = to_json(optimizer);
    CAPTURE(entry);
    Run<float> single(optimizer);
    Run<double> exact(optimizer);
    for (std::uint64_t step = 1; step <= 4; ++step) {
      single.step(step);
      exact.step(step);
    }
    const auto all = exact.all();  // a polynomial with other factors may leave the range of float
    const bool fits = std::all_of(all.begin(), all.end(), [](double w) { return std::abs(w) < 1e30; });
    if (fits) CHECK(difference(single.all(), all, 1e-4) == "");
  }
}

TEST_CASE("updater: clipping, decay and what they leave alone") {
  const auto moved = [](const Optimizer& optimizer) {
    Run<double> run(optimizer);
    const auto before = run.all();
    run.step(1);
    auto change = run.all();
    for (std::size_t i = 0; i < change.size(); ++i) change[i] -= before[i];
    return change;
  };
  const auto norm = [](const std::vector<double>& values, const Tensor& tensor) {
    double sum = 0;
    for (Index i = 0; i < tensor.size; ++i) sum += std::pow(values[as_size(tensor.offset + i)], 2);
    return std::sqrt(sum);
  };
  const ParameterLayout layout = odd_layout();
  const auto clipped = moved(Optimizer("sgd", {{"learning_rate", 1}, {"clipnorm", 0.25}}));
  const auto together = moved(Optimizer("sgd", {{"learning_rate", 1}, {"global_clipnorm", 0.25}}));
  const auto bounded = moved(Optimizer("sgd", {{"learning_rate", 1}, {"clipvalue", 0.25}}));
  double sum = 0;
  for (const Tensor& tensor : layout.tensors()) {
    sum += std::pow(norm(together, tensor), 2);
    for (Index i = 0; i < tensor.size; ++i) CHECK(std::abs(bounded[as_size(tensor.offset + i)]) <= 0.25 + 1e-12);
    CHECK(norm(clipped, tensor) == doctest::Approx(tensor.trainable ? 0.25 : 0));
  }
  CHECK(std::sqrt(sum) == doctest::Approx(0.25));

  Optimizer decays("sgd", {{"learning_rate", 0.5}, {"weight_decay", 0.1}, {"clipvalue", 1e-300}});
  decays.options.exclude_from_weight_decay = {"bias$", "^c/"};
  Run<double> run(decays);
  const auto before = run.all();
  run.step(1);
  const std::vector<double> factors = {0.95, 1, 1, 0.95, 1, 1};
  for (std::size_t t = 0; t < factors.size(); ++t) {
    const auto at = as_size(layout[t].offset);
    CHECK(run.all()[at] == doctest::Approx(factors[t] * before[at]).epsilon(1e-12));
  }
  for (const char* own : {"adamw", "muon"}) {
    Optimizer optimizer(own, {{"learning_rate", 0.5}, {"weight_decay", 0.1}});
    if (optimizer.takes("adam_weight_decay")) optimizer.set("adam_weight_decay", 0.1);
    Optimizer none(own, {{"learning_rate", 0.5}, {"weight_decay", 0}});
    if (none.takes("adam_weight_decay")) none.set("adam_weight_decay", 0);
    optimizer.options.exclude_from_weight_decay = {"."};
    CHECK(difference(moved(optimizer), moved(none), 1e-14) == "");
  }
}

TEST_CASE("updater: gradients of several batches make one update, that of their mean") {
  Run<double> parts(Optimizer("adam", {{"gradient_accumulation_steps", 2}}));
  Run<double> whole("adam");
  const auto start = parts.all();
  CHECK(!parts.step(1));
  CHECK(bit_difference(parts.all(), start) == "");
  CHECK(parts.state.batches() == 1);
  CHECK(parts.step(2));
  auto mean = values_for<double>(whole.layout, 100);
  const auto second = values_for<double>(whole.layout, 200);
  for (std::size_t i = 0; i < mean.size(); ++i) mean[i] = (mean[i] + second[i]) / 2;
  whole.updater.apply(whole.weights, mean, whole.state);
  CHECK(difference(parts.all(), whole.all(), 1e-15) == "");
  CHECK(parts.state.iterations == 1);
}

TEST_CASE("updater: the average of the weights takes their place at the end") {
  Run<double> run(Optimizer("sgd", {{"learning_rate", 0.5}, {"use_ema", 1}, {"ema_momentum", 0.75}}));
  CHECK(!run.updater.finalize(run.weights, run.state));
  run.step(1);
  auto expected = run.all();
  run.step(2);
  const auto last = run.all();
  for (std::size_t i = 0; i < last.size(); ++i) expected[i] = 0.75 * expected[i] + 0.25 * last[i];
  CHECK(run.updater.finalize(run.weights, run.state));
  CHECK(difference(run.all(), expected, 1e-15) == "");
}

TEST_CASE("updater: options that do not go together are refused, and are what keeps a step from fusing") {
  CHECK(without(message_of([] { Optimizer("sgd", {{"clipnorm", 1}, {"clipvalue", 2}}); }),
                {"optimizer 'sgd'", "only one of clipnorm, clipvalue and global_clipnorm", "clipvalue = 2"}) == "");
  CHECK(without(message_of([] { Optimizer("sgd", {{"clipnorm", 0}}); }), {"clipnorm must be greater than 0"}) == "");
  Optimizer wrong("sgd");
  wrong.options.exclude_from_weight_decay = {"("};
  CHECK(without(message_of([&] { Updater<float>(odd_layout(), wrong); }),
                {"exclude_from_weight_decay", "regular expression", "'('"}) == "");
  for (const EntryInfo& entry : optimizer_family().entries) {
    Optimizer optimizer{std::string_view(entry.name)};
    CHECK(optimizer.fused() != optimizer.tensor_wise());
    optimizer.set("clipnorm", 1);
    CHECK(!optimizer.fused());
  }
  Optimizer scheduled("sgd");
  scheduled.schedule = Schedule("linear_warmup", {{"target_learning_rate", 1}, {"warmup_steps", 4}});
  CHECK(scheduled.fused());
  CHECK(scheduled.learning_rate(2) == 0.5);
  CHECK(without(message_of([&] { scheduled.set("learning_rate", 1); }), {"learning_rate is given by the schedule"}) ==
        "");
  const Optimizer back = optimizer_from_json(to_json(scheduled));
  REQUIRE(back.schedule.has_value());
  CHECK(back.learning_rate(2) == 0.5);
}
