// SPDX-License-Identifier: Apache-2.0
// What a C++ program may get wrong with pointers, sizes and positions is refused by name.
#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/data/row_source.hpp"
#include "laminar/execution/state.hpp"
#include "laminar/lbfgs.hpp"
#include "laminar/model.hpp"
#include "laminar/training/perceptron.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

TEST_CASE_TEMPLATE("types: a view has whole rows, sizes and memory", T, float, double) {
  const std::vector<T> seven(7);
  const std::span<const T> values(seven);
  using View = MatrixView<const T>;
  CHECK(View(values, 7).rows == 1);
  CHECK(View(values.first(0), 2).rows == 0);
  CHECK(View(nullptr, 0, 3).rows == 0);
  CHECK(without(message_of([&] { View(values, 2); }), {"MatrixView", "whole rows of 2 values", "got 7"}) == "");
  CHECK(without(message_of([&] { View(values, 0); }), {"MatrixView", "columns", "at least 1", "got 0"}) == "");
  CHECK(without(message_of([&] { View(values, -1); }), {"MatrixView", "columns", "at least 1", "got -1"}) == "");
  CHECK(without(message_of([&] { View(seven.data(), -1, 7); }), {"MatrixView", "negative", "got -1 x 7"}) == "");
  CHECK(without(message_of([&] { View(nullptr, 2, 3); }), {"MatrixView", "data must not be null", "2 x 3"}) == "");
}

TEST_CASE_TEMPLATE("types: rows_of takes rows that are there, of every part", T, float, double) {
  const std::vector<T> x(12);
  const std::vector<std::int32_t> labels(4);
  const std::vector<T> weights(3);
  Dataset<T> data{MatrixView<const T>(view(x), 2), {}, {}};
  CHECK(rows_of(data, 2, 4).x.rows == 4);
  CHECK(rows_of(data, 6, 0).x.rows == 0);
  for (const auto& [first, count] : {std::pair<Index, Index>{-1, 2}, {5, 2}, {7, 0}, {0, -1}}) {
    CHECK(without(message_of([&] { rows_of(data, first, count); }),
                  {"rows_of", "first " + std::to_string(first), "count " + std::to_string(count), "6 rows of x"}) ==
          "");
  }
  data.y = Targets<T>(std::span<const std::int32_t>(labels));
  CHECK(without(message_of([&] { rows_of(data, 2, 4); }), {"rows_of", "4 rows of y"}) == "");
  data.y = Targets<T>(MatrixView<const T>(view(x), 3));
  CHECK(without(message_of([&] { rows_of(data, 2, 4); }), {"rows_of", "4 rows of y"}) == "");
  data.y = {};
  data.sample_weight = weights;
  CHECK(without(message_of([&] { rows_of(data, 2, 4); }), {"rows_of", "3 rows of sample_weight"}) == "");

  ArrayRows<T> rows({MatrixView<const T>(view(x), 2), {}, {}});
  CHECK(without(message_of([&] { rows.open(1); }), {"ArrayRows", "part", "from 0 to 0", "got 1"}) == "");
}

TEST_CASE_TEMPLATE("types: what a model and its parts are given has the sizes they ask for", T, float, double) {
  Model<T> model(Network(2, {Dense{.units = 1}}));
  CHECK(without(message_of([&] { model.tensor(2); }), {"tensor: i", "less than", "2", "got 2"}) == "");
  CHECK(without(message_of([] { Model<T>(std::unique_ptr<State<T>>()); }), {"Model", "state must not be null"}) == "");
  const std::vector<T> x(6);
  MatrixView<const T> in(view(x), 2);
  MatrixView<T> out;
  out.rows = 3;
  out.columns = 1;
  CHECK(without(message_of([&] { model.predict(in, out); }), {"predict", "out must not be null"}) == "");
  in.data = nullptr;
  CHECK(without(message_of([&] { model.predict(in, out); }), {"predict", "x must not be null", "3 rows"}) == "");

  std::vector<T> five(5);
  const std::span<T> values(five);
  const RandomStream stream(1, Purpose::initializer, 0, 0);
  std::vector<double> room(5);
  const std::initializer_list<std::string_view> told = {"6 elements", "(2, 3)", "got 5"};
  CHECK(without(message_of([&] { Initializer("ones").fill({2, 3}, stream, room); }), told) == "");
  CHECK(without(message_of([&] { Regularizer("l2").template penalty<T>({2, 3}, values); }), told) == "");
  CHECK(without(message_of([&] { Regularizer("l2").template add_gradient<T>({5}, values, values.first(4)); }),
                {"gradient", "5 elements", "got 4"}) == "");
  CHECK(without(message_of([&] { Constraint("non_neg").template apply<T>({2, 3}, values); }), told) == "");
  CHECK(without(message_of([&] { activate<T>("relu", MatrixView<const T>(values, 5), MatrixView<T>(values, 1)); }),
                {"activation 'relu'", "a must have the shape of z", "(1, 5)", "(5, 1)"}) == "");

  Perceptron<T> perceptron(2, 2);
  perceptron.weights().clear();
  std::vector<T> z(3);
  in = MatrixView<const T>(view(x), 2);
  CHECK(without(message_of([&] { perceptron.decide(in, MatrixView<T>(z.data(), 3, 1)); }),
                {"Perceptron", "2 weights", "got 0"}) == "");
  std::vector<double> start(1);
  CHECK(without(message_of([&] { minimize({}, start); }), {"lbfgs", "function"}) == "");
}
