// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/table.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "laminar/base/error.hpp"
#include "laminar/files/cells.hpp"
#include "laminar/files/json_members.hpp"
#include "laminar/files/table_inputs.hpp"

namespace laminar {
namespace {

constexpr Index kFormat = 1;
constexpr Index kFormatWithForms = 2;  // what an older laminar would read wrongly

// Fewer than about five values that are all unseen may be so by chance.
constexpr double kLeastOthers = 0.05;
constexpr double kUnlikely = 1e-6;

std::string_view name_of(TableColumn::Kind kind) { return kind == TableColumn::Kind::number ? "number" : "category"; }

/// Positions in the order of the texts, which are UTF-8 and all different.
std::vector<std::size_t> sorted(const std::vector<std::string>& texts, const std::string& what) {
  std::vector<std::size_t> places(texts.size());
  std::iota(places.begin(), places.end(), std::size_t{0});
  std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return texts[a] < texts[b]; });
  for (std::size_t i = 0; i < places.size(); ++i) {
    const std::string& text = texts[places[i]];
    if (!is_utf8(text)) fail(what, " must be text in UTF-8");
    if (i > 0 && text == texts[places[i - 1]]) fail(what, " has '", text, "' twice");
  }
  return places;
}

bool contains(const std::vector<std::string>& texts, const std::string& text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

void check_column(const TableColumn& column) {
  const bool number = column.kind == TableColumn::Kind::number;
  if (!(std::abs(column.mean) < kLargestCell)) {
    fail("column '", column.name, "' must have a finite mean, got ", column.mean);
  }
  for (const std::string& category : column.categories) {
    if (trimmed(category) != category) fail("column '", column.name, "' has the category '", category, "' with spaces");
  }
  if (number != column.categories.empty()) {
    fail("column '", column.name, "' of kind ", name_of(column.kind), " has ", column.categories.size(), " categories");
  }
  check_form(column.form);
  if (!number && column.form != CellForm{}) fail("column '", column.name, "' of categories must not have a form");
  if (!(column.others >= 0 && column.others <= 1)) {
    fail("column '", column.name, "': others must be a share, got ", column.others);
  }
}

/// The categories that are numbers, in their order; of those that are the same the first.
std::vector<std::pair<double, std::size_t>> numeric(const std::vector<std::string>& categories) {
  std::vector<std::pair<double, std::size_t>> found;
  for (std::size_t i = 0; i < categories.size(); ++i) {
    if (const std::optional<double> number = cell_number(categories[i])) found.emplace_back(*number, i);
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// What the cells of a column of numbers are called.
std::string_view held(const TableColumn& column) {
  using Form = CellForm::Kind;
  switch (column.form.kind) {
    case Form::date:
      return "dates";
    case Form::time:
      return "times of day";
    case Form::duration:
      return "durations";
    case Form::plain:
    case Form::amount:
      break;
  }
  return "numbers";
}

bool is_simple(const TableColumn& column) {
  return column.source.empty() && column.form == CellForm{} && column.others == 0;
}

template <typename Value>
Value required(Members& members, const char* key) {
  members.require(key);
  Value value{};
  members.read(key, value);
  return value;
}

const Json& required_list(Members& members, const char* key) {
  const Json& list = members.require(key);
  if (!list.is_array()) fail(members.owner(), ": '", key, "' must be a list, got ", list.type_name());
  return list;
}

TableColumn column_from(const Json& json, const std::string& owner) {
  Members members(json, owner);
  TableColumn column{.name = members.text("name")};
  const std::string kind = members.text("kind");
  if (kind == name_of(TableColumn::Kind::category)) {
    column.kind = TableColumn::Kind::category;
  } else if (kind != name_of(TableColumn::Kind::number)) {
    fail(owner, ": ", unknown_name("kind", kind, {"number", "category"}));
  }
  column.mean = required<double>(members, "mean");
  column.categories = members.texts("categories");
  column.indicator = required<bool>(members, "indicator");
  members.read("source", column.source);
  members.read("others", column.others);
  if (const Json* form = members.find("form")) column.form = form_from_json(form->dump());
  members.finish();
  return column;
}

TableTarget target_from(const Json& json) {
  Members members(json, "target");
  TableTarget target{members.text("name"), members.texts("classes")};
  const std::string kind = members.text("kind");
  if (kind != "number" && kind != "class") fail("target: ", unknown_name("kind", kind, {"number", "class"}));
  if ((kind == "number") != target.classes.empty()) {
    fail("target: of kind ", kind, " with ", target.classes.size(), " classes");
  }
  if (const Json* form = members.find("form")) target.form = form_from_json(form->dump());
  members.finish();
  return target;
}

}  // namespace

Index TableColumn::width() const {
  const std::size_t values = kind == Kind::number ? 1 : categories.size();
  return static_cast<Index>(values) + (indicator ? 1 : 0);
}

std::vector<std::string> TableColumn::inputs() const {
  std::vector<std::string> names;
  if (kind == Kind::number) names.push_back(name);
  for (const std::string& category : categories) names.push_back(name + "=" + category);
  if (indicator) names.push_back(name + (kind == Kind::number ? " missing" : "=(other)"));
  return names;
}

Table::Table(std::vector<std::string> header, std::vector<TableColumn> columns, TableTarget target,
             std::vector<std::string> missing)
    : header_(std::move(header)),
      columns_(std::move(columns)),
      target_(std::move(target)),
      missing_(std::move(missing)) {
  sorted(header_, "the header");
  sorted(missing_, "the list of missing values");
  sorted(target_.classes, "the target");
  if (columns_.empty()) fail("a table must have columns that a model reads");
  if (!contains(header_, target_.name)) fail("the header lacks the target '", target_.name, "'");
  if (target_.classes.size() == 1) fail("the target has the single class '", target_.classes[0], "'");
  for (const TableColumn& column : columns_) {
    if (!contains(header_, column.file_name())) fail("the header lacks column '", column.file_name(), "'");
    if (column.file_name() == target_.name) fail("column '", column.name, "' is the target");
    check_column(column);
    numeric_.push_back(numeric(column.categories));
    sorted_.push_back(sorted(column.categories, "column '" + column.name + "'"));
    width_ += column.width();
  }
  std::vector<std::string> names;
  for (const TableColumn& column : columns_) names.push_back(column.name);
  sorted(names, "the list of columns");
}

Table Table::from_json(std::string_view text) {
  try {
    const Json json = parse_json(text, "table");
    Members members(json, "table");
    if (const auto format = required<Index>(members, "format"); format != kFormat && format != kFormatWithForms) {
      fail("its format is ", format, ", this laminar reads ", kFormat, " and ", kFormatWithForms);
    }
    std::vector<TableColumn> columns;
    for (const Json& column : required_list(members, "columns")) {
      columns.push_back(column_from(column, "column " + std::to_string(columns.size())));
    }
    Table table(members.texts("header"), std::move(columns), target_from(members.require("target")),
                members.texts("missing"));
    members.finish();
    return table;
  } catch (const std::invalid_argument& e) {
    fail("the description of a table is damaged: ", e.what());
  }
}

std::string Table::to_json() const {
  Json columns = Json::array();
  for (const TableColumn& column : columns_) {
    Json made = {{"name", column.name},
                 {"kind", name_of(column.kind)},
                 {"mean", column.mean},
                 {"categories", column.categories},
                 {"indicator", column.indicator}};
    if (!column.source.empty()) made["source"] = column.source;
    if (column.form != CellForm{}) made["form"] = Json::parse(laminar::to_json(column.form));
    if (column.others > 0) made["others"] = column.others;
    columns.push_back(std::move(made));
  }
  const bool simple = target_.form == CellForm{} && std::all_of(columns_.begin(), columns_.end(), is_simple);
  const Index format = simple ? kFormat : kFormatWithForms;
  Json target = {
      {"name", target_.name}, {"kind", target_.classes.empty() ? "number" : "class"}, {"classes", target_.classes}};
  if (target_.form != CellForm{}) target["form"] = Json::parse(laminar::to_json(target_.form));
  return Json{{"format", format}, {"header", header_}, {"missing", missing_}, {"columns", columns}, {"target", target}}
      .dump();
}

bool Table::suits(Index outputs) const {
  const auto classes = static_cast<Index>(target_.classes.size());
  return outputs == 1 ? classes == 0 || classes == 2 : outputs == classes;
}

std::vector<std::string> Table::inputs() const {
  std::vector<std::string> names;
  for (const TableColumn& column : columns_) {
    for (std::string& name : column.inputs()) names.push_back(std::move(name));
  }
  return names;
}

std::vector<std::string> Table::needed() const {
  std::vector<std::string> names;
  for (const TableColumn& column : columns_) {
    if (!contains(names, column.file_name())) names.push_back(column.file_name());
  }
  return names;
}

std::vector<std::size_t> Table::places(std::span<const std::string> names) const {
  std::vector<std::size_t> places;
  for (const TableColumn& column : columns_) {
    const std::string& wanted = column.file_name();
    const auto is_it = [&](const std::string& name) { return name == wanted || trimmed(name) == wanted; };
    const auto found = std::find_if(names.begin(), names.end(), is_it);
    if (found == names.end()) {
      fail("column '", wanted, "' is missing; there are ", join({names.begin(), names.end()}));
    }
    if (std::find_if(found + 1, names.end(), is_it) != names.end()) fail("two columns are called '", wanted, "'");
    places.push_back(static_cast<std::size_t>(found - names.begin()));
  }
  return places;
}

template <typename T>
void Table::encode_number(std::size_t column, std::string_view cell, std::span<T> inputs, Unseen* unseen) const {
  const TableColumn& of = columns_[column];
  const bool missing = is_missing_cell(cell, missing_) || of.form.is_missing(cell);
  double value = std::numeric_limits<double>::quiet_NaN();
  if (!missing) {
    const std::optional<double> number = of.form.number(cell);
    if (!number.has_value() && !is_utf8(cell)) fail("column '", of.file_name(), "' must hold text in UTF-8");
    if (!number.has_value()) fail("column '", of.file_name(), "' must hold ", held(of), ", got '", cell, "'");
    value = *number;
  }
  if (!put_number(of, value, inputs.data())) {
    fail("column '", of.file_name(), "' must hold finite numbers, got '", cell, "'");
  }
  if (missing && !of.indicator && unseen != nullptr) ++unseen->columns[column].cells;
}

template <typename T>
void Table::encode_category(std::size_t column, std::string_view cell, std::span<T> inputs, Unseen* unseen) const {
  const TableColumn& of = columns_[column];
  std::fill(inputs.begin(), inputs.end(), T(0));
  const bool missing = is_missing_cell(cell, missing_);
  const std::vector<std::size_t>& places = sorted_[column];
  const auto place = std::lower_bound(places.begin(), places.end(), cell,
                                      [&](std::size_t i, std::string_view text) { return of.categories[i] < text; });
  if (!missing && unseen != nullptr) ++unseen->columns[column].values;
  const bool same_text = !missing && place != places.end() && of.categories[*place] == cell;
  std::optional<std::size_t> known = same_text ? std::optional(*place) : std::nullopt;
  const auto& numbers = numeric_[column];
  if (const auto number = missing || known || numbers.empty() ? std::nullopt : cell_number(cell)) {
    const auto same = std::lower_bound(numbers.begin(), numbers.end(), std::pair(*number, std::size_t{0}));
    if (same != numbers.end() && same->first == *number) known = same->second;
  }
  put_category(of, known ? static_cast<Index>(*known) : -1, inputs.data());
  if (known || missing) return;
  if (!is_utf8(cell)) fail("column '", of.file_name(), "' must hold text in UTF-8");
  if (unseen == nullptr) return;
  Unseen::InColumn& counted = unseen->columns[column];
  if (++counted.cells == 1) counted.first = cell;
}

template <typename T>
void Table::encode_row(std::span<const std::string_view> cells, std::span<T> inputs, Unseen* unseen) const {
  if (cells.size() != columns_.size()) fail("a row must have ", columns_.size(), " cells, got ", cells.size());
  if (static_cast<Index>(inputs.size()) != width_) fail("a row has ", width_, " inputs, got room for ", inputs.size());
  if (unseen != nullptr) unseen->columns.resize(columns_.size());
  std::size_t start = 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::string_view cell = trimmed(cells[i]);
    const std::span<T> own = inputs.subspan(start, static_cast<std::size_t>(columns_[i].width()));
    if (columns_[i].kind == TableColumn::Kind::number) {
      encode_number(i, cell, own, unseen);
    } else {
      encode_category(i, cell, own, unseen);
    }
    start += own.size();
  }
}

void Table::encode(std::span<const std::string_view> cells, std::span<float> inputs, Unseen* unseen) const {
  encode_row(cells, inputs, unseen);
}

void Table::encode(std::span<const std::string_view> cells, std::span<double> inputs, Unseen* unseen) const {
  encode_row(cells, inputs, unseen);
}

void Table::check_seen(const Unseen& unseen) const {
  for (std::size_t i = 0; i < unseen.columns.size() && i < columns_.size(); ++i) {
    const auto& [cells, first, values] = unseen.columns[i];
    if (values == 0 || cells < values || columns_[i].kind != TableColumn::Kind::category) continue;
    const double others = std::max(columns_[i].others, kLeastOthers);
    if (std::pow(others, static_cast<double>(values)) >= kUnlikely) continue;
    const std::vector<std::string>& known = columns_[i].categories;
    constexpr std::size_t kShown = 5;
    std::vector<std::string> shown(known.begin(), known.begin() + static_cast<Index>(std::min(kShown, known.size())));
    if (known.size() > kShown) shown.emplace_back("...");
    fail("column '", columns_[i].file_name(), "' has ", values, " values, and training has seen none of them, '", first,
         "' for example; it has seen ", join(shown),
         "; write them as they were in training, or leave the cells empty where they are not known");
  }
}

std::vector<std::string> Table::notes(const Unseen& unseen) const {
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < unseen.columns.size() && i < columns_.size(); ++i) {
    const auto& [cells, first, values] = unseen.columns[i];
    if (cells == 0) continue;
    std::string line = "column '" + columns_[i].name + "': " + std::to_string(cells);
    if (columns_[i].kind == TableColumn::Kind::category) {
      line += " values are categories that training has not seen, '" + first + "' for example";
    } else {
      line += " numbers are missing, which none was in training; they count as its mean";
    }
    lines.push_back(std::move(line));
  }
  return lines;
}

template <typename T>
const std::string& Table::class_of_row(std::span<const T> outputs) const {
  if (target_.classes.empty()) fail("the target '", target_.name, "' is a number, and has no classes");
  if (!suits(static_cast<Index>(outputs.size()))) {
    fail("a prediction of ", target_.classes.size(), " classes must not have ", outputs.size(), " outputs");
  }
  if (outputs.size() == 1) return target_.classes[outputs[0] > T(0.5) ? 1 : 0];
  const auto largest = std::max_element(outputs.begin(), outputs.end());
  return target_.classes[static_cast<std::size_t>(largest - outputs.begin())];
}

const std::string& Table::class_of(std::span<const float> outputs) const { return class_of_row(outputs); }
const std::string& Table::class_of(std::span<const double> outputs) const { return class_of_row(outputs); }

}  // namespace laminar
