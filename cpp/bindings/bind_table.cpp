// SPDX-License-Identifier: Apache-2.0
// Rows of texts as inputs, by the description of a table that a model's file has.
#include "arrays.hpp"
#include "bindings.hpp"

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
    return table.notes(unseen);
  });
}

}  // namespace

void bind_table(py::module_& module) {
  py::class_<Table>(module, "Table")
      .def(py::init([](const std::string& text) { return Table::from_json(text); }), py::arg("text"))
      .def("to_json", &Table::to_json)
      .def("encode", &encode, py::arg("rows"), py::arg("out"));
}

}  // namespace laminar::bindings
