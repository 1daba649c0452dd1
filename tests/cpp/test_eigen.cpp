// SPDX-License-Identifier: Apache-2.0
// Eigen's matrices and laminar's share their memory, or are refused.
#include "laminar/eigen.hpp"

#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

template <typename T>
RowMatrix<T> numbers(Index rows, Index columns) {
  const auto values = draws<T>(rows * columns, -1, 1);
  return Eigen::Map<const RowMatrix<T>>(values.data(), rows, columns);
}

template <typename T>
std::span<const T> elements(const RowMatrix<T>& matrix) {
  return {matrix.data(), as_size(matrix.size())};
}

}  // namespace

TEST_CASE_TEMPLATE("eigen: a view is the matrix's memory", T, float, double) {
  RowMatrix<T> matrix = numbers<T>(5, 3);
  MatrixView<T> writable = view(matrix);
  CHECK(writable.data == matrix.data());
  CHECK(writable.rows == 5);
  CHECK(writable.columns == 3);
  const MatrixView<const T> read = view(std::as_const(matrix));
  CHECK(read.data == matrix.data());
  CHECK(map(writable).data() == matrix.data());
  map(writable)(4, 2) = 9;
  CHECK(matrix(4, 2) == 9);
  CHECK(map(read) == matrix);

  const Eigen::Matrix<T, Eigen::Dynamic, 1> column = matrix.col(1);
  CHECK(view(column).rows == 5);
  CHECK(view(column).columns == 1);
  const Eigen::Matrix<T, 1, Eigen::Dynamic> row = matrix.row(1);
  CHECK(view(row).rows == 1);
  CHECK(view(row).columns == 3);
}

TEST_CASE("eigen: blocks of rows and maps are views, what has gaps is refused") {
  RowMatrix<float> matrix = numbers<float>(6, 4);
  CHECK(view(matrix.middleRows(2, 3)).data == matrix.data() + 8);
  CHECK(view(matrix.middleRows(2, 3)).rows == 3);
  CHECK(view(matrix.row(5)).columns == 4);
  CHECK(writable_view(matrix.bottomRows(1)).data == matrix.data() + 20);
  CHECK(view(Eigen::Map<const RowMatrix<float>>(matrix.data(), 3, 8)).columns == 8);
  CHECK(view(matrix.block(1, 1, 1, 2)).columns == 2);  // one row has no gap

  const auto message = message_of([&] { view(matrix.leftCols(2)); });
  CHECK(message ==
        "view: expected rows that follow each other without gaps, got elements 1 and rows 4 apart in a matrix of 2 "
        "columns");
  CHECK_THROWS_AS(view(matrix.col(0)), std::invalid_argument);
  const Eigen::Map<const Eigen::VectorXf, 0, Eigen::InnerStride<2>> every_other(matrix.data(), 5);
  CHECK_THROWS_AS(view(every_other), std::invalid_argument);
}

TEST_CASE_TEMPLATE("eigen: predict and fit give the bits of the plain interface", T, float, double) {
  const Network network(4, {Dense{.units = 9, .activation = "tanh"}, Dense{.units = 3, .activation = "softmax"}});
  const RowMatrix<T> x = numbers<T>(20, 4);
  Model<T> model(network, 5);
  std::vector<T> expected(as_size(20 * 3));
  model.predict({elements(x), 4}, {expected, 3});
  CHECK(bit_difference(elements(predict(model, x)), view(expected)) == "");
  CHECK(predict(model, x.middleRows(3, 2)) == map(MatrixView<const T>(expected.data() + 9, 2, 3)));

  const Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic> columns = x;  // Eigen's own order
  CHECK(predict(model, row_major(columns)) == predict(model, x));
  CHECK(predict(model, row_major(columns * T(2))) == predict(model, row_major(x * T(2))));
  CHECK_THROWS_AS(predict(model, x.leftCols(3)), std::invalid_argument);
  CHECK_THROWS_AS(predict(model, numbers<T>(2, 3)), std::invalid_argument);

  Eigen::VectorX<std::int32_t> labels(20);
  for (int i = 0; i < 20; ++i) labels[i] = i % 3;
  Model<T> other(network, 5);
  for (Model<T>* m : {&model, &other}) m->compile("sparse_categorical_crossentropy", "adam");
  model.fit({view(x), targets<T>(labels), {}}, {.epochs = 3});
  other.fit({{elements(x), 4}, std::span<const std::int32_t>(labels.data(), 20), {}}, {.epochs = 3});
  CHECK(bit_difference(model.parameters(), other.parameters()) == "");

  const RowMatrix<T> y = numbers<T>(20, 3);
  for (Model<T>* m : {&model, &other}) m->compile("mse", "adam");
  model.fit({view(x), targets<T>(y), {}}, {.epochs = 3});
  other.fit({{elements(x), 4}, Targets<T>({elements(y), 3}), {}}, {.epochs = 3});
  CHECK(bit_difference(model.parameters(), other.parameters()) == "");
}
