// SPDX-License-Identifier: Apache-2.0
// Tables as they stand in model files: every kind of column, what cells say, damaged descriptions.
#include "laminar/files/table.hpp"

#include <iomanip>
#include <limits>
#include <sstream>

#include "laminar/files/cells.hpp"
#include "laminar/files/csv_rows.hpp"
#include "laminar/model_file.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

using Kind = TableColumn::Kind;

// As Python writes it.
const char* const kText =
    R"({"format": 1, "header": ["size", "id", "city", "member", "kind", "class"], "missing": ["Not Given"],
    "columns": [
    {"name": "size", "kind": "number", "mean": 50.25, "categories": [], "indicator": true},
    {"name": "city", "kind": "category", "mean": 0.0, "categories": ["Z\u00fcrich", "Bern", "3"], "indicator": true},
    {"name": "member", "kind": "number", "mean": -1, "categories": [], "indicator": false},
    {"name": "kind", "kind": "category", "mean": 0.0, "categories": ["a", "b"], "indicator": false}],
    "target": {"name": "class", "kind": "class", "classes": ["cheap", "dear", "free"]}})";

using Cells = std::vector<std::string_view>;

template <typename T = float>
std::vector<T> encoded(const Table& table, const Cells& cells, Unseen* unseen = nullptr) {
  std::vector<T> inputs(as_size(table.width()), T(-7));
  table.encode(cells, inputs, unseen);
  return inputs;
}

Table numbers_alone(const std::vector<std::string>& missing = {}) {
  return {{"x", "y"}, {{.name = "x", .mean = 3}}, {.name = "y"}, missing};
}

std::string replaced(const std::string& text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  REQUIRE(at != std::string::npos);
  return std::string(text).replace(at, what.size(), by);
}

/// Reads a text that may be damaged: it is refused in words, or encodes a row.
void read_or_refuse(const std::string& text) {
  CAPTURE(text);
  try {
    const Table table = Table::from_json(text);
    encoded(table, Cells(table.columns().size(), "1"));
  } catch (const std::invalid_argument& e) {
    const std::string_view message = e.what();
    CHECK((message.starts_with("the description of a table is damaged: ") || message.starts_with("column '")));
  }
}

}  // namespace

TEST_CASE("table: a description is read and written") {
  const Table table = Table::from_json(kText);
  CHECK(table.header() == std::vector<std::string>{"size", "id", "city", "member", "kind", "class"});
  CHECK(table.needed() == std::vector<std::string>{"size", "city", "member", "kind"});
  CHECK(table.inputs() == std::vector<std::string>{"size", "size missing", "city=Zürich", "city=Bern", "city=3",
                                                   "city=(other)", "member", "kind=a", "kind=b"});
  CHECK(table.width() == 9);
  CHECK(table.columns()[0].mean == 50.25);
  CHECK(table.target().classes == std::vector<std::string>{"cheap", "dear", "free"});
  CHECK(table.missing() == std::vector<std::string>{"Not Given"});
  const Table again = Table::from_json(table.to_json());
  CHECK(again.to_json() == table.to_json());
  CHECK(again.inputs() == table.inputs());
}

TEST_CASE_TEMPLATE("table: every kind of column", T, float, double) {
  const Table table = Table::from_json(kText);
  using Row = std::vector<T>;
  CHECK(encoded<T>(table, {"1.5", "Bern", "1", "b"}) == Row{T(1.5), 0, 0, 1, 0, 0, 1, 0, 1});
  CHECK(encoded<T>(table, {" 0.1\t", "  Zürich ", "+2", "a"}) == Row{T(0.1), 0, 1, 0, 0, 0, 2, 1, 0});
  // Nothing where training had nothing as well: the mean and the indicators.
  CHECK(encoded<T>(table, {"NA", "?", "1", "a"}) == Row{T(50.25), 1, 0, 0, 0, 1, 1, 1, 0});
  CHECK(encoded<T>(table, {"nOT gIVEN", "not given", "1", "a"}) == Row{T(50.25), 1, 0, 0, 0, 1, 1, 1, 0});
  // Nothing, and categories, that training has not seen.
  CHECK(encoded<T>(table, {"1", "Rome", "", "c"}) == Row{1, 0, 0, 0, 0, 1, -1, 0, 0});
  CHECK(encoded<T>(table, {"1", "bern", "none", ""}) == Row{1, 0, 0, 0, 0, 1, -1, 0, 0});
  CHECK(encoded<T>(table, {"1", "3.5", "1", "A"}) == Row{1, 0, 0, 0, 0, 1, 1, 0, 0});
  // The same number, however it is written.
  CHECK(encoded<T>(table, {"1", "3.0", "TRUE", "b"}) == Row{1, 0, 0, 0, 1, 0, 1, 0, 1});
}

TEST_CASE_TEMPLATE("table: blocks of columns are rows one by one", T, float, double) {
  const Table table = Table::from_json(kText);
  const std::string cities[] = {"3", "Zürich", "Rome", "Bern"};
  const std::string kinds[] = {"b", "c", "a"};
  const std::vector<std::int32_t> city_of = {2, 0, -1, 1};
  const std::vector<std::int32_t> kind_of = {1, -1, 0};
  const float none = std::numeric_limits<float>::quiet_NaN();
  for (const Index rows : {0, 1, 17, 5000}) {  // none, and more than a piece
    std::vector<double> size;
    std::vector<float> member;
    std::vector<std::int32_t> city;
    std::vector<std::int32_t> kind;
    std::vector<T> wanted;
    for (Index i = 0; i < rows; ++i) {
      size.push_back(i % 5 == 3 ? none : 0.1 * static_cast<double>(i));
      member.push_back(i % 7 == 2 ? none : 0.5F * static_cast<float>(i));
      city.push_back(static_cast<std::int32_t>(i % 5) - 1);
      kind.push_back(static_cast<std::int32_t>(i % 4) - 1);
      std::ostringstream exactly;
      exactly << std::setprecision(17) << size.back();
      const std::string texts[] = {exactly.str(), std::to_string(member.back())};
      const std::string_view none_there;
      const Cells cells = {texts[0], city.back() < 0 ? none_there : cities[city.back()], texts[1],
                           kind.back() < 0 ? none_there : kinds[kind.back()]};
      const std::vector<T> row = encoded<T>(table, cells);
      wanted.insert(wanted.end(), row.begin(), row.end());
    }
    std::vector<T> found(wanted.size(), T(-7));
    TableBlock block{{std::span<const double>(size), TableWords{city, city_of}, std::span<const float>(member),
                      TableWords{kind, kind_of}},
                     11};
    table.encode(block, MatrixView<T>(found.data(), rows, table.width()));
    CHECK(found == wanted);
    if (rows < 17) continue;
    const auto refused = [&] {
      return message_of([&] { table.encode(block, MatrixView<T>(found.data(), rows, table.width())); });
    };
    size[13] = -3.5e38;
    CHECK(refused() == "column 'size' must hold finite numbers, got -3.5e+38 in row 24");
    size[13] = 1;
    city[2] = 4;
    CHECK(refused() == "column 'city' has 4 words, got word 4 in row 13");
    block.columns[1] = TableWords{kind, kind_of};
    block.columns[3] = TableWords{city, city_of};
    CHECK(refused() == "column 'kind' has 2 categories, got category 2 in row 12");
    block.columns[3] = std::span<const float>(member);
    CHECK(refused() == "column 'kind' must have words, got numbers");
    block.columns[3] = TableWords{std::span(kind).first(3), kind_of};
    CHECK(without(refused(), {"column 'kind' must have ", " cells, got 3"}) == "");
    block.columns.pop_back();
    CHECK(refused() == "a block must have 4 columns, got 3");
  }
}

TEST_CASE("rows of CSV end outside of quotes") {
  const auto rows = [](std::string_view text) { return text.substr(0, end_of_csv_rows(text, ';')); };
  CHECK(rows("") == "");
  CHECK(rows("a;b") == "");
  CHECK(rows("a;b\nc") == "a;b\n");
  CHECK(rows("a\rb\rc") == "a\rb\r");
  CHECK(rows("a\r\nb\rc") == "a\r\n");
  CHECK(rows("\"a\nb") == "");
  CHECK(rows("1\n\"a\nb\"\n\"c\n") == "1\n\"a\nb\"\n");
  CHECK(rows("\"a\"\"\n\";1\n2") == "\"a\"\"\n\";1\n");
  CHECK(rows("a\"b\nc\"\nd") == "a\"b\nc\"\n");              // quotes that open nothing
  CHECK(rows("a,\"b\nc\"\nd") == "a,\"b\nc\"\n");            // behind another delimiter
  CHECK(rows("a;\"b\nc\"d\"\n;\"\n") == "a;\"b\nc\"d\"\n");  // behind a closed one; the last one opens
  CHECK(rows("\"a\n\"") == "");
}

TEST_CASE("table: what training has not seen is counted") {
  const Table table = Table::from_json(kText);
  Unseen unseen;
  encoded(table, {"1", "Bern", "1", "a"}, &unseen);
  CHECK(table.notes(unseen).empty());
  encoded(table, {"?", "?", "1", ""}, &unseen);
  CHECK(table.notes(unseen).empty());
  encoded(table, {"1", "Rome", "", "a"}, &unseen);
  encoded(table, {"1", "Oslo", "", "c"}, &unseen);
  CHECK(table.notes(unseen) ==
        std::vector<std::string>{
            "column 'city': 2 values are categories that training has not seen, 'Rome' for example",
            "column 'member': 2 numbers are missing, which none was in training; they count as its mean",
            "column 'kind': 1 values are categories that training has not seen, 'c' for example"});
  CHECK(table.notes({}).empty());
}

TEST_CASE("table: cells without a value") {
  const Table table = numbers_alone({" Keine Ähnlichkeit ", "-1"});
  for (const char* cell :
       {"", " ", "?", "na", "NA", "N/A", "n/a", "nan", "NaN", "null", "NULL", "none", "None", "\xC2\xA0",
        "\xE3\x80\x80 na\xE2\x80\x89", "\x1F\x0B", "-1", "keine ÄHNLICHKEIT", "KEINE ÄHNLICHKEIT "}) {
    CAPTURE(cell);
    CHECK(encoded(table, {cell}) == std::vector<float>{3});
  }
  for (const char* cell : {"n a", "??", "nones", "keine ähnlichkeit", "-", "\xC2"}) {
    CAPTURE(cell);
    CHECK(message_of([&] { encoded(table, {cell}); }).starts_with("column 'x' must hold "));
  }
}

TEST_CASE("table: what counts as a number") {
  struct Number {
    std::string text;
    double value;
  };
  const Number numbers[] = {{"0", 0},
                            {"-0", -0.0},
                            {".5", .5},
                            {"1.", 1},
                            {"+3", 3},
                            {"+.5", .5},
                            {"-1.", -1},
                            {"1e5", 1e5},
                            {"1E05", 1e5},
                            {"1e+5", 1e5},
                            {"1.e2", 100},
                            {"25e-1", 2.5},
                            {"00012", 12},
                            {"0.1", 0.1},
                            {"123456789012345", 123456789012345},
                            {"1e22", 1e22},
                            {"1e-22", 1e-22},
                            {"1e23", 1e23},
                            {"9007199254740993", 9007199254740992},
                            {"0.30000000000000004", 0.30000000000000004},
                            {"3.402823466385288e38", 3.402823466385288e38},
                            {"2.2250738585072011e-308", 2.2250738585072011e-308},
                            {"5e-324", 5e-324},
                            {"1e-999", 0},
                            {"-1e-999", -0.0},
                            {"0e99999999999999999999", 0},
                            {"1" + std::string(400, '0') + "e-400", 1},
                            {"0." + std::string(20'000, '0') + "1e20001", 1},
                            {"0." + std::string(2000, '0') + "1e1005", 0},
                            {"1." + std::string(400, '0') + "1", 1}};
  const Table table = numbers_alone();
  for (const auto& [text, value] : numbers) {
    CAPTURE(text);
    CHECK(same_bits(encoded<double>(table, {text})[0], value));
    CHECK(same_bits(encoded<float>(table, {text})[0], static_cast<float>(value)));
  }
  for (const char* text :
       {"inf",   "-inf", "infinity", "+nan",  "-nan", "nan(1)", "0x10", "1_000", "1,5",   "1 000", "--1", "+-1",
        "-+1",   "+",    "-",        ".",     "+.",   "e5",     "1e",   "1e+",   "1e5.",  "1d5",   "1f",  "1..",
        "1.2.3", "+ 1",  "- 1",      "truth", "½",    "１",     "x1",   "1x",    "1e5e5", "1e 5"}) {
    CAPTURE(text);
    CHECK(message_of([&] { encoded(table, {text}); }) ==
          std::string("column 'x' must hold numbers, got '").append(text).append("'"));
  }
  for (const char* text : {"1e999", "-1e999", "3.4028234663852886e38", "-3.5e38", "1e99999999999999999999"}) {
    CAPTURE(text);
    CHECK(without(message_of([&] { encoded(table, {text}); }), {"column 'x' must hold finite numbers, got '", text}) ==
          "");
  }
}

TEST_CASE("table: decimal fractions are rounded as the compiler rounds them") {
  // Both ways of reading, by one division and by the standard library, agree wherever the first one goes.
  for (int i = 0; i < 2000; ++i) {
    const double value = draws<double>(1, -1e6, 1e6, static_cast<std::uint64_t>(i))[0];
    std::ostringstream few;
    std::ostringstream many;
    few.precision(15);
    many.precision(17);
    few << value;
    many << value;
    CAPTURE(many.str());
    CHECK(same_bits(*cell_number(many.str()), value));
    CHECK(same_bits(*cell_number(few.str()), std::strtod(few.str().c_str(), nullptr)));
    CHECK(same_bits(*cell_number(few.str()), *cell_number(few.str() + "000")));
  }
}

TEST_CASE("table: rows of a wrong length, and texts that are not UTF-8") {
  const Table table = Table::from_json(kText);
  for (const Cells& cells : {Cells{}, Cells{"1"}, Cells(3, "1"), Cells(5, "1")}) {
    CHECK(without(message_of([&] { encoded(table, cells); }), {"a row must have 4 cells, got "}) == "");
  }
  std::vector<double> inputs(8);
  CHECK(message_of([&] { table.encode(Cells(4, "1"), inputs); }) == "a row has 9 inputs, got room for 8");
  CHECK(message_of([&] { encoded(table, {"1", "Z\xFCrich", "1", "a"}); }) == "column 'city' must hold text in UTF-8");
  CHECK(message_of([&] { encoded(table, {"\xFC", "Bern", "1", "a"}); }) == "column 'size' must hold text in UTF-8");
}

TEST_CASE("table: columns in another order") {
  const Table table = Table::from_json(kText);
  using Names = std::vector<std::string>;
  using Places = std::vector<std::size_t>;
  CHECK(table.places(table.header()) == Places{0, 2, 3, 4});
  CHECK(table.places(Names{"kind", " member ", "other", "city", "size"}) == Places{4, 3, 1, 0});
  CHECK(message_of([&] { table.places(Names{"kind", "member", "size"}); }) ==
        "column 'city' is missing; there are kind, member, size");
  CHECK(message_of([&] { table.places(Names{"kind", "member", "city", "size", "city"}); }) ==
        "two columns are called 'city'");
}

TEST_CASE("table: what outputs say") {
  using Outputs = std::vector<float>;
  const Table three = Table::from_json(kText);
  CHECK(three.class_of(Outputs{0.2f, 0.5f, 0.3f}) == "dear");
  CHECK(three.class_of(Outputs{0.4f, 0.2f, 0.4f}) == "cheap");
  CHECK(three.class_of(std::vector<double>{0, 0, 1}) == "free");
  CHECK(message_of([&] { three.class_of(Outputs{1}); }) == "a prediction of 3 classes must not have 1 outputs");
  const Table two({"x", "y"}, {{.name = "x"}}, {"y", {"no", "yes"}});
  CHECK(two.class_of(Outputs{0.5f}) == "no");
  CHECK(two.class_of(Outputs{0.50001f}) == "yes");
  CHECK(two.class_of(Outputs{0.4f, 0.6f}) == "yes");
  CHECK_THROWS_AS(two.class_of(Outputs{}), std::invalid_argument);
  CHECK(message_of([&] { numbers_alone().class_of(Outputs{1}); }) == "the target 'y' is a number, and has no classes");
}

TEST_CASE("table: parts that do not fit together are refused") {
  const std::string text = kText;
  const std::tuple<std::string, std::string, std::string> faults[] = {
      {"\"format\": 1", "\"format\": 3", "its format is 3, this laminar reads 1 and 2"},
      {"\"format\": 1", "\"format\": \"1\"", "'format' must be an integer"},
      {"\"format\": 1, ", "", "'format' is missing"},
      {"\"format\": 1", "\"format\": 1, \"more\": 2", "unknown argument 'more'"},
      {"\"header\": [\"size\", ", "\"header\": [", "the header lacks column 'size'"},
      {"\"id\"", "\"size\"", "the header has 'size' twice"},
      {"\"id\"", "3", "'header' must be a list of strings"},
      {"\"kind\", \"class\"]", "\"kind\"]", "the header lacks the target 'class'"},
      {"\"Not Given\"", "null", "'missing' must be a list of strings"},
      {"{\"name\": \"size\"", "{\"name\": \"member\"", "the list of columns has 'member' twice"},
      {"{\"name\": \"size\"", "{\"name\": \"class\"", "column 'class' is the target"},
      {"{\"name\": \"size\", ", "{", "column 0: 'name' is missing"},
      {"\"kind\": \"number\"", "\"kind\": \"numbers\"", "column 0: unknown kind 'numbers'"},
      {"\"mean\": 50.25", "\"mean\": \"50\"", "column 0: 'mean' must be a number"},
      {"\"mean\": 50.25", "\"mean\": null", "column 0: 'mean' is missing"},
      {"\"mean\": 50.25", "\"mean\": 1e39", "column 'size' must have a finite mean"},
      {"\"mean\": 50.25", "\"mean\": 1e999", "not JSON"},
      {"\"mean\": 50.25", "\"mean\": NaN", "not JSON"},
      {"\"categories\": []", "\"categories\": [\"a\"]", "column 'size' of kind number has 1 categories"},
      {"[\"a\", \"b\"]", "[\"a \"]", "column 'kind' has the category 'a ' with spaces"},
      {"[\"a\", \"b\"]", "[]", "column 'kind' of kind category has 0 categories"},
      {"[\"a\", \"b\"]", "[\"a\", \"a\"]", "column 'kind' has 'a' twice"},
      {"\"indicator\": true", "\"indicator\": 1", "column 0: 'indicator' must be true or false"},
      {"\"kind\": \"class\"", "\"kind\": \"number\"", "target: of kind number with 3 classes"},
      {"\"kind\": \"class\"", "\"kind\": \"category\"", "target: unknown kind 'category'"},
      {"[\"cheap\", \"dear\", \"free\"]", "[]", "target: of kind class with 0 classes"},
      {"[\"cheap\", \"dear\", \"free\"]", "[\"dear\"]", "the target has the single class 'dear'"},
      {"[\"cheap\", \"dear\", \"free\"]", "[\"dear\", \"dear\"]", "the target has 'dear' twice"},
      {"\"columns\": [", "\"columns\": [3, ", "column 0: expected an object"}};
  for (const auto& [what, by, message] : faults) {
    CAPTURE(by);
    CHECK(without(message_of([&] { Table::from_json(replaced(text, what, by)); }),
                  {"the description of a table is damaged: ", message}) == "");
  }
  for (const char* damaged : {"", "no", "{}", "[]", "3", "null", R"({"format": 1, "columns": {}})"}) {
    CHECK(message_of([&] { Table::from_json(damaged); }).starts_with("the description of a table is damaged: "));
  }
  CHECK(message_of([&] { Table::from_json(std::string(100'000, '[')); }).ends_with("nested deeper than 64 levels"));
  CHECK(message_of([] { Table({"y"}, {}, {"y"}); }) == "a table must have columns that a model reads");
  CHECK(message_of([] { Table({"\xFF", "y"}, {{.name = "\xFF"}}, {"y"}); }) == "the header must be text in UTF-8");
}

TEST_CASE("table: a damaged description is refused in words") {
  const std::string text = numbers_alone({"x"}).to_json();
  for (std::size_t length = 0; length < text.size(); ++length) {
    CHECK_THROWS_AS(Table::from_json(text.substr(0, length)), std::invalid_argument);
  }
  for (const std::string& whole : {text, std::string(kText)}) {
    for (std::size_t at = 0; at < whole.size(); ++at) {
      for (int bit = 0; bit < 8; ++bit) {
        std::string flipped = whole;
        flipped[at] = static_cast<char>(static_cast<unsigned char>(flipped[at]) ^ (1u << bit));
        read_or_refuse(flipped);
      }
    }
  }
}

TEST_CASE_TEMPLATE("table: a model file carries it", T, float, double) {
  const Table table({"a", "b", "y"}, {{.name = "a", .mean = 2, .indicator = true}, {.name = "b", .mean = 1}},
                    {"y", {"no", "yes"}});
  const auto bytes_with = [](const std::string& description, Index inputs, Index outputs) {
    SaveOptions options;
    if (!description.empty()) options.attachments.texts = {{kTableText, description}};
    return model_bytes(Model<T>(Network(inputs, {Dense{.units = outputs, .activation = "sigmoid"}})), options);
  };
  const auto bytes = bytes_with(table.to_json(), 3, 1);
  const ModelFile file{std::span(bytes)};
  const auto found = file.table();
  REQUIRE(found.has_value());
  CHECK(found->to_json() == table.to_json());
  const auto model = file.model<T>();
  std::vector<T> inputs(3);
  found->encode(Cells{"?", "7"}, inputs);
  CHECK(inputs == std::vector<T>{2, 1, 7});
  std::vector<T> out(1);
  model.predict({view(inputs), 3}, {std::span<T>(out), 1});
  CHECK(found->class_of(out) == (out[0] > T(0.5) ? "yes" : "no"));

  const auto plain = bytes_with("", 3, 1);
  CHECK_FALSE(ModelFile{std::span(plain)}.table().has_value());
  const std::pair<std::vector<std::byte>, const char*> faults[] = {
      {bytes_with("oak", 3, 1), "the description of a table is damaged"},
      {bytes_with(table.to_json(), 4, 1), "its table has 3 inputs and 2 classes, its model 4 inputs and 1 outputs"},
      {bytes_with(table.to_json(), 3, 3), "its model 3 inputs and 3 outputs"},
      {bytes_with(numbers_alone().to_json(), 1, 2), "its table has 1 inputs and 0 classes"}};
  for (const auto& [damaged, message] : faults) {
    const ModelFile other{std::span(damaged)};
    CHECK(without(message_of([&] { other.table(); }), {"cannot load a model from bytes: ", message}) == "");
  }
}

TEST_CASE("table: the forms of numbers") {
  struct Case {
    CellForm form;
    std::string cell;
    double value;
  };
  using Form = CellForm::Kind;
  const CellForm money{.kind = Form::amount, .prefix = "$", .suffix = "%", .scaled = true};
  const CellForm comma{.kind = Form::amount, .decimal = ","};
  const auto date = [](const char* part, const char* order = "dmy") {
    return CellForm{.kind = Form::date, .order = order, .part = part};
  };
  const CellForm clock{.kind = Form::time, .part = "hours"};
  const CellForm span{.kind = Form::duration, .order = "hm"};
  const CellForm race{.kind = Form::duration, .order = "ms"};
  const Case cases[] = {{money, "$1,234.50", 1234.5},
                        {money, "-$ 5", -5},
                        {money, "$-5", -5},
                        {money, "(1 234)", -1234},
                        {money, "52.88 %", 52.88},
                        {money, "$1.5M", 1.5e6},
                        {money, "12,34,567", 1234567},
                        {money, "7", 7},
                        {comma, "1.234,5", 1234.5},
                        {comma, "0,25", .25},
                        {comma, "1e3", 1000},
                        {date("days"), "2.1.1970", 1},
                        {date("days", "mdy"), "1/2/1970 12:00", 1.5},
                        {date("days"), "1969-12-31", -1},
                        {date("year"), "31 Dec 99", 1999},
                        {date("year"), "Mon, March 5th, 2012", 2012},
                        {date("year"), "Feb-2024", 2024},
                        {date("days"), "19700103T120000", 2.5},
                        {date("days"), "1970-01-02T06:00:00.000+02:00", 1.25},
                        {date("weekday cos"), "1970-01-05", 1},
                        {date("month cos"), "2020-07-04", -1},
                        {date("hour cos"), "2020-07-04 12:00:00 PM", -1},
                        {clock, "2:30 pm", 14.5},
                        {clock, "00:15:36", .26},
                        {span, "1:30", 5400},
                        {span, "100:00:01", 360001},
                        {span, "-1 days 02:00:00", -93600},
                        {span, "1h 30m", 5400},
                        {span, "90 min", 5400},
                        {span, "PT1H2.5S", 3602.5},
                        {race, "1:30.5", 90.5},
                        {race, "75", 75}};
  for (const Case& one : cases) {
    CAPTURE(one.cell);
    const std::optional<double> found = one.form.number(one.cell);
    REQUIRE(found.has_value());
    CHECK(*found == doctest::Approx(one.value));
    CHECK(form_from_json(to_json(one.form)) == one.form);
  }
  const std::pair<CellForm, std::string> none[] = {{money, "1,23"},
                                                   {money, "1,234,5"},
                                                   {money, "$"},
                                                   {money, "1.234.567"},
                                                   {money, "1,234 567"},
                                                   {money, "--5"},
                                                   {comma, "1,2,3"},
                                                   {date("days"), "31.2.2020"},
                                                   {date("days"), "1.2"},
                                                   {date("days"), "12"},
                                                   {date("days"), "1970-13-01"},
                                                   {date("days"), "x"},
                                                   {date("days"), "2020-01-01 25:00"},
                                                   {clock, "24:00"},
                                                   {clock, "12"},
                                                   {span, "1 year"},
                                                   {span, ""},
                                                   {span, "1:2:"}};
  for (const auto& [form, cell] : none) {
    CAPTURE(cell);
    CHECK(!form.number(cell).has_value());
  }
}

TEST_CASE("table: parts of a date and cells that mean nothing") {
  const auto part = [](const char* name, const char* of) {
    return TableColumn{.name = name,
                       .mean = 7,
                       .source = "when",
                       .form = {.kind = CellForm::Kind::date, .order = "ymd", .part = of, .missing = {"-"}}};
  };
  const Table table({"when", "y"}, {part("when: year", "year"), part("when: days", "days")}, {.name = "y"});
  CHECK(table.needed() == std::vector<std::string>{"when"});
  const std::vector<std::string> names = {"y", "when"};
  CHECK(table.places(names) == std::vector<std::size_t>{1, 1});
  CHECK(encoded(table, {"1970-01-03", "1970-01-03"}) == std::vector<float>{1970, 2});
  CHECK(encoded(table, {"-", "-"}) == std::vector<float>{7, 7});
  CHECK(message_of([&] { encoded(table, {"soon", "soon"}); }) == "column 'when' must hold dates, got 'soon'");
  const Table again = Table::from_json(table.to_json());
  CHECK(again.to_json() == table.to_json());
  CHECK(table.to_json().find("\"format\":2") != std::string::npos);
}

TEST_CASE("table: a column of which nothing was seen in training") {
  const Table table = Table::from_json(kText);
  Unseen unseen;
  for (int i = 0; i < 4; ++i) encoded(table, {"1", "Rome", "1", "a"}, &unseen);
  table.check_seen(unseen);  // may be so by chance
  encoded(table, {"1", "Rome", "1", "a"}, &unseen);
  CHECK(message_of([&] {
          table.check_seen(unseen);
        }).starts_with("column 'city' has 5 values, and training has seen none of them, 'Rome' for example; it has "));
  encoded(table, {"1", "Bern", "1", "a"}, &unseen);
  table.check_seen(unseen);
}
