// SPDX-License-Identifier: Apache-2.0
// Bad input, operation by operation: each is refused with a message that names the argument, what
// was expected and what came, and nothing has changed.
#include "laminar/data/checks.hpp"

#include <functional>

#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// The operations that take a data set.
template <typename T>
std::vector<std::pair<std::string, std::function<void(Model<T>&, const Dataset<T>&)>>> operations() {
  using M = Model<T>;
  using D = Dataset<T>;
  return {{"fit", [](M& m, const D& d) { m.fit(d); }},
          {"train_on_batch", [](M& m, const D& d) { m.train_on_batch(d); }},
          {"evaluate", [](M& m, const D& d) { m.evaluate(d); }},
          {"loss_and_gradients",
           [](M& m, const D& d) {
             std::vector<T> gradients(m.parameters().size());
             m.loss_and_gradients(d, gradients);
           }},
          {"fit: validation_data", [](M& m, const D& d) {
             const Task<T> good(4, 3, 2);
             m.fit(good.dataset(d.y.labels.data() != nullptr ? "sparse_categorical_crossentropy" : "mse"),
                   {.validation = &d});
           }}};
}

template <typename T>
Model<T> model_for(const Loss& loss) {
  Model<T> model(Network(3, {Dense{.units = 4, .activation = "tanh"}, Dense{.units = 2, .activation = "softmax"}}), 1);
  model.compile(loss, "adam");
  return model;
}

/// Every operation refuses `data` with all of `parts`, after which the model is as it was.
template <typename T>
void check_refused(const Loss& loss, const Dataset<T>& data, std::initializer_list<std::string_view> parts) {
  for (const auto& [name, operation] : operations<T>()) {
    CAPTURE(name);
    auto model = model_for<T>(loss);
    const auto weights = weights_of(model);
    const std::string message = message_of([&, &call = operation] { call(model, data); });
    CHECK(message.starts_with(name + ": "));
    CHECK(without(message, parts) == "");
    CHECK(bit_difference(weights_of(model), weights) == "");
    CHECK(model.iterations() == 0);
    auto fresh = model_for<T>(loss);
    const Task<T> good(4, 3, 2);
    model.fit(good.dataset(loss), {.epochs = 2});
    fresh.fit(good.dataset(loss), {.epochs = 2});
    CHECK(bit_difference(weights_of(model), weights_of(fresh)) == "");
  }
}

}  // namespace

TEST_CASE_TEMPLATE("checks: widths and lengths", T, float, double) {
  const Task<T> task(4, 3, 2);
  const Task<T> wide(4, 5, 2);
  const Task<T> more_outputs(4, 3, 3);
  auto data = task.dataset("mse");
  data.x = wide.inputs();
  check_refused<T>("mse", data, {"x has 5 features", "the network takes 3", "layer 'dense' has kernel (3, 4)"});
  check_refused<T>("mse", more_outputs.dataset("mse"), {"y has 3 columns", "the network has 2 outputs"});
  check_refused<T>("mse", task.dataset("mse", 0, 0), {"x needs at least one row", "got 0"});
  data = task.dataset("mse");
  data.y = task.dataset("mse", 0, 3).y;
  check_refused<T>("mse", data, {"x has 4 rows, y has 3"});
  data = task.dataset("sparse_categorical_crossentropy");
  data.y = task.dataset("sparse_categorical_crossentropy", 0, 3).y;
  check_refused<T>("sparse_categorical_crossentropy", data, {"x has 4 rows, y has 3"});
}

TEST_CASE_TEMPLATE("checks: values that are not finite", T, float, double) {
  for (const T bad : {kNan<T>, std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity()}) {
    Task<T> task(4, 3, 2);
    task.x[2 * 3 + 1] = bad;
    check_refused<T>("mse", task.dataset("mse"), {"x must be finite", "row 2, column 1 is "});
    task = Task<T>(4, 3, 2);
    task.y[3 * 2] = bad;
    check_refused<T>("mse", task.dataset("mse"), {"y must be finite", "row 3, column 0 is "});
    task = Task<T>(4, 3, 2);
    task.weights = {1, 1, bad, 1};
    check_refused<T>("mse", task.dataset("mse"), {"sample_weight must be finite and not negative", "row 2 is "});
  }
}

TEST_CASE_TEMPLATE("checks: sample weights", T, float, double) {
  Task<T> task(4, 3, 2);
  task.weights = {1, -1, 1, 1};
  check_refused<T>("mse", task.dataset("mse"), {"sample_weight", "not negative", "row 1 is -1"});
  task.weights = {0, 0, 0, 0};
  check_refused<T>("mse", task.dataset("mse"), {"sample_weight must be positive for at least one row"});
  task.weights = {1, 1, 1, 1};
  auto data = task.dataset("mse");
  data.sample_weight = data.sample_weight.first(3);
  check_refused<T>("mse", data, {"x has 4 rows, sample_weight has 3"});
}

TEST_CASE_TEMPLATE("checks: labels out of range, and targets of the wrong kind for the loss", T, float, double) {
  const Loss sparse("sparse_categorical_crossentropy");
  for (const std::int32_t label : {-1, 2, std::numeric_limits<std::int32_t>::min()}) {
    Task<T> task(4, 3, 2);
    task.labels[3] = label;
    check_refused<T>(sparse, task.dataset(sparse),
                     {"class numbers from 0 to 1", "2 outputs", "row 3 is " + std::to_string(label)});
  }
  const Task<T> task(4, 3, 2);
  for (const auto& [name, operation] : operations<T>()) {
    if (name.starts_with("fit: ")) continue;  // the good data there has the kind of the bad
    auto model = model_for<T>(sparse);
    CHECK(without(message_of([&, &call = operation] { call(model, task.dataset("mse")); }),
                  {name, "'sparse_categorical_crossentropy' takes one class number per row", "rows of 2 values"}) ==
          "");
    for (const EntryInfo& entry : loss_family().entries) {
      if (Loss(entry.name).class_labels()) continue;
      auto other = model_for<T>(entry.name);
      CHECK(without(message_of([&, &call = operation] { call(other, task.dataset(sparse)); }),
                    {name, entry.name, "rows of 2 values", "got class numbers"}) == "");
    }
  }
  const Task<T> one_column(4, 3, 1);
  CHECK(without(message_of([&] { model_for<T>("categorical_crossentropy").evaluate(one_column.dataset("mse")); }),
                {"y has 1 column,", "2 outputs", "sparse_categorical_crossentropy", "to_categorical"}) == "");
}

TEST_CASE_TEMPLATE("checks: targets for which the loss is not defined, and nothing but ignored rows", T, float,
                   double) {
  Task<T> task(4, 3, 2);
  task.y[3] = 0;
  check_refused<T>("gamma", task.dataset("gamma"), {"y must be greater than 0", "'gamma'", "row 1, column 1 is 0"});
  task.y[3] = -1;
  check_refused<T>("binary_crossentropy", task.dataset("binary_crossentropy"),
                   {"y must be from 0 to 1", "row 1, column 1 is -1", "(y + 1) / 2"});
  const Loss loss("sparse_categorical_crossentropy", {{"ignore_class", -1}});
  task.labels = {-1, -1, -1, 1};
  task.weights = {1, 1, 1, 0};
  check_refused<T>(loss, task.dataset(loss), {"ignores class -1", "no other class"});
}

TEST_CASE_TEMPLATE("checks: before compile, only prediction", T, float, double) {
  const Task<T> task(4, 3, 2);
  for (const auto& [name, operation] : operations<T>()) {
    Model<T> model(Network(3, {Dense{.units = 2}}));
    CHECK(without(message_of([&, &call = operation] { call(model, task.dataset("mse")); }),
                  {"no loss", "call compile first"}) == "");
    CHECK_NOTHROW(predictions(model, task.inputs()));
  }
  Model<T> model(Network(3, {Dense{.units = 2}}));
  CHECK(without(message_of([&] { model.metric_names(); }), {"metric_names", "compile"}) == "");
  CHECK(without(message_of([&] { model.learning_rate(); }), {"learning_rate", "compile"}) == "");
  CHECK(without(message_of([&] { model.set_learning_rate(1); }), {"learning_rate", "compile"}) == "");
}

TEST_CASE_TEMPLATE("checks: options of fit", T, float, double) {
  const Task<T> task(4, 3, 2);
  auto model = model_for<T>("mse");
  const auto fit = [&](const FitOptions<T>& options) {
    return message_of([&] { model.fit(task.dataset("mse"), options); });
  };
  CHECK(without(fit({.batch_size = 0}), {"fit: batch_size must be at least 1, got 0"}) == "");
  CHECK(without(fit({.batch_size = -3}), {"batch_size", "got -3"}) == "");
  CHECK(without(fit({.epochs = -1}), {"fit: epochs must not be negative, got -1"}) == "");
  CHECK(without(fit({.initial_epoch = -1}), {"fit: initial_epoch must not be negative, got -1"}) == "");
  CHECK(model.iterations() == 0);
}

TEST_CASE_TEMPLATE("checks: what cannot be trained predicts and evaluates all the same", T, float, double) {
  const Task<T> task(4, 3, 2);
  Model<T> model(Network(3, {Dense{.units = 2, .activation = "step"}}));
  model.compile("mse", "sgd");
  for (const auto& [name, operation] : operations<T>()) {
    const auto message = message_of([&, &call = operation] { call(model, task.dataset("mse")); });
    if (name == "evaluate") CHECK(message == "nothing thrown");
    if (name != "evaluate") CHECK(without(message, {"layer 'dense'", "'step'", "cannot be trained by gradient"}) == "");
  }
  CHECK_NOTHROW(predictions(model, task.inputs()));
}

TEST_CASE_TEMPLATE("checks: shapes of outputs, gradients and parameters", T, float, double) {
  const Task<T> task(4, 3, 2);
  auto model = model_for<T>("mse");
  std::vector<T> out(100, T(-7));
  const auto predict = [&](MatrixView<const T> x, Index rows, Index columns) {
    return message_of([&] { model.predict(x, {out.data(), rows, columns}); });
  };
  CHECK(without(predict(task.inputs(), 3, 2), {"predict: out must have shape (4, 2), got (3, 2)"}) == "");
  CHECK(without(predict(task.inputs(), 4, 3), {"got (4, 3)"}) == "");
  CHECK(without(predict({view(task.x), 6}, 2, 2), {"predict: x has 6 features, the network takes 3"}) == "");
  CHECK(without(predict({task.x.data(), 0, 3}, 0, 2), {"predict: x needs at least one row, got 0"}) == "");
  CHECK(bit_difference(out, std::vector<T>(100, T(-7))) == "");
  std::vector<T> gradients(model.parameters().size() - 1);
  CHECK(without(message_of([&] { model.loss_and_gradients(task.dataset("mse"), gradients); }),
                {"loss_and_gradients: gradients needs", "elements, got"}) == "");
  const auto weights = weights_of(model);
  CHECK(without(message_of([&] { model.set_parameters(gradients); }), {"set_parameters: expected", "got"}) == "");
  CHECK(bit_difference(weights_of(model), weights) == "");
}
