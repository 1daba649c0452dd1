// SPDX-License-Identifier: Apache-2.0
#include "laminar/metric.hpp"

#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
double of(const Metric& metric, const std::vector<T>& output, const std::vector<T>& target, std::int32_t label = 0) {
  return metric.sample(output.data(), target.empty() ? nullptr : target.data(), label,
                       static_cast<Index>(output.size()));
}

}  // namespace

TEST_CASE_TEMPLATE("metric: values of one sample", T, float, double) {
  using Row = std::vector<T>;
  CHECK(of<T>("binary_accuracy", Row{T(0.6), T(0.4), T(0.5), T(0.9)}, Row{1, 0, 1, 0}) == 0.5);  // 0.5 is no yes
  CHECK(of<T>(Metric("binary_accuracy", {{"threshold", 0.25}}), Row{T(0.3)}, Row{1}) == 1);
  CHECK(of<T>("categorical_accuracy", Row{T(0.2), T(0.5), T(0.3)}, Row{0, 1, 0}) == 1);
  CHECK(of<T>("categorical_accuracy", Row{T(0.2), T(0.3), T(0.5)}, Row{0, 1, 0}) == 0);
  CHECK(of<T>("categorical_accuracy", Row{T(0.4), T(0.4), T(0.2)}, Row{1, 0, 0}) == 1);  // the first of equals
  CHECK(of<T>("sparse_categorical_accuracy", Row{T(0.2), T(0.5), T(0.3)}, Row{}, 1) == 1);
  CHECK(of<T>("sparse_categorical_accuracy", Row{T(0.2), T(0.5), T(0.3)}, Row{}, 2) == 0);
  CHECK(of<T>("mae", Row{1, 4, -2}, Row{2, 2, -2}) == 1);
  CHECK(of<T>("mse", Row{1, 4, -2}, Row{2, 2, -2}) == doctest::Approx(5.0 / 3));
  CHECK(of<T>("rmse", Row{1, 4, -2}, Row{2, 2, -2}) == doctest::Approx(5.0 / 3));  // the root is the last thing done
}

TEST_CASE("metric: the mean over samples is finished by every entry") {
  for (const EntryInfo& entry : metric_family().entries) {
    const std::string name = entry.name;
    CAPTURE(name);
    CHECK(Metric(entry.name).finish(0.25) == (name == "rmse" ? 0.5 : 0.25));
  }
}

TEST_CASE("metric: accuracy takes the form that fits loss and outputs") {
  const auto form = [](const char* loss, Index outputs) {
    return std::string(Metric("accuracy").resolved(loss, outputs).name());
  };
  CHECK(form("sparse_categorical_crossentropy", 3) == "sparse_categorical_accuracy");
  CHECK(form("categorical_crossentropy", 3) == "categorical_accuracy");
  CHECK(form("binary_crossentropy", 1) == "binary_accuracy");
  CHECK(form("binary_crossentropy", 3) == "binary_accuracy");
  CHECK(form("mse", 1) == "binary_accuracy");
  CHECK(form("mse", 3) == "categorical_accuracy");
  CHECK(std::string(Metric("acc").resolved("mse", 3).name()) == "categorical_accuracy");
}

TEST_CASE("metric: every entry fits every loss or says why not") {
  for (const EntryInfo& loss : loss_family().entries) {
    for (const EntryInfo& entry : metric_family().entries) {
      CAPTURE(std::string(loss.name));
      CAPTURE(std::string(entry.name));
      const bool labels = Loss(loss.name).class_labels();
      const bool fits =
          std::string_view(entry.name) == "accuracy" || labels == std::string_view(entry.name).starts_with("sparse");
      const auto message = message_of([&] { Metric(entry.name).resolved(loss.name, 3); });
      if (fits) {
        CHECK(message == "nothing thrown");
      } else {
        CHECK(without(message, {"metrics: ", entry.name, loss.name, "class numbers", "rows of values"}) == "");
      }
    }
  }
}
