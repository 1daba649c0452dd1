// SPDX-License-Identifier: Apache-2.0
// Eigen matrices as laminar's, and back, without a copy. Optional: laminar.hpp does not include it, and
// who does brings Eigen 3.4 himself. laminar reads rows that follow each other without gaps. What has
// another storage order is refused by the compiler, what has gaps throws; row_major() makes a copy of
// either, where one is wanted.
#pragma once

#if !__has_include(<Eigen/Core>)
#error "laminar/eigen.hpp needs Eigen 3.4 among the include folders"
#endif

#include <Eigen/Core>
#include <cstdint>
#include <type_traits>

#include "laminar/base/error.hpp"
#include "laminar/model.hpp"

namespace laminar {

/// The Eigen matrix that lies in memory as laminar's do.
template <typename T>
using RowMatrix = Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

namespace detail {

/// A view of anything that lies in memory, T being its scalar type or that one const.
template <typename T, typename Derived>
MatrixView<T> eigen_view(const Derived& m, T* data) {
  static_assert(Derived::IsRowMajor || Derived::ColsAtCompileTime == 1,
                "laminar reads rows: use laminar::RowMatrix<T>, or laminar::row_major(matrix) for a copy");
  const Index to_next_row = Derived::IsRowMajor ? m.outerStride() : m.innerStride();
  const Index to_next_column = Derived::IsRowMajor ? m.innerStride() : m.outerStride();
  if ((m.rows() > 1 && to_next_row != m.cols()) || (m.cols() > 1 && to_next_column != 1)) {
    fail("view: expected rows that follow each other without gaps, got elements ", to_next_column, " and rows ",
         to_next_row, " apart in a matrix of ", m.cols(), " columns");
  }
  return {data, m.rows(), m.cols()};
}

}  // namespace detail

/// A view of a matrix, or of a vector as one column. It ends with the matrix, or when that is resized.
template <typename Derived>
MatrixView<const typename Derived::Scalar> view(const Eigen::PlainObjectBase<Derived>& matrix) {
  return detail::eigen_view<const typename Derived::Scalar>(matrix.derived(), matrix.data());
}
template <typename Derived>
MatrixView<typename Derived::Scalar> view(Eigen::PlainObjectBase<Derived>& matrix) {
  return detail::eigen_view<typename Derived::Scalar>(matrix.derived(), matrix.data());
}
/// A matrix that ends with this expression would leave the view behind.
template <typename Derived>
void view(const Eigen::PlainObjectBase<Derived>&& matrix) = delete;

/// A view of what an Eigen::Map or a block of rows refers to. Throws std::invalid_argument where its
/// rows have gaps between them.
template <typename Derived>
MatrixView<const typename Derived::Scalar> view(const Eigen::MapBase<Derived, Eigen::ReadOnlyAccessors>& matrix) {
  return detail::eigen_view<const typename Derived::Scalar>(matrix.derived(), matrix.data());
}

/// The same to write to, for example as the output of Model::predict.
template <typename Derived>
MatrixView<typename Derived::Scalar> writable_view(Eigen::MapBase<Derived, Eigen::WriteAccessors>&& matrix) {
  return detail::eigen_view<typename Derived::Scalar>(matrix.derived(), matrix.data());
}
template <typename Derived>
MatrixView<typename Derived::Scalar> writable_view(Eigen::MapBase<Derived, Eigen::WriteAccessors>& matrix) {
  return detail::eigen_view<typename Derived::Scalar>(matrix.derived(), matrix.data());
}

/// A view as an Eigen matrix: Eigen reads, or writes, laminar's memory.
template <typename T>
auto map(MatrixView<T> matrix) {
  using Matrix = RowMatrix<std::remove_const_t<T>>;
  return Eigen::Map<std::conditional_t<std::is_const_v<T>, const Matrix, Matrix>>(matrix.data, matrix.rows,
                                                                                  matrix.columns);
}

/// A copy of any Eigen expression in laminar's order.
template <typename Derived>
RowMatrix<typename Derived::Scalar> row_major(const Eigen::DenseBase<Derived>& matrix) {
  return matrix;
}

/// Targets of a Model<T>: rows of T, or a vector of std::int32_t as class numbers.
template <typename T, typename Derived>
Targets<T> targets(const Eigen::PlainObjectBase<Derived>& y) {
  using Scalar = typename Derived::Scalar;
  if constexpr (std::is_same_v<Scalar, std::int32_t>) {
    static_assert(Derived::IsVectorAtCompileTime, "class numbers are a vector");
    return std::span<const std::int32_t>(y.data(), static_cast<std::size_t>(y.size()));
  } else {
    static_assert(std::is_same_v<Scalar, T>, "targets have the model's scalar type, or are std::int32_t");
    return view(y);
  }
}
/// A matrix that ends with this expression would leave the targets behind.
template <typename T, typename Derived>
void targets(const Eigen::PlainObjectBase<Derived>&& y) = delete;

/// Outputs of the model, a row for each row of x, which is whatever view() takes, or a temporary matrix.
template <typename T, typename Derived>
RowMatrix<T> predict(const Model<T>& model, const Eigen::DenseBase<Derived>& x) {
  static_assert(std::is_same_v<typename Derived::Scalar, T>, "x has the model's scalar type");
  static_assert((int(Derived::Flags) & Eigen::DirectAccessBit) != 0,
                "x is computed when it is read: laminar::row_major(x) does that first");
  RowMatrix<T> out(x.rows(), model.network().outputs());
  model.predict(detail::eigen_view<const T>(x.derived(), x.derived().data()), view(out));
  return out;
}

}  // namespace laminar
