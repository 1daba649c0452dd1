// SPDX-License-Identifier: Apache-2.0
// Predicts raw rows, texts and missing values included, by a model that knows the table that it was
// trained on: one of `laminar train`, or of train_csv.
//   predict_rows MODEL FILE.csv
// Writes a CSV file to the standard output: the target, and of classes the probability of each. The
// file's columns may stand in any order, and there may be others.
#include <cstdio>
#include <iostream>
#include <laminar/laminar.hpp>
#include <string>
#include <vector>

#include "csv.hpp"

namespace {

/// The rows' inputs, one row after the other. What training has not seen goes to stderr.
template <typename T>
std::vector<T> inputs_of(const Csv& csv, const laminar::Table& table) {
  const auto places = table.places(csv.names);
  const auto width = static_cast<std::size_t>(table.width());
  std::vector<T> x(csv.rows.size() * width);
  std::vector<std::string_view> cells(places.size());
  laminar::Unseen unseen;
  for (std::size_t i = 0; i < csv.rows.size(); ++i) {
    for (std::size_t c = 0; c < places.size(); ++c) cells[c] = csv.rows[i][places[c]];
    try {
      table.encode(cells, std::span(x).subspan(i * width, width), &unseen);
    } catch (const std::invalid_argument& error) {
      throw std::runtime_error("row " + std::to_string(i + 1) + ": " + error.what());
    }
  }
  for (const std::string& note : table.notes(unseen)) std::cerr << "note: " << note << '\n';
  return x;
}

template <typename T>
void write_predictions(const laminar::ModelFile& file, const laminar::Table& table, const Csv& csv) {
  const std::vector<T> x = inputs_of<T>(csv, table);
  const auto model = file.model<T>();
  const laminar::Index outputs = model.network().outputs();
  std::vector<T> predicted(csv.rows.size() * static_cast<std::size_t>(outputs));
  model.predict({std::span<const T>(x), table.width()}, {std::span<T>(predicted), outputs});

  const laminar::TableTarget& target = table.target();
  std::cout << quoted(target.name);
  for (const std::string& name : target.classes) std::cout << ',' << quoted("p(" + name + ")");
  std::cout << '\n';
  std::cout.precision(7);
  for (auto row = std::span<const T>(predicted); !row.empty(); row = row.subspan(static_cast<std::size_t>(outputs))) {
    const auto own = row.first(static_cast<std::size_t>(outputs));
    if (target.classes.empty()) {
      std::cout << own[0] << '\n';
      continue;
    }
    std::cout << quoted(table.class_of(own));
    if (own.size() == 1) std::cout << ',' << 1 - own[0];
    for (const T probability : own) std::cout << ',' << probability;
    std::cout << '\n';
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: predict_rows MODEL FILE.csv\n";
    return 2;
  }
  const laminar::ModelFile file(argv[1]);
  const auto table = file.table();
  if (!table) throw std::runtime_error(std::string(argv[1]) + " knows of no table");
  const Csv csv = read_csv(argv[2]);
  if (file.dtype() == "float32") {
    write_predictions<float>(file, *table, csv);
  } else {
    write_predictions<double>(file, *table, csv);
  }
  return 0;
} catch (const std::exception& error) {
  std::cerr << "predict_rows: " << error.what() << '\n';
  return 1;
}
