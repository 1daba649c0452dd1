// SPDX-License-Identifier: Apache-2.0
// How a row of a table, texts as a file has them, becomes a model's inputs, and what the outputs mean.
// `laminar train` keeps it as JSON in the model's file; Python reads and writes the same text.
//
// The inputs of a row, column after column:
// - a number, or the mean of the training data where it is missing; with an indicator one more input
//   follows, which is 1 where it is missing and 0 elsewhere;
// - a category as one input for each category, 1 at its own and 0 elsewhere; with an indicator one more
//   follows for all that are none of them. Without it they set no input. Texts that are the same number are
//   the same category: "1", "1.0" and "true".
//
// Several columns may be parts of one of the file: the year of a date, the hour of it.
//
// White space around a cell does not count; what makes a cell missing, and a number, stands in cells.hpp.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/files/cell_form.hpp"

namespace laminar {

/// The key of a table among a model file's attached texts.
inline constexpr const char* kTableText = "table";

/// A column that a model reads.
struct TableColumn {
  enum class Kind { number, category };

  std::string name;
  Kind kind = Kind::number;
  double mean = 0;                           // of numbers, in place of a missing one
  std::vector<std::string> categories = {};  // trimmed, none twice
  bool indicator = false;                    // the last input is for what is missing (or an unknown category)
  std::string source = {};                   // the file's column, where it has another name
  CellForm form = {};                        // how its texts are numbers
  double others = 0;                         // the share of training's values that were none of the categories

  /// The number of its inputs.
  Index width() const;
  /// What the file calls it.
  const std::string& file_name() const { return source.empty() ? name : source; }
  /// What each of them is called: "age", "age missing"; "city=Bonn", "city=(other)".
  std::vector<std::string> inputs() const;
};

/// What a model predicts: a class, or a number where there are no classes.
struct TableTarget {
  std::string name;
  std::vector<std::string> classes = {};
  CellForm form = {};  // of a number, how a file's texts say it
};

/// Cells of a column of categories, as those have them who list each different text once.
struct TableWords {
  std::span<const std::int32_t> places;      // of each cell's word in a list; negative where there is no value
  std::span<const std::int32_t> categories;  // of each word in it: which of the column's, negative where it is none
};

/// Cells of one column: numbers, NaN where there is no value, or words.
using TableCells = std::variant<std::span<const float>, std::span<const double>, TableWords>;

/// Consecutive rows of a file, column by column in the order of a table's. What they are views of must outlive it.
struct TableBlock {
  std::vector<TableCells> columns;
  Index first = 1;  // what errors call its first row
};

/// Cells of some rows that are unlike all that training has seen: categories, and missing numbers in
/// columns where none was missing. Table::encode adds to it.
struct Unseen {
  struct InColumn {
    Index cells = 0;
    std::string first = {};  // of the cells
    Index values = 0;        // of a column of categories, all that are not missing, whether seen or not
  };
  std::vector<InColumn> columns = {};  // as many as the table has, or none yet
};

/// The columns of a table, those that a model reads and the one that it predicts. A value; encoding
/// changes nothing and may be done by many threads.
class Table {
 public:
  /// `header` are the names of all columns of a file; `missing` texts of cells without a value besides
  /// the usual ones. Throws std::invalid_argument where the parts do not fit together.
  Table(std::vector<std::string> header, std::vector<TableColumn> columns, TableTarget target,
        std::vector<std::string> missing = {});
  /// Throws std::invalid_argument where the text is not what to_json writes.
  static Table from_json(std::string_view text);
  std::string to_json() const;

  const std::vector<std::string>& header() const { return header_; }
  const std::vector<TableColumn>& columns() const { return columns_; }
  const TableTarget& target() const { return target_; }
  const std::vector<std::string>& missing() const { return missing_; }

  /// The number of a model's inputs.
  Index width() const { return width_; }
  /// Whether these may be a model's outputs: one for a number or two classes, or one for each class.
  bool suits(Index outputs) const;
  /// What each input is called.
  std::vector<std::string> inputs() const;
  /// The names of the file's columns that a prediction needs, each once.
  std::vector<std::string> needed() const;
  /// For each of columns() where its cell stands among those of a file, which may have more of them in any order.
  /// Throws std::invalid_argument where one is not there, or there twice.
  std::vector<std::size_t> places(std::span<const std::string> names) const;

  /// Fills the inputs, width() of them, from the cells of one row in the order of columns(). Cells that
  /// training has not seen the like of are added to `unseen`. Throws std::invalid_argument, which names
  /// column and cell, where there should be a finite number, or text in UTF-8; and for wrong lengths.
  void encode(std::span<const std::string_view> cells, std::span<float> inputs, Unseen* unseen = nullptr) const;
  void encode(std::span<const std::string_view> cells, std::span<double> inputs, Unseen* unseen = nullptr) const;
  /// Fills the inputs, (rows, width()), of all rows of a block. Throws std::invalid_argument, which names column
  /// and row, where a number is not finite, and where the block does not fit.
  void encode(const TableBlock& block, MatrixView<float> inputs) const;
  void encode(const TableBlock& block, MatrixView<double> inputs) const;
  /// Throws std::invalid_argument where so many rows have categories that training has not seen, and none that it has
  /// seen, that the column must be written in another way, or be another one.
  void check_seen(const Unseen& unseen) const;
  /// A line for each column that has cells that training has not seen.
  std::vector<std::string> notes(const Unseen& unseen) const;

  /// The class that a model's outputs for one row say: the second of two above 0.5, else the class of the
  /// largest output. Throws std::invalid_argument where the target is a number, which the output itself is.
  const std::string& class_of(std::span<const float> outputs) const;
  const std::string& class_of(std::span<const double> outputs) const;

 private:
  template <typename T>
  void encode_row(std::span<const std::string_view> cells, std::span<T> inputs, Unseen* unseen) const;
  template <typename T>
  void encode_rows(const TableBlock& block, MatrixView<T> inputs) const;
  template <typename T>
  void encode_number(std::size_t column, std::string_view cell, std::span<T> inputs, Unseen* unseen) const;
  template <typename T>
  void encode_category(std::size_t column, std::string_view cell, std::span<T> inputs, Unseen* unseen) const;
  template <typename T>
  const std::string& class_of_row(std::span<const T> outputs) const;

  std::vector<std::string> header_;
  std::vector<TableColumn> columns_;
  TableTarget target_;
  std::vector<std::string> missing_;
  std::vector<std::vector<std::size_t>> sorted_;  // of each column its categories by their texts
  // Of each column the categories that are numbers, in their order.
  std::vector<std::vector<std::pair<double, std::size_t>>> numeric_;
  Index width_ = 0;
};

}  // namespace laminar
