// SPDX-License-Identifier: Apache-2.0
// Rows of texts and columns of cells as inputs, by the description of a table that a model's file has.
#include "arrays.hpp"
#include "bindings.hpp"
#include "interpreter.hpp"

#include <limits>
#include <optional>
#include <utility>

#include "laminar/files/cells.hpp"
#include "laminar/files/csv_rows.hpp"
#include "laminar/files/table.hpp"

namespace laminar::bindings {
namespace {

/// Fills out, (rows, inputs), and returns what a user should know of the rows.
std::vector<std::string> encode(const Table& table, const std::vector<std::vector<std::string>>& rows, py::array& out) {
  if (out.ndim() != 2 || out.shape(0) != static_cast<py::ssize_t>(rows.size()) || out.shape(1) != table.width()) {
    fail("out: expected shape ", to_string({static_cast<Index>(rows.size()), table.width()}), ", got ",
         to_string(shape_of(out)));
  }
  return with_type(out, [&]<typename T>(T) {
    std::span<T> left = writable_elements<T>(out, "out");
    Unseen unseen;
    std::vector<std::string_view> cells;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      cells.assign(rows[i].begin(), rows[i].end());
      const auto width = static_cast<std::size_t>(table.width());
      try {
        table.encode(cells, left.first(width), &unseen);
      } catch (const std::invalid_argument& e) {
        fail(e.what(), " in row ", i + 1);
      }
      left = left.subspan(width);
    }
    table.check_seen(unseen);
    return table.notes(unseen);
  });
}

/// An array of numbers, or a pair of places and categories.
TableCells cells_of(const py::handle& column) {
  if (py::isinstance<py::tuple>(column)) {
    const auto [places, categories] = column.cast<std::pair<py::array, py::array>>();
    return TableWords{vector<std::int32_t>(places, "places"), vector<std::int32_t>(categories, "categories")};
  }
  const auto numbers = column.cast<py::array>();
  return with_type(numbers, [&]<typename T>(T) -> TableCells { return vector<T>(numbers, "numbers"); });
}

/// Fills out, (rows, inputs), from columns, the first row of which has a number.
void encode_columns(const Table& table, const py::list& columns, Index first_row, py::array& out) {
  TableBlock block{.columns = {}, .first = first_row};
  for (const py::handle& column : columns) block.columns.push_back(cells_of(column));
  with_type(out, [&]<typename T>(T) {
    if (out.ndim() != 2) fail("out: expected 2 axes (rows, inputs), got ", out.ndim());
    const MatrixView<T> inputs(writable_elements<T>(out, "out").data(), out.shape(0), out.shape(1));
    const Unlocked unlocked;
    table.encode(block, inputs);
  });
}

std::size_t end_of_rows(const py::buffer& text, char delimiter) {
  const py::buffer_info bytes = text.request();
  const std::string_view view(static_cast<const char*>(bytes.ptr), static_cast<std::size_t>(bytes.size));
  const Unlocked unlocked;
  return end_of_csv_rows(view, delimiter);
}

/// What texts say that are of a form: numbers, NaN where there is none, and whether another text stands there.
std::pair<py::array_t<double>, py::array_t<bool>> numbers_of(const std::string& form,
                                                             const std::vector<std::string>& cells) {
  const CellForm of = form_from_json(form);
  const auto size = static_cast<py::ssize_t>(cells.size());
  py::array_t<double> numbers(size);
  py::array_t<bool> broken(size);
  double* number = numbers.mutable_data();
  bool* other = broken.mutable_data();
  for (const std::string& text : cells) {
    const std::string_view cell = trimmed(text);
    const bool missing = of.is_missing(cell);
    const std::optional<double> found = missing ? std::nullopt : of.number(cell);
    *other++ = !missing && !found;
    *number++ = found.value_or(std::numeric_limits<double>::quiet_NaN());
  }
  return {std::move(numbers), std::move(broken)};
}

}  // namespace

void bind_table(py::module_& module) {
  py::class_<Table>(module, "Table")
      .def(py::init([](const std::string& text) { return Table::from_json(text); }), py::arg("text"))
      .def("to_json", &Table::to_json)
      .def("encode", &encode, py::arg("rows"), py::arg("out"))
      .def("encode_columns", &encode_columns, py::arg("columns"), py::arg("first_row"), py::arg("out"));
  module.def("end_of_rows", &end_of_rows, py::arg("text"), py::arg("delimiter"));
  module.def("numbers_of", &numbers_of, py::arg("form"), py::arg("cells"));
}

}  // namespace laminar::bindings
