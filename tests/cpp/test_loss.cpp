// SPDX-License-Identifier: Apache-2.0
// Every loss, by every table, against the reference and against closed forms.
#include "laminar/catalogue/loss.hpp"

#include "block.hpp"
#include "laminar/files/config.hpp"
#include "reference.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
constexpr double kTolerance = 32 * static_cast<double>(std::numeric_limits<T>::epsilon());

/// Rows of a loss in memory, as a kernel takes them.
template <typename T>
struct Rows {
  Block<T> outputs;
  Block<T> targets;
  std::vector<std::int32_t> labels;
  std::vector<T> weights;
  Block<T> delta;
  std::vector<T> losses;
  T scale = 1;
  bool write_activation = false;

  Rows(Index rows, Index columns, const std::vector<T>& outputs_, const std::vector<T>& targets_)
      : outputs(rows, columns, outputs_),
        targets(rows, columns, targets_),
        delta(rows, columns),
        losses(as_size(rows), kNan<T>) {}

  void run(const kernels::Kernels<T>& k, const Loss& loss, bool logits) {
    const auto parameters = loss.values_as<T>();
    kernels::LossRows<T> r;
    r.loss = loss.index();
    r.parameters = parameters.data();
    r.logits = logits;
    r.write_activation = write_activation;
    r.outputs = outputs.data();
    r.outputs_stride = outputs.stride();
    r.targets = loss.class_labels() ? nullptr : targets.data();
    r.targets_stride = targets.stride();
    r.labels = loss.class_labels() ? labels.data() : nullptr;
    r.weights = weights.empty() ? nullptr : weights.data();
    r.scale = scale;
    r.delta = delta.data();
    r.delta_stride = delta.stride();
    r.losses = losses.data();
    r.rows = static_cast<Index>(losses.size());
    r.columns = static_cast<Index>(outputs.values().size()) / r.rows;
    k.loss(r);
    CHECK(outputs.intact());
    CHECK(targets.intact());
    CHECK(delta.intact());
  }
};

struct Case {
  Loss loss;
  bool logits;
};

/// Every entry and variant, on probabilities and, where it has an activation of its own, on logits.
std::vector<Case> cases() {
  std::vector<Case> all;
  for (const Loss& loss : variants<Loss>(loss_family())) {
    bool absorbs = loss.from_logits();
    for (const EntryInfo& entry : activation_family().entries) absorbs = absorbs || loss.absorbs(entry.name);
    if (!loss.from_logits()) all.push_back({loss, false});
    if (absorbs) all.push_back({loss, true});
  }
  return all;
}

/// Loss of one row and its gradient, one after the other.
template <typename T>
std::vector<double> one_row(const kernels::Kernels<T>& k, const Loss& loss, bool logits, const std::vector<T>& outputs,
                            const std::vector<T>& targets, std::int32_t label = 0) {
  Rows<T> rows(1, static_cast<Index>(outputs.size()), outputs, targets);
  rows.labels = {label};
  rows.run(k, loss, logits);
  std::vector<double> all = {static_cast<double>(rows.losses[0])};
  for (const T d : rows.delta.values()) all.push_back(static_cast<double>(d));
  return all;
}

}  // namespace

TEST_CASE_TEMPLATE("loss: value and gradient of every entry are the reference's", T, float, double) {
  for (const Case& c : cases()) {
    const std::string entry = to_json(c.loss) + (c.logits ? " on logits" : "");
    CAPTURE(entry);
    for (const Index rows : kBatches) {
      for (const Index columns : kSizes) {
        CAPTURE(rows);
        CAPTURE(columns);
        const auto outputs = draws<T>(rows * columns, c.logits ? -4 : 0.05, c.logits ? 4 : 0.95);
        const auto targets = draws<T>(rows * columns, 0, 1, 2);
        Rows<T> r(rows, columns, outputs, targets);
        r.weights = draws<T>(rows, 0, 2, 3);
        r.scale = T(0.125);
        for (Index i = 0; i < rows; ++i) r.labels.push_back(static_cast<std::int32_t>((i * 5 + columns - 1) % columns));
        const auto y =
            c.loss.class_labels() ? reference::one_hot(r.labels, columns) : reference::matrix(targets, rows, columns);
        auto expected =
            reference::loss(c.loss, reference::matrix(outputs, rows, columns), y, c.logits, reference::kClip<T>);
        const auto weights = reference::matrix(r.weights, rows, 1);
        expected.values.array() *= weights.array();
        expected.slopes.array().colwise() *= weights.col(0).array() / 8;
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          r.run(k, c.loss, c.logits);
          CHECK(difference(r.losses, expected.values, kTolerance<T>) == "");
          CHECK(difference(r.delta.values(), expected.slopes, kTolerance<T>) == "");
          CHECK(bit_difference(r.outputs.values(), outputs) == "");
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("loss: leaves the activation behind where asked, not changing a bit of the rest", T, float, double) {
  for (const Case& c : cases()) {
    if (!c.logits) continue;
    CAPTURE(std::string(c.loss.name()));
    const Activation f = c.loss.class_labels() || Loss(c.loss.name()).absorbs("softmax") ? "softmax" : "sigmoid";
    for (const Index columns : {1, 3, 16, 33}) {
      const auto z = draws<T>(2 * columns, -4, 4);
      const auto y = draws<T>(2 * columns, 0, 1, 2);
      const auto expected = reference::activate(f, reference::matrix(z, 2, columns));
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        Rows<T> plain(2, columns, z, y);
        Rows<T> with(2, columns, z, y);
        plain.labels = with.labels = {0, static_cast<std::int32_t>(columns - 1)};
        with.write_activation = true;
        plain.run(k, c.loss, true);
        with.run(k, c.loss, true);
        CHECK(difference(with.outputs.values(), expected, kTolerance<T>) == "");
        CHECK(bit_difference(with.losses, plain.losses) == "");
        CHECK(bit_difference(with.delta.values(), plain.delta.values()) == "");
      });
    }
  }
}

TEST_CASE_TEMPLATE("loss: NaN in any output gives a loss that is NaN", T, float, double) {
  for (const Case& c : cases()) {
    CAPTURE(std::string(c.loss.name()));
    CAPTURE(c.logits);
    for (const Index columns : {1, 5, 16, 33}) {
      for (Index at = 0; at < columns; ++at) {
        auto outputs = draws<T>(columns, 0.1, 0.9);
        outputs[as_size(at)] = kNan<T>;
        for_each_table<T>([&](const kernels::Kernels<T>& k) {
          CHECK(std::isnan(one_row(k, c.loss, c.logits, outputs, draws<T>(columns, 0, 1))[0]));
        });
      }
    }
  }
}

TEST_CASE_TEMPLATE("loss: cross-entropies on logits up to 1e30 are their closed forms", T, float, double) {
  const T big = T(1e30);
  const double b = static_cast<double>(big);
  const double close = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());
  using Row = std::vector<T>;
  using Values = std::vector<double>;
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    const auto binary = [&](T z, T y) { return one_row<T>(k, "binary_crossentropy", true, {z}, {y}); };
    CHECK(binary(big, 0) == Values{b, 1});
    CHECK(binary(big, 1) == Values{0, 0});
    CHECK(binary(-big, 0) == Values{0, 0});
    CHECK(binary(-big, 1) == Values{b, -1});
    CHECK(binary(big, T(0.5)) == Values{b / 2, 0.5});
    CHECK(difference(binary(0, 1), Values{std::log(2.0), -0.5}, close) == "");

    const auto both = [&](const Row& z, std::int32_t label, const Values& expected) {
      Row y(z.size());
      y[static_cast<std::size_t>(label)] = 1;
      CHECK(difference(one_row<T>(k, "categorical_crossentropy", true, z, y), expected, close) == "");
      CHECK(difference(one_row<T>(k, "sparse_categorical_crossentropy", true, z, z, label), expected, close) == "");
    };
    both({big, -big, 0}, 0, {0, 0, 0, 0});
    both({big, -big, 0}, 1, {2 * b, 1, -1, 0});
    both({big, -big, 0}, 2, {b, 1, 0, -1});
    both({big, big, big}, 1, {std::log(3.0), 1. / 3, -2. / 3, 1. / 3});
    both({-big, -big}, 1, {std::log(2.0), 0.5, -0.5});
    both({-big}, 0, {0, 0});
    both({0, 1000}, 0, {1000, -1, 1});
  });
}

TEST_CASE_TEMPLATE("loss: sparse is the categorical loss of the one-hot row, bit for bit", T, float, double) {
  for (const Index columns : kSizes) {
    const auto z = draws<T>(columns, 0.1, 0.9);
    for (const auto label :
         {std::int32_t{0}, static_cast<std::int32_t>(columns / 2), static_cast<std::int32_t>(columns - 1)}) {
      std::vector<T> y(as_size(columns));
      y[as_size(label)] = 1;
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        for (const bool logits : {false, true}) {
          CHECK(one_row<T>(k, "sparse_categorical_crossentropy", logits, z, z, label) ==
                one_row<T>(k, "categorical_crossentropy", logits, z, y));
        }
      });
    }
  }
}

TEST_CASE_TEMPLATE("loss: worked values", T, float, double) {
  using Values = std::vector<double>;
  const double close = 8 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    const auto check = [&](const Loss& loss, const std::vector<T>& p, const std::vector<T>& y, const Values& expected,
                           double within = 0) {
      CHECK(difference(one_row(k, loss, false, p, y), expected, close + within) == "");
    };
    // value, then slopes
    check("mse", {T(0.5113047367)}, {1}, {0.2388230604, -2 * 0.4886952633}, 1e-10);
    check("binary_crossentropy", {T(0.5113047367)}, {1}, {0.6707895129, -1 / 0.5113047367}, 1e-9);
    check("mse", {1, 2}, {3, 2}, {2, -2, 0});
    check("mae", {1, 2, 5}, {1, 4, 2}, {5. / 3, 0, -1. / 3, 1. / 3});
    check("huber", {1}, {2}, {0.5, -1});
    check("huber", {3}, {1}, {1.5, 1});
    check(Loss("huber", {{"delta", 0.5}}), {0}, {2}, {0.875, -0.5});
    check("categorical_crossentropy", {T(0.25), T(0.75)}, {0, 1}, {-std::log(0.75), 1, 1 - 1 / 0.75});
    check("categorical_crossentropy", {1, 3}, {0, 1}, {-std::log(0.75), 0.25, 0.25 - 1. / 3});
    check(Loss("binary_crossentropy", {{"label_smoothing", 0.2}}), {T(0.5)}, {1}, {std::log(2.0), (0.5 - 0.9) * 4});
    // Beyond the margin of 1e-7 the probability is clipped and the slope is 0.
    const double low = reference::kClip<T>.low;
    const double high = 1 - reference::kClip<T>.high;
    check("binary_crossentropy", {0}, {1}, {-std::log(low), 0});
    check("binary_crossentropy", {2}, {0}, {-std::log(high), 0});
    check("categorical_crossentropy", {1, 0}, {0, 1}, {-std::log(low), 0, 0});
  });
}

TEST_CASE("loss: which activation each takes upon itself") {
  for (const Loss& loss : variants<Loss>(loss_family())) {
    const std::string_view name = loss.name();
    const std::string_view own = !name.ends_with("crossentropy") ? ""
                                 : name.starts_with("binary")    ? "sigmoid"
                                                                 : "softmax";
    for (const EntryInfo& entry : activation_family().entries) {
      CHECK(loss.absorbs(entry.name) == (entry.name == own));
    }
    CHECK(loss.class_labels() == name.starts_with("sparse"));
  }
}

TEST_CASE_TEMPLATE("loss: a row of the ignored class has neither loss nor gradient", T, float, double) {
  for (const std::int32_t ignored : {-1, 2, 1000, std::numeric_limits<std::int32_t>::min()}) {
    const Loss loss("sparse_categorical_crossentropy", {{"ignore_class", static_cast<double>(ignored)}});
    CHECK(loss.ignored_class() == ignored);
    for (const Index columns : kSizes) {
      for_each_table<T>([&](const kernels::Kernels<T>& k) {
        for (const bool logits : {false, true}) {
          const auto outputs = draws<T>(columns, 0.1, 0.9);
          const auto row = one_row(k, loss, logits, outputs, outputs, ignored);
          CHECK(difference(row, std::vector<double>(row.size()), 0) == "");
        }
      });
    }
  }
  CHECK_FALSE(Loss("sparse_categorical_crossentropy").ignored_class().has_value());
  CHECK_FALSE(Loss("mse").ignored_class().has_value());
}

TEST_CASE("loss: targets for which a loss is defined") {
  const auto refuses = [](const Loss& loss, double y) { return std::string_view(loss.broken_rule(y)) != ""; };
  for (const EntryInfo& entry : loss_family().entries) {
    const Loss loss(entry.name);
    const std::string_view name = entry.name;
    const bool deviance = name == "gamma" || name == "tweedie" || name == "poisson" || name == "msle";
    const bool margin = name == "hinge" || name == "squared_hinge" || name == "categorical_hinge";
    const bool share = name == "binary_crossentropy" || name == "binary_focal_crossentropy" ||
                       name == "categorical_crossentropy" || name == "categorical_focal_crossentropy" ||
                       name == "kl_divergence" || name == "dice" || name == "tversky";
    CHECK(loss.restricts_targets() == (deviance || margin || share));
    CHECK(refuses(loss, -1) == (deviance || share));
    CHECK(refuses(loss, -1.01) == (deviance || share || margin));
    CHECK(refuses(loss, 0) == (name == "gamma"));
    CHECK_FALSE(refuses(loss, 1));
    CHECK_FALSE(refuses(loss, 1 + 1e-6));  // rounded in float32
    CHECK(refuses(loss, 1.01) == (share || margin));
    CHECK((std::string_view(loss.target_advice()) != "") == (share || margin));
  }
  for (const double power : {-1., 0., 1., 1.5, 2., 3.}) {
    const Loss loss("tweedie", {{"power", power}});
    CHECK(refuses(loss, -1) == (power > 0));
    CHECK(refuses(loss, 0) == (power >= 2));
  }
}

TEST_CASE("loss: what a batch makes of the mean over its rows") {
  for (const EntryInfo& entry : loss_family().entries) {
    const Loss loss(entry.name);
    const bool root = std::string_view(entry.name) == "rmse";
    CHECK(loss.whole_batch() == root);
    CHECK(loss.finish(9) == (root ? 3 : 9));
    CHECK(loss.finish_slope(9) == doctest::Approx(root ? 1. / 6 : 1));
    CHECK(loss.finish_slope(0) == (root ? 0 : 1));
    CHECK(loss.reduction() == Reduction::mean);
  }
  const auto reduced_to = [](double word) { return Loss("mse", {{"reduction", word}}).reduction(); };
  CHECK(reduced_to(1) == Reduction::sum);
  CHECK(reduced_to(2) == Reduction::mean);
  CHECK(reduced_to(3) == Reduction::weighted_mean);
  CHECK(reduced_to(4) == Reduction::none);
}

TEST_CASE_TEMPLATE("loss: small errors and outputs near their targets keep their digits", T, float, double) {
  const double close = 1e3 * static_cast<double>(std::numeric_limits<T>::epsilon());
  for_each_table<T>([&](const kernels::Kernels<T>& k) {
    const auto value = [&](const Loss& loss, T p, T y) { return one_row<T>(k, loss, false, {p}, {y})[0]; };
    for (const T e : {T(1e-4), T(1e-3), T(0.1)}) {
      const double exact = std::log1p(2 * std::pow(std::sinh(static_cast<double>(e) / 2), 2));
      CHECK(value("log_cosh", e, 0) == doctest::Approx(exact).epsilon(1e-6));
    }
    CHECK(value("log_cosh", T(1e30), 0) == static_cast<double>(T(1e30)));
    for (const double power : {1., 1.0001, 1.5, 1.9999, 2., 2.5}) {
      const Loss loss("tweedie", {{"power", power}});  // (y - p)^2 / p^power to first order
      CHECK(value(loss, T(2), T(2.03125)) ==
            doctest::Approx(std::pow(0.03125, 2) / std::pow(2, power)).epsilon(0.02 + close));
      CHECK(value(loss, T(2), T(2)) == 0);
    }
  });
}
