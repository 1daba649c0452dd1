// SPDX-License-Identifier: Apache-2.0
// Layers, losses and metrics that are programs: against the built-in ones that they repeat, against central
// differences, and with the same bits for any number of threads.
#include "folder.hpp"
#include "heads.hpp"
#include "laminar/files/config.hpp"
#include "laminar/graph/layers/operations.hpp"
#include "laminar/model_file.hpp"
#include "layers.hpp"
#include "own_parts.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

using Op = Operation;

Symbol huber(const Symbol& y, const Symbol& f) {
  const Symbol e = f - y;
  const Symbol size = abs(e);
  return where(less_equal(size, 1), square(e) * 0.5, size - 0.5);
}

Loss own_huber() { return own_loss("mine", {2}, {2}, huber); }

/// How far a row is off, and for each row how far the batch's mean is.
Loss own_mixing() {
  return own_loss("mine", {2}, {2}, [](const Symbol& y, const Symbol& f) {
    const Symbol e = f - y;
    return square(e) + square(mean(e, {0}, true));
  });
}

template <typename T>
struct Rows {
  std::vector<T> x;
  std::vector<T> y;
  std::vector<T> weights;
  Index features;
  Index outputs;

  Rows(Index rows, Index features_, Index outputs_)
      : x(draws<T>(rows * features_, -2, 2, 3)),
        y(draws<T>(rows * outputs_, -2, 2, 4)),
        weights(draws<T>(rows, 0, 2, 5)),
        features(features_),
        outputs(outputs_) {}
  Dataset<T> data(bool weighted = false) const {
    Dataset<T> data;
    data.x = {view(x), features};
    data.y = Targets<T>(MatrixView<const T>(view(y), outputs));
    if (weighted) data.sample_weight = view(weights);
    return data;
  }
};

/// The weights after some epochs on so many threads.
template <typename T>
std::vector<T> trained(const Network& network, const Loss& loss, const Dataset<T>& data, int threads,
                       const Optimizer& optimizer = "adam") {
  const Threads use(threads);
  Model<T> model(network, 3);
  model.compile(loss, optimizer, {"mae"});
  FitOptions<T> options;
  options.epochs = 2;
  options.batch_size = 50;
  model.fit(data, options);
  return {model.parameters().begin(), model.parameters().end()};
}

}  // namespace

TEST_CASE_TEMPLATE("own layers: a dense one trains as the built-in one does", T, float, double) {
  for (const Index width : {1, 15, 33, 130}) {
    const Rows<T> rows(120, 6, 2);
    const Network own(6, {own_dense(6, width, "a"), own_dense(width, 2, "b")});
    const Network known(6, {Dense{.units = width, .activation = "tanh", .name = "a"},
                            Dense{.units = 2, .activation = "tanh", .name = "b"}});
    CHECK(difference(trained(own, "mse", rows.data(), 1), trained(known, "mse", rows.data(), 1),
                     std::is_same_v<T, float> ? 2e-4 : 1e-12) == "");
  }
}

TEST_CASE("own layers: gradients by weights and inputs are central differences") {
  const Rows<double> rows(9, 14, 2);
  Model<double> model(own_network(), 2);
  model.compile("mse", "sgd");
  CHECK(gradient_error(model, rows.data(true)) < 1e-6);
  const std::vector<double> d_out = draws<double>(18, -1, 1, 6);
  std::vector<double> d_x(rows.x.size());
  model.backward(rows.data().x, {view(d_out), 2}, {}, MatrixView<double>(d_x, 14));
  std::vector<double> x = rows.x;
  std::vector<double> out(18);
  const auto value = [&] {
    model.predict({view(x), 14}, MatrixView<double>(out, 2));
    double sum = 0;
    for (std::size_t i = 0; i < out.size(); ++i) sum += out[i] * d_out[i];
    return sum;
  };
  std::vector<double> expected;
  for (double& each : x) {
    const double was = each;
    each = was + 1e-6;
    const double above = value();
    each = was - 1e-6;
    expected.push_back((above - value()) / 2e-6);
    each = was;
  }
  CHECK(difference(d_x, expected, 1e-6) == "");
}

TEST_CASE_TEMPLATE("own parts: the same bits for any number of threads", T, float, double) {
  const Rows<T> rows(230, 14, 2);
  for (const Loss& loss : {Loss("mse"), own_huber(), own_mixing()}) {
    for (const char* rule : {"adam", "lamb"}) {
      const auto one = trained(own_network(), loss, rows.data(true), 1, rule);
      for (const int threads : {2, 3, 4, 8}) {
        CHECK(bit_difference(trained(own_network(), loss, rows.data(true), threads, rule), one) == "");
      }
    }
  }
}

namespace {

/// A network whose second layer adds to the loss: its values' mean square times `mean`, the sum of the squares of what
/// it gives on times `sum`, and a weight's.
Network adding_network(double mean_factor, double sum_factor) {
  const Operations adding = own_layer(
      {{33}},
      [&](OwnLayer& l) {
        const Symbol gain = l.weight("gain", {33}, "ones");
        const Symbol out = l.input() * gain;
        if (mean_factor != 0) l.add_loss(mean_factor * square(l.input()));
        if (sum_factor != 0) l.add_summed_loss(sum_factor * square(out) * gain);
        return out;
      },
      "adding");
  return Network(14, {own_dense(14, 33, "first"), adding, own_dense(33, 2, "last")});
}

/// The loss that a model reports of rows that it does not learn from.
double loss_of(const Network& network, const Dataset<double>& data) {
  Model<double> model(network, 2);
  model.compile("mse", "sgd");
  return model.evaluate(data)[0];
}

}  // namespace

TEST_CASE("added losses: their mean and their sum come on top, with their gradients") {
  const Rows<double> rows(9, 14, 2);
  const double none = loss_of(adding_network(0, 0), rows.data());
  Model<double> first(Network(14, {own_dense(14, 33, "first")}), 2);
  std::vector<double> hidden(9 * 33);
  first.predict(rows.data().x, MatrixView<double>(hidden, 33));
  double sum = 0;
  for (const double h : hidden) sum += h * h;
  CHECK(loss_of(adding_network(3, 0), rows.data()) == doctest::Approx(none + 3 * sum / (9 * 33)).epsilon(1e-12));
  CHECK(loss_of(adding_network(0, 0.5), rows.data()) == doctest::Approx(none + 0.5 * sum).epsilon(1e-12));
  Model<double> model(adding_network(3, 0.5), 2);
  model.compile("mse", "sgd");
  CHECK(gradient_error(model, rows.data(true)) < 1e-6);
  const double before = model.evaluate(rows.data())[0];
  CHECK(model.train_on_batch(rows.data())[0] == doctest::Approx(before).epsilon(1e-12));
  std::vector<double> out(18);  // a vjp is of the outputs alone
  std::vector<double> d_x(rows.x.size());
  std::vector<double> d_x_without(rows.x.size());
  const std::vector<double> d_out = draws<double>(18, -1, 1, 6);
  for (auto* to : {&d_x, &d_x_without}) {
    Model<double> fresh(to == &d_x ? adding_network(3, 0.5) : adding_network(0, 0), 2);
    fresh.backward(rows.data().x, {view(d_out), 2}, {}, MatrixView<double>(*to, 14));
  }
  CHECK(bit_difference(d_x, d_x_without) == "");
}

TEST_CASE_TEMPLATE("added losses: the same bits for any number of threads, and in files", T, float, double) {
  const Rows<T> rows(230, 14, 2);
  const Network network = adding_network(0.3, 0.01);
  const auto one = trained(network, "mse", rows.data(true), 1);
  CHECK(bit_difference(trained(adding_network(0, 0), "mse", rows.data(true), 1), one) != "");
  CHECK(bit_difference(trained(network_from_json(to_json(network)), "mse", rows.data(true), 1), one) == "");
  for (const int threads : {2, 3, 4, 8}) {
    CHECK(bit_difference(trained(network, "mse", rows.data(true), threads), one) == "");
  }
}

TEST_CASE_TEMPLATE("own losses: one that is Huber's is Huber's, with its metric", T, float, double) {
  const Rows<T> rows(130, 14, 2);
  const auto logs = [&](const Loss& loss, const Metric& metric, bool weighted) {
    Model<T> model(own_network(), 5);
    model.compile(loss, "adam", {metric});
    for (int i = 0; i < 3; ++i) model.train_on_batch(rows.data(weighted));
    return model.evaluate(rows.data(weighted));
  };
  for (const bool weighted : {false, true}) {
    const Metric own = own_metric("mine", {2}, {2}, huber);
    CHECK(difference(logs(own_huber(), own, weighted), logs("huber", "huber", weighted), 1e-6) == "");
  }
}

TEST_CASE("own losses: gradients of one that looks at all rows are central differences") {
  const Rows<double> rows(70, 14, 2);
  Model<double> model(own_network(), 2);
  model.compile(own_mixing(), "sgd");
  CHECK(gradient_error(model, rows.data(true)) < 1e-6);
}

TEST_CASE("own losses: rows that miss their targets count for nothing") {
  Rows<double> rows(90, 14, 2);
  for (const std::size_t row : {0U, 7U, 64U, 89U}) rows.y[2 * row + 1] = kNan<double>;
  Rows<double> present = rows;
  present.x.clear();
  present.y.clear();
  for (std::size_t row = 0; row < 90; ++row) {
    if (std::isnan(rows.y[2 * row + 1])) continue;
    present.x.insert(present.x.end(), rows.x.begin() + static_cast<std::ptrdiff_t>(14 * row),
                     rows.x.begin() + static_cast<std::ptrdiff_t>(14 * row + 14));
    present.y.insert(present.y.end(), {rows.y[2 * row], rows.y[2 * row + 1]});
  }
  Model<double> model(own_network(), 5);
  model.compile(own_huber(), "sgd", {}, true);
  std::vector<double> some(as_size(model.network().parameters().size()));
  std::vector<double> all = some;
  const double loss = model.loss_and_gradients(rows.data(), some);
  CHECK(loss == doctest::Approx(model.loss_and_gradients(present.data(), all)));
  CHECK(difference(some, all, 1e-12) == "");
  CHECK_THROWS_WITH(model.compile(own_mixing(), "sgd", {}, true), doctest::Contains("looks at all rows of a batch"));
}

TEST_CASE("own losses: targets may have other widths than the outputs") {
  const Loss loss = own_loss("mine", {1}, {2}, [](const Symbol& y, const Symbol& f) {
    return square(slice(f, 1, 0, 1) - y) + square(slice(f, 1, 1, 2));
  });
  const Rows<double> rows(40, 14, 1);
  Model<double> model(own_network(), 5);
  model.compile(loss, "sgd");
  CHECK(gradient_error(model, rows.data()) < 1e-6);
  CHECK(model.evaluate(rows.data())[0] > 0);
  CHECK_THROWS_WITH(model.evaluate(Rows<double>(4, 14, 2).data()), doctest::Contains("the loss 'mine' takes 1"));
  CHECK_THROWS_WITH(model.compile(loss, "sgd", {"mae"}), doctest::Contains("compares targets with as many"));
}

TEST_CASE_TEMPLATE("own kernels: one that is a built-in activation trains as it does", T, float, double) {
  const Rows<T> rows(120, 6, 2);
  const auto network = [](const auto& activate) {
    const Operations middle =
        own_layer({{6}}, [&](OwnLayer& l) { return activate(matmul(l.input(), l.weight("w", {6, 19}))); });
    return Network(6, {middle, Dense{.units = 2}});
  };
  const Network own = network([](const Symbol& x) { return call(softsign_kernel(), {x}); });
  const Network known = network([](const Symbol& x) { return x / (abs(x) + 1); });
  const auto expected = trained(own, "mse", rows.data(), 1);
  CHECK(difference(expected, trained(known, "mse", rows.data(), 1), std::is_same_v<T, float> ? 1e-4 : 1e-12) == "");
  for (const int threads : {2, 3}) CHECK(bit_difference(trained(own, "mse", rows.data(), threads), expected) == "");
  CHECK(to_json(network_from_json(to_json(own))) == to_json(own));
  CHECK_THROWS_WITH(function_of("nobody's"), doctest::Contains("is code, which no file holds"));
}

TEST_CASE("own layers: gradients of one that looks at all rows are central differences") {
  const Network network(5, {Dense{.units = 7, .activation = "tanh"}, own_centred(7), Dense{.units = 2}});
  for (const Index rows : {1, 2, 33, 130}) check_gradient(network, rows);
}

TEST_CASE_TEMPLATE("own layers: one that looks at all rows has the same bits for any number of threads", T, float,
                   double) {
  const Rows<T> rows(120, 6, 2);
  const Network network(6, {Dense{.units = 33}, own_centred(33), Dense{.units = 2}});
  const auto expected = trained(network, "mse", rows.data(), 1);
  for (const int threads : {2, 3, 8})
    CHECK(bit_difference(trained(network, "mse", rows.data(), threads), expected) == "");
  Model<T> model(network, 3);
  const auto all = predictions(model, rows.data().x);  // each row by itself
  std::vector<T> single(2);
  model.predict({rows.x.data() + 6 * 7, 1, 6}, {single.data(), 1, 2});
  CHECK(bit_difference(std::span<const T>(single), std::span<const T>(all).subspan(14, 2)) == "");
}

TEST_CASE_TEMPLATE("own rules: those that are built-in ones train as these", T, float, double) {
  const Rows<T> rows(120, 6, 2);
  const Shape shape{6, 19};
  const auto network = [&](const Regularizer& regularizer, const Constraint& constraint) {
    return Network(
        6, {Dense{.units = 19, .kernel_regularizer = regularizer, .kernel_constraint = constraint}, Dense{.units = 2}});
  };
  const Network known = network(Regularizer("l2", {{"l2", 0.5}}), "non_neg");
  const Network own = network(own_regularizer("mine", shape, [](const Symbol& w) { return sum(square(w)) * 0.5; }),
                              own_constraint("above", shape, [](const Symbol& w) { return maximum(w, 0); }));
  const double tolerance = std::is_same_v<T, float> ? 1e-4 : 1e-12;
  const auto expected = trained(own, "mse", rows.data(), 1);
  CHECK(difference(expected, trained(known, "mse", rows.data(), 1), tolerance) == "");
  for (const int threads : {2, 3, 8}) {
    CHECK(bit_difference(trained(own, "mse", rows.data(), threads), expected) == "");
  }
  Model<T> model(own, 3);
  Model<T> other(known, 3);
  model.compile("mse", "sgd");
  other.compile("mse", "sgd");
  CHECK(model.evaluate(rows.data())[0] == doctest::Approx(other.evaluate(rows.data())[0]).epsilon(1e-6));
  CHECK(format_of(own) == 2);
  const Network again = network_from_json(to_json(own));
  CHECK(to_json(again) == to_json(own));
  CHECK(bit_difference(trained(again, "mse", rows.data(), 1), expected) == "");
}

TEST_CASE("own rules: what cannot be is refused, and says why") {
  const auto network = [](const Regularizer& regularizer) {
    return Network(4, {Dense{.units = 2, .kernel_regularizer = regularizer}});
  };
  CHECK_THROWS_WITH(network(own_regularizer("mine", {3, 2}, [](const Symbol& w) { return sum(abs(w)); })),
                    doctest::Contains("mine: was made for a tensor of shape (3, 2), got (4, 2)"));
  CHECK_THROWS_WITH(own_regularizer("mine", {3, 2}, [](const Symbol& w) { return square(w); }),
                    doctest::Contains("must return one number, of shape (), got (3, 2)"));
  CHECK_THROWS_WITH(own_regularizer("mine", {3, 2}, [](const Symbol& w) { return sum(stop_gradient(w)); }),
                    doctest::Contains("no gradient leads from its value back to the weight"));
  CHECK_THROWS_WITH(own_constraint("mine", {3, 2}, [](const Symbol& w) { return sum(w, {0}); }),
                    doctest::Contains("must return what takes the weight's place, of shape (3, 2), got (2"));
  CHECK_THROWS_WITH(
      Network(3, {Dense{.units = 2,
                        .activity_regularizer = own_regularizer("mine", {3}, [](const Symbol& w) { return sum(w); })}}),
      doctest::Contains("activity_regularizer must be l1, l2 or l1_l2, got 'mine'"));
}

TEST_CASE("own parts: what cannot be is refused, and says why") {
  const auto layer = [](const auto& write) {
    Operations made;
    made.program.outputs = {write(made.program, made.program.add_input({kBatch, 3}))};
    return Network(3, {made});
  };
  CHECK_THROWS_WITH(layer([](Program& p, int x) { return p.add(Op::subtract, {x, p.add(Op::sum, {x}, {0})}); }),
                    doctest::Contains("brings together rows of a batch"));
  CHECK_THROWS_WITH(layer([](Program& p, int x) { return p.add(Op::reshape, {p.add(Op::sum, {x}, {1})}, {kBatch}); }),
                    doctest::Contains("must give a value for each row"));
  CHECK_THROWS_WITH(layer([](Program& p, int) { return p.add_input({kBatch, 3}); }),
                    doctest::Contains("reads 2 values"));
  CHECK_THROWS_WITH(Network(4, {own_dense(3, 2, "a")}), doctest::Contains("was made for values of shape (None, 3)"));
  Operations nameless = own_dense(3, 2, "a");
  nameless.weights.pop_back();
  CHECK_THROWS_WITH(Network(3, {nameless}), doctest::Contains("program of 2 weights, got 1"));
  Operations same = own_dense(3, 2, "a");
  same.weights[1].name = "kernel";
  CHECK_THROWS_WITH(Network(3, {same}), doctest::Contains("two weights are named 'kernel'"));
  Operations two = own_dense(3, 2, "a");
  two.program.outputs.push_back(two.program.outputs[0]);
  CHECK_THROWS_WITH(Network(3, {two}), doctest::Contains("has one output, or 3"));
  two.program.outputs.push_back(two.program.outputs[0]);
  CHECK_THROWS_WITH(Network(3, {two}), doctest::Contains("adds a loss that must be one number a row"));
  CHECK_THROWS_WITH(own_layer({{3}},
                              [](OwnLayer& l) {
                                l.add_loss(Symbol(1));
                                return l.input();
                              }),
                    doctest::Contains("add_loss: takes a number for each row"));
  const auto loss = [](const auto& write) { return own_loss("mine", {2}, {2}, write); };
  CHECK_THROWS_WITH(loss([](const Symbol&, const Symbol&) { return Symbol(1); }),
                    doctest::Contains("one number a row"));
  CHECK_THROWS_WITH(loss([](const Symbol&, const Symbol& f) { return transpose(f, {1, 0}); }),
                    doctest::Contains("one number a row"));
  CHECK_THROWS_WITH(loss([](const Symbol& y, const Symbol& f) { return stop_gradient(f) - y; }),
                    doctest::Contains("no gradient leads from its value back"));
  CHECK_THROWS_WITH(
      loss([](const Symbol& y, const Symbol& f) { return f - reshape(y, {kBatch, 1, 2}) + Symbol(2) * 3; }),
      doctest::Contains("got numbers alone"));
  Symbol outside(0);
  own_layer({{2}}, [&](OwnLayer& l) { return outside = l.input(); });
  CHECK_THROWS_WITH(own_layer({{2}}, [&](OwnLayer& l) { return l.input() + outside; }),
                    doctest::Contains("belongs to another program"));
}

TEST_CASE("own parts: files hold them, and training goes on to the same bits") {
  const Rows<float> rows(64, 14, 2);
  Model<float> model(own_network(), 5);
  model.compile({{.loss = own_huber(), .metrics = {"mae"}}}, "adam");
  model.train_on_batch(rows.data());
  const Network again = network_from_json(to_json(model.network()));
  CHECK(to_json(again) == to_json(model.network()));
  CHECK(format_of(model.network()) == 2);
  const std::vector<Head> heads = heads_from_json(to_json(std::vector<Head>{{.loss = own_huber()}}));
  CHECK(to_json(heads) == to_json(std::vector<Head>{{.loss = own_huber()}}));
  const Folder folder;
  save_model(model, folder / "own.safetensors");
  Model<float> loaded = load_model<float>(folder / "own.safetensors");
  CHECK(bit_difference(loaded.parameters(), model.parameters()) == "");
  CHECK(loaded.train_on_batch(rows.data()) == model.train_on_batch(rows.data()));
  CHECK(bit_difference(loaded.parameters(), model.parameters()) == "");
}
