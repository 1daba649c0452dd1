// SPDX-License-Identifier: Apache-2.0
// Values of every metric on rows written out by hand, and the seam that all share: rows are measured
// in any order and folded in theirs.
#include "laminar/catalogue/metric.hpp"

#include "laminar/execution/scores.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
double of(const Metric& metric, const std::vector<T>& outputs, const std::vector<T>& targets, Index columns,
          const std::vector<T>& weights = {}) {
  RunningMetric running(metric);
  running.update<T>({view(outputs), columns}, MatrixView<const T>{view(targets), columns}, view(weights));
  return running.result();
}

template <typename T>
double of_label(const Metric& metric, const std::vector<T>& outputs, std::int32_t label) {
  RunningMetric running(metric);
  running.update<T>({view(outputs), static_cast<Index>(outputs.size())}, std::span<const std::int32_t>(&label, 1));
  return running.result();
}

/// Outputs, targets and labels that every metric takes, and weights.
template <typename T>
struct Rows {
  explicit Rows(Index rows, Index columns_ = 3, std::uint64_t seed = 1)
      : columns(columns_),
        outputs(draws<T>(rows * columns, 0.05, 0.95, seed)),
        weights(draws<T>(rows, 0, 2, seed + 1)),
        labels(as_size(rows)),
        targets(as_size(rows * columns)) {
    for (Index i = 0; i < rows; ++i) {
      labels[as_size(i)] = static_cast<std::int32_t>((i * 7 + 3) % columns);
      targets[as_size(i * columns + labels[as_size(i)])] = 1;
    }
  }
  Index columns;
  std::vector<T> outputs;
  std::vector<T> weights;
  std::vector<std::int32_t> labels;
  std::vector<T> targets;

  /// Rows begin … end - 1 into a metric.
  void feed(RunningMetric& metric, Takes takes, Index begin, Index end, bool weighted) const {
    const auto part = [&](const auto& values, Index width) {
      return view(values).subspan(as_size(begin * width), as_size((end - begin) * width));
    };
    const Targets<T> y = takes == Takes::labels ? Targets<T>(part(labels, 1))
                                                : Targets<T>(MatrixView<const T>{part(targets, columns), columns});
    metric.update<T>({part(outputs, columns), columns}, y, weighted ? part(weights, 1) : std::span<const T>());
  }
  Index rows() const { return static_cast<Index>(labels.size()); }
};

}  // namespace

TEST_CASE_TEMPLATE("metric: accuracies", T, float, double) {
  using Row = std::vector<T>;
  CHECK(of<T>("binary_accuracy", Row{T(0.6), T(0.4), T(0.5), T(0.9)}, Row{1, 0, 1, 0}, 4) == 0.5);  // 0.5 is no yes
  CHECK(of<T>(Metric("binary_accuracy", {{"threshold", 0.25}}), Row{T(0.3)}, Row{1}, 1) == 1);
  CHECK(of<T>("categorical_accuracy", Row{T(0.2), T(0.5), T(0.3)}, Row{0, 1, 0}, 3) == 1);
  CHECK(of<T>("categorical_accuracy", Row{T(0.2), T(0.3), T(0.5)}, Row{0, 1, 0}, 3) == 0);
  CHECK(of<T>("categorical_accuracy", Row{T(0.4), T(0.4), T(0.2)}, Row{1, 0, 0}, 3) == 1);  // the first of equals
  CHECK(of_label<T>("sparse_categorical_accuracy", Row{T(0.2), T(0.5), T(0.3)}, 1) == 1);
  CHECK(of_label<T>("sparse_categorical_accuracy", Row{T(0.2), T(0.5), T(0.3)}, 2) == 0);
  const Row four{T(0.1), T(0.4), T(0.3), T(0.2)};
  for (const int k : {1, 2, 3, 4, 5}) {
    const double value = k;
    CHECK(of<T>(Metric("top_k_categorical_accuracy", {{"k", value}}), four, Row{0, 0, 1, 0}, 4) == (k >= 2 ? 1 : 0));
    CHECK(of_label<T>(Metric("sparse_top_k_categorical_accuracy", {{"k", value}}), four, 0) == (k >= 4 ? 1 : 0));
  }
}

TEST_CASE_TEMPLATE("metric: positives and negatives", T, float, double) {
  using Row = std::vector<T>;
  const Row p{T(0.9), T(0.4), T(0.7), T(0.2), T(0.6)};
  const Row y{1, 1, 0, 0, 1};
  CHECK(of<T>("true_positives", p, y, 1) == 2);
  CHECK(of<T>("false_positives", p, y, 1) == 1);
  CHECK(of<T>("true_negatives", p, y, 1) == 1);
  CHECK(of<T>("false_negatives", p, y, 1) == 1);
  CHECK(of<T>("precision", p, y, 1) == doctest::Approx(2.0 / 3));
  CHECK(of<T>("recall", p, y, 1) == doctest::Approx(2.0 / 3));
  CHECK(of<T>("f1_score", p, y, 1) == doctest::Approx(2.0 / 3));
  CHECK(of<T>(Metric("precision", {{"thresholds", 0.3}}), p, y, 1) == 0.75);
  CHECK(of<T>(Metric("recall", {{"thresholds", 0.3}}), p, y, 1) == 1);
  CHECK(of<T>(Metric("recall", {{"thresholds", 0.95}}), p, y, 1) == 0);
  CHECK(of<T>(Metric("precision", {{"thresholds", 0.95}}), p, y, 1) == 0);  // nothing said yes
  CHECK(of<T>(Metric("fbeta_score", {{"beta", 2}, {"threshold", 0.3}}), p, y, 1) == doctest::Approx(5.0 * 3 / 16));
  // Of two rows of four, the two largest: {1, 2} and {0, 3}.
  const Row wide{T(0.1), T(0.4), T(0.3), T(0.2), T(0.9), T(0.1), T(0.1), T(0.8)};
  const Row truth{0, 1, 0, 1, 1, 0, 0, 0};
  CHECK(of<T>(Metric("precision", {{"top_k", 2}}), wide, truth, 4) == 0.5);
  CHECK(of<T>(Metric("recall", {{"top_k", 2}}), wide, truth, 4) == doctest::Approx(2.0 / 3));
  CHECK(of<T>(Metric("precision", {{"top_k", 2}, {"thresholds", 0.5}}), wide, truth, 4) == 0.5);
  CHECK(of<T>(Metric("recall", {{"top_k", 9}}), wide, truth, 4) == 1);  // every output says yes
  CHECK(of<T>(Metric("recall", {{"top_k", 9}, {"thresholds", 0.5}}), wide, truth, 4) ==
        of<T>("recall", wide, truth, 4));
  CHECK(of<T>(Metric("recall", {{"class_id", 3}, {"thresholds", 0.15}}), wide, truth, 4) == 1);
  CHECK(of<T>(Metric("precision", {{"class_id", 3}, {"thresholds", 0.15}}), wide, truth, 4) == 0.5);
}

TEST_CASE_TEMPLATE("metric: regression", T, float, double) {
  using Row = std::vector<T>;
  CHECK(of<T>("mae", Row{1, 4, -2}, Row{2, 2, -2}, 3) == 1);
  CHECK(of<T>("mse", Row{1, 4, -2}, Row{2, 2, -2}, 3) == doctest::Approx(5.0 / 3));
  CHECK(of<T>("rmse", Row{1, 4, -2}, Row{2, 2, -2}, 3) == doctest::Approx(std::sqrt(5.0 / 3)));
  CHECK(of<T>(Metric("huber", {{"delta", 1}}), Row{1, 4, -2}, Row{2, 2, -2}, 3) == doctest::Approx(2.0 / 3));
  CHECK(of<T>("r2_score", Row{1, 2, 4}, Row{1, 2, 3}, 1) == 0.5);
  CHECK(of<T>("r2_score", Row{1, 1}, Row{1, 1}, 1) == 1);  // nothing to explain
  CHECK(of<T>("r2_score", Row{1, 2}, Row{1, 1}, 1) == 0);
  CHECK(of<T>(Metric("r2_score", {{"num_regressors", 1}}), Row{1, 2, 4}, Row{1, 2, 3}, 1) == 0);
  // A far mean takes nothing: sums of squares in double precision would leave no digit.
  CHECK(of<T>("r2_score", Row{1e7, 1e7 + 1, 1e7 + 3}, Row{1e7, 1e7 + 1, 1e7 + 2}, 1) == 0.5);
}

TEST_CASE("metric: the area under a curve by hand") {
  using Row = std::vector<double>;
  const Row p{0, 0.5, 0.3, 0.9};
  const Row y{0, 0, 1, 1};
  const auto auc = [&](double curve, double summation) {
    return of<double>(Metric("auc", {{"num_thresholds", 3}, {"curve", curve}, {"summation_method", summation}}), p, y,
                      1);
  };
  // Thresholds below 0, 0.5, above 1: (fpr, tpr) = (1, 1), (0, 0.5), (0, 0); see the example of Keras.
  CHECK(auc(0, 0) == 0.75);
  CHECK(auc(0, 1) == 1);
  CHECK(auc(0, 2) == 0.5);
  // Precision 1 at recall 0.5, 0.5 at recall 1.
  CHECK(auc(1, 1) == 1);
  CHECK(auc(1, 2) == doctest::Approx(0.25));
  CHECK(auc(1, 0) == doctest::Approx(0.5 + (1.0 / 3 * (1 + 2.0 / 3 * std::log(4.0))) / 2));
  CHECK(of<double>("auc", p, Row{0, 0, 0, 0}, 1) == 0);
  CHECK(of<double>(Metric("auc", {{"from_logits", 1}}), Row{-30, 0.1, 40, -2}, Row{0, 1, 1, 0}, 1) == 1);
  // Each output by itself: 1 and 0, against all in one.
  const Metric each("auc", {{"multi_label", 1}});
  CHECK(of<double>(each, Row{0.1, 0.9, 0.2, 0.8}, Row{0, 0, 1, 1}, 2) == 0.5);
  CHECK(of<double>("auc", Row{0.1, 0.9, 0.2, 0.8}, Row{0, 0, 1, 1}, 2) == doctest::Approx(0.5));
}

TEST_CASE_TEMPLATE("metric: rows in pieces are rows at once, to the last bit", T, float, double) {
  const Rows<T> rows(150);
  for (const Metric& metric : variants<Metric>(metric_family())) {
    CAPTURE(std::string(metric.name()));
    for (const bool weighted : {false, true}) {
      RunningMetric whole(metric);
      CHECK(whole.result() == 0);
      rows.feed(whole, metric.takes(), 0, rows.rows(), weighted);
      for (const Index step : {1, 7, 64, 149}) {
        RunningMetric pieces(metric);
        for (Index i = 0; i < rows.rows(); i += step) {
          rows.feed(pieces, metric.takes(), i, std::min(rows.rows(), i + step), weighted);
        }
        CHECK(same_bits(pieces.result(), whole.result()));
      }
    }
  }
}

TEST_CASE_TEMPLATE("metric: a row of weight 2 is the row twice, of weight 0 none", T, float, double) {
  Rows<T> rows(20);
  for (const Metric& metric : variants<Metric>(metric_family())) {
    if (std::string_view(metric.name()) == "r2_score" && metric.values()[1] != 0) continue;  // counts rows
    CAPTURE(std::string(metric.name()));
    for (std::size_t i = 0; i < rows.weights.size(); ++i) rows.weights[i] = static_cast<T>(i % 3);
    RunningMetric weighted(metric);
    rows.feed(weighted, metric.takes(), 0, rows.rows(), true);
    RunningMetric repeated(metric);
    for (Index i = 0; i < rows.rows(); ++i) {
      for (Index k = 0; k < i % 3; ++k) rows.feed(repeated, metric.takes(), i, i + 1, false);
    }
    CHECK(weighted.result() == doctest::Approx(repeated.result()).epsilon(1e-9));
  }
}

TEST_CASE_TEMPLATE("metric: NaN gives NaN, infinities no crash", T, float, double) {
  for (const Metric& metric : variants<Metric>(metric_family())) {
    CAPTURE(std::string(metric.name()));
    for (const Index columns : {3, 4, 17}) {
      for (const T bad : {kNan<T>, std::numeric_limits<T>::infinity(), -std::numeric_limits<T>::infinity()}) {
        Rows<T> rows(70, columns);
        rows.outputs[as_size(65 * columns + 1)] = bad;
        RunningMetric running(metric);
        rows.feed(running, metric.takes(), 0, rows.rows(), false);
        if (bad != bad) CHECK(std::isnan(running.result()));
      }
    }
  }
}

TEST_CASE_TEMPLATE("metric: where either is taken, a label is its one-hot row", T, float, double) {
  const Rows<T> rows(40);
  for (const Metric& metric : variants<Metric>(metric_family())) {
    if (metric.takes() != Takes::either) continue;
    CAPTURE(std::string(metric.name()));
    RunningMetric values(metric);
    RunningMetric labels(metric);
    rows.feed(values, Takes::values, 0, 40, true);
    rows.feed(labels, Takes::labels, 0, 40, true);
    CHECK(same_bits(values.result(), labels.result()));
  }
}

TEST_CASE("metric: float and double agree") {
  for (const Metric& metric : variants<Metric>(metric_family())) {
    CAPTURE(std::string(metric.name()));
    const Rows<float> narrow(100);
    Rows<double> wide(100);
    wide.outputs.assign(narrow.outputs.begin(), narrow.outputs.end());
    wide.weights.assign(narrow.weights.begin(), narrow.weights.end());
    RunningMetric a(metric);
    RunningMetric b(metric);
    narrow.feed(a, metric.takes(), 0, 100, true);
    wide.feed(b, metric.takes(), 0, 100, true);
    CHECK(a.result() == doctest::Approx(b.result()).epsilon(1e-5));
  }
}

TEST_CASE("metric: rows that do not fit are refused, and change nothing") {
  const Rows<double> rows(4);
  RunningMetric metric("mse");
  rows.feed(metric, Takes::values, 0, 4, false);
  const double before = metric.result();
  const MatrixView<const double> p{view(rows.outputs), 3};
  const Targets<double> y = MatrixView<const double>{view(rows.targets), 3};
  const std::vector<double> weights{1, 1, -1, 1};
  CHECK(without(message_of([&] { metric.update<double>(p, std::span<const std::int32_t>(rows.labels)); }),
                {"mse", "y_true", "rows of values"}) == "");
  CHECK(without(message_of([&] { metric.update<double>(p, MatrixView<const double>{view(rows.targets), 4}); }),
                {"mse: y_pred has 4 rows, y_true has 3"}) == "");
  CHECK(without(message_of([&] { metric.update<double>({view(rows.outputs), 4}, y); }),
                {"y_pred has 4 columns, earlier rows had 3"}) == "");
  CHECK(without(message_of([&] { metric.update<double>(p, y, view(weights)); }),
                {"sample_weight must be finite and not negative", "row 2 is -1"}) == "");
  CHECK(without(message_of([&] { metric.update<double>(p, y, view(weights).subspan(1)); }),
                {"y_pred has 4 rows, sample_weight has 3"}) == "");
  RunningMetric sparse("sparse_categorical_accuracy");
  CHECK(without(message_of([&] { sparse.update<double>(p, y); }), {"y_true must be class numbers"}) == "");
  const std::vector<std::int32_t> labels{0, 3, 1, 1};
  CHECK(without(message_of([&] { sparse.update<double>(p, std::span<const std::int32_t>(labels)); }),
                {"class numbers from 0 to 2", "row 1 is 3"}) == "");
  RunningMetric one(Metric("recall", {{"class_id", 3}}));
  CHECK(without(message_of([&] { one.update<double>(p, y); }), {"class_id", "outputs, 3, got 3"}) == "");
  CHECK(metric.result() == before);
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
  Metric named("acc");
  named.key = "hits";
  named.weighted = true;
  CHECK(std::string(named.resolved("mse", 3).name()) == "categorical_accuracy");
  CHECK(named.resolved("mse", 3).key == "hits");
  CHECK(named.resolved("mse", 3).weighted);
  // Answers that are classes already are right where they are equal.
  RunningMetric exact("accuracy", true);
  const std::vector<double> p{7, 2, 3};
  const std::vector<double> y{7, 9, 3};
  exact.update<double>({view(p), 1}, MatrixView<const double>{view(y), 1});
  CHECK(exact.result() == doctest::Approx(2.0 / 3));
}

TEST_CASE("metric: rows of an ignored class do not count") {
  const std::vector<double> p{0.5, 0.5, 0.25, 0.75, 0.1, 0.9};
  const std::vector<std::int32_t> labels{0, -1, 0};
  RunningMetric metric(Metric("sparse_categorical_crossentropy", {{"ignore_class", -1}}));
  metric.update<double>({view(p), 2}, std::span<const std::int32_t>(labels));
  CHECK(metric.result() == doctest::Approx(-(std::log(0.5) + std::log(0.1)) / 2));
}

TEST_CASE("metric: every entry fits every loss or says why not") {
  for (const EntryInfo& loss : loss_family().entries) {
    for (const EntryInfo& entry : metric_family().entries) {
      CAPTURE(std::string(loss.name));
      CAPTURE(std::string(entry.name));
      const Takes takes = Metric(entry.name).takes();
      const bool fits = takes == Takes::either || (takes == Takes::labels) == Loss(loss.name).class_labels();
      const auto message = message_of([&] { Metric(entry.name).resolved(loss.name, 3); });
      if (fits) {
        CHECK(message == "nothing thrown");
      } else {
        CHECK(without(message, {"metrics: ", entry.name, loss.name, "class numbers", "rows of values"}) == "");
      }
    }
  }
}

TEST_CASE("metric: probabilities are not taken for logits") {
  Metric metric("binary_crossentropy", {{"from_logits", 1}});
  metric.ignore_logits("linear");
  CHECK(metric.value("from_logits") == 1);
  metric.ignore_logits("sigmoid");
  CHECK(metric.value("from_logits") == 0);
}
