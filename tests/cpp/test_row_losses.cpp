// SPDX-License-Identifier: Apache-2.0
// Losses of arrays are those that a model has of its outputs. Reductions: tests/python/test_losses_arrays.py.
#include "laminar/execution/row_losses.hpp"

#include "reference.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

TEST_CASE_TEMPLATE("row losses: every entry is the reference's", T, float, double) {
  const double tolerance = 32 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for (const Loss& loss : variants<Loss>(loss_family())) {
    for (const Index columns : {1, 3, 17}) {
      for (const Index rows : {1, 64, 65, 200}) {
        const Task<T> task(rows, 1, columns);
        const auto outputs = draws<T>(rows * columns, 0.05, 0.95, 4);
        const auto weights = draws<T>(rows, 0, 2, 5);
        const auto y =
            loss.class_labels() ? reference::one_hot(task.labels, columns) : reference::matrix(task.y, rows, columns);
        auto expected = reference::loss(loss, reference::matrix(outputs, rows, columns), y, loss.from_logits(),
                                        reference::kClip<T>);
        std::vector<T> out(as_size(rows));
        const auto targets = task.dataset(loss).y;
        row_losses<T>(loss, {view(outputs), columns}, targets, {}, out);
        CHECK(difference(out, expected.values, tolerance) == "");
        row_losses<T>(loss, {view(outputs), columns}, targets, view(weights), out);
        expected.values.array() *= reference::matrix(weights, rows, 1).col(0).array();
        CHECK(difference(out, expected.values, tolerance) == "");
      }
    }
  }
}

TEST_CASE("losses with their gradient: every entry against differences") {
  using T = double;
  const Index columns = 3;
  const Index rows = 5;
  const Task<T> task(rows, 1, columns);
  for (const Loss& loss : variants<Loss>(loss_family())) {
    const auto outputs = draws<T>(rows * columns, 0.05, 0.95, 4);
    const auto targets = task.dataset(loss).y;
    std::vector<T> losses(as_size(rows));
    std::vector<T> gradient(outputs.size());
    const double value =
        loss_and_gradient<T>(loss, {view(outputs), columns}, targets, {}, losses, {gradient.data(), rows, columns});
    const auto at = [&](const std::vector<T>& p) {
      std::vector<T> out(as_size(rows));
      row_losses<T>(loss, {view(p), columns}, targets, {}, out);
      return reduced<T>(loss, out, targets, {});
    };
    CHECK(value == doctest::Approx(at(outputs)));
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      std::vector<T> p = outputs;
      const T step = 1e-6;
      p[i] = outputs[i] + step;
      const double above = at(p);
      p[i] = outputs[i] - step;
      CHECK(gradient[i] == doctest::Approx((above - at(p)) / (2 * step)).epsilon(1e-4));
    }
  }
}

TEST_CASE("row losses: what does not fit is refused") {
  const std::vector<double> p(6, 0.5);
  const std::vector<double> y(6, 1);
  std::vector<double> out(3);
  const auto message = [&](const Loss& loss, const Targets<double>& targets, std::span<const double> weights) {
    return message_of([&] { row_losses<double>(loss, {view(p), 2}, targets, weights, out); });
  };
  CHECK(message("mse", MatrixView<const double>{view(y), 2}, {}) == "nothing thrown");
  CHECK(without(message("mse", MatrixView<const double>{view(y), 3}, {}), {"mse", "2 rows of 3", "3 rows of 2"}) == "");
  CHECK(without(message("mse", MatrixView<const double>{view(y), 2}, view(y)), {"3 rows, sample_weight has 6"}) == "");
  const std::vector<std::int32_t> labels = {0, 1, 2};
  CHECK(without(message("sparse_categorical_crossentropy", std::span<const std::int32_t>(labels), {}),
                {"class numbers from 0 to 1", "row 2 is 2"}) == "");
}
