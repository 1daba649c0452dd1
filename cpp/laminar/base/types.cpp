// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/types.hpp"

#include "laminar/base/error.hpp"

namespace laminar::detail {

void refuse_matrix(Index rows, Index columns) {
  if (rows < 0 || columns < 0) fail("MatrixView: rows and columns must not be negative, got ", rows, " x ", columns);
  fail("MatrixView: data must not be null for ", rows, " x ", columns, " elements");
}

Index whole_rows(std::size_t values, Index columns) {
  if (columns < 1) fail("MatrixView: columns must be at least 1, got ", columns);
  const auto count = static_cast<Index>(values);
  if (count % columns != 0) fail("MatrixView: expected whole rows of ", columns, " values, got ", count, " values");
  return count / columns;
}

void check_range(const char* argument, Index first, Index count, Index held) {
  if (first >= 0 && count >= 0 && first <= held && count <= held - first) return;
  fail("rows_of: first ", first, " and count ", count, " must be among the ", held, " rows of ", argument);
}

}  // namespace laminar::detail
