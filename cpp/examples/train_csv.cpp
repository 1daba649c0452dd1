// SPDX-License-Identifier: Apache-2.0
// Learns to predict one column of a table from the others and says how well it does on rows that it
// has not seen.
//   train_csv FILE.csv TARGET [--epochs N] [--save MODEL]
// Numbers go in as they are and are normalized by the model's first layer, so that the saved model
// takes raw rows; a missing number is the column's mean. Each word of a column of words is an input.
#include <algorithm>
#include <cstdio>
#include <laminar/laminar.hpp>
#include <map>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include "csv.hpp"

namespace {

constexpr std::size_t kMostWords = 64;

struct Table {
  std::vector<std::string> names;  // of the inputs: "area", "district=north"
  std::vector<float> x;            // a row of inputs after the other
  std::vector<float> y;
};

/// One column as inputs: itself, or one for each word.
void add_column(const Csv& csv, std::size_t column, std::vector<std::vector<float>>& inputs, Table& table) {
  std::vector<std::optional<double>> values;
  std::map<std::string, std::size_t> words;
  double sum = 0;
  int count = 0;
  bool text = false;
  for (const auto& row : csv.rows) {
    values.push_back(number(row[column]));
    words.emplace(row[column], 0);
    if (values.back()) {
      sum += *values.back();
      ++count;
    } else if (!is_missing(row[column])) {
      text = true;
    }
  }
  const std::string& name = csv.names[column];
  if (!text) {
    if (count == 0) throw std::runtime_error("column '" + name + "' has no values");
    std::vector<float>& input = inputs.emplace_back();
    for (const auto& value : values) input.push_back(static_cast<float>(value.value_or(sum / count)));
    table.names.push_back(name);
    return;
  }
  if (words.size() > kMostWords) {
    throw std::runtime_error("column '" + name + "' holds " + std::to_string(words.size()) +
                             " different words; leave it out or group them");
  }
  for (auto& [word, place] : words) {
    place = inputs.size();
    inputs.emplace_back(csv.rows.size(), 0.0F);
    table.names.push_back(name + "=" + word);
  }
  for (std::size_t i = 0; i < csv.rows.size(); ++i) inputs[words.at(csv.rows[i][column])][i] = 1;
}

Table read_table(const std::string& path, const std::string& target) {
  const Csv csv = read_csv(path);
  const auto found = std::find(csv.names.begin(), csv.names.end(), target);
  if (found == csv.names.end()) throw std::runtime_error(path + " has no column '" + target + "'");
  const auto y = static_cast<std::size_t>(found - csv.names.begin());

  Table table;
  std::vector<std::vector<float>> inputs;
  for (std::size_t c = 0; c < csv.names.size(); ++c) {
    if (c != y) add_column(csv, c, inputs, table);
  }
  std::vector<std::size_t> order(csv.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));  // files are often sorted
  for (const std::size_t i : order) {
    const auto value = number(csv.rows[i][y]);
    if (!value) throw std::runtime_error("row " + std::to_string(i + 1) + " has no number in column '" + target + "'");
    table.y.push_back(static_cast<float>(*value));
    for (const auto& input : inputs) table.x.push_back(input[i]);
  }
  return table;
}

/// Mean and variance.
template <typename Values>
std::pair<double, double> moments(std::size_t count, const Values& value) {
  double mean = 0;
  double variance = 0;
  for (std::size_t i = 0; i < count; ++i) mean += static_cast<double>(value(i)) / static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double distance = static_cast<double>(value(i)) - mean;
    variance += distance * distance / static_cast<double>(count);
  }
  return {mean, variance};
}

/// Gives the first layer the moments of the training rows.
void normalize(laminar::Model<float>& model, const std::vector<float>& x, std::size_t rows) {
  std::vector<float> parameters(model.parameters().begin(), model.parameters().end());
  const auto& layout = model.network().parameters();
  const auto columns = static_cast<std::size_t>(model.network().features());
  for (const laminar::Tensor& tensor : layout.tensors()) {
    const bool is_mean = tensor.name == "normalization/mean";
    if (!is_mean && tensor.name != "normalization/variance") continue;
    for (std::size_t c = 0; c < columns; ++c) {
      const auto [mean, variance] = moments(rows, [&](std::size_t i) { return x[i * columns + c]; });
      parameters[static_cast<std::size_t>(tensor.offset) + c] = static_cast<float>(is_mean ? mean : variance);
    }
  }
  model.set_parameters(parameters);
}

}  // namespace

int main(int argc, char** argv) try {
  laminar::Index epochs = 100;
  std::string save;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--epochs" && number(argv[i + 1])) epochs = static_cast<laminar::Index>(*number(argv[i + 1]));
    if (option == "--save") save = argv[i + 1];
  }
  if (argc < 3 || argc % 2 == 0) {
    std::fprintf(stderr, "usage: train_csv FILE.csv TARGET [--epochs N] [--save MODEL]\n");
    return 2;
  }
  const Table table = read_table(argv[1], argv[2]);
  const std::size_t rows = table.y.size();
  const std::size_t train = rows - rows / 5;
  const auto columns = static_cast<laminar::Index>(table.names.size());

  // The network learns targets of mean 0 and variance 1.
  const auto [mean, variance] = moments(train, [&](std::size_t i) { return table.y[i]; });
  const double scale = variance > 0 ? std::sqrt(variance) : 1;
  std::vector<float> y;
  for (const float value : table.y) y.push_back(static_cast<float>((value - mean) / scale));

  using namespace laminar;
  Model<float> model(Network(columns, {Normalization{}, Dense{.units = 64, .activation = "relu"},
                                       Dense{.units = 64, .activation = "relu"}, Dense{.units = 1}}),
                     1);
  normalize(model, table.x, train);
  model.compile("mse", "adam", {"mae"});
  const auto split = static_cast<std::ptrdiff_t>(train);
  const std::span<const float> x_all(table.x);
  const std::span<const float> y_all(y);
  const auto x_split = static_cast<std::size_t>(split * columns);
  const auto data = [&](std::span<const float> inputs, std::span<const float> targets) {
    return Dataset<float>{{inputs, columns}, Targets<float>({targets, 1}), {}};
  };
  const Dataset<float> test = data(x_all.subspan(x_split), y_all.subspan(train));
  FitOptions<float> options{.batch_size = 32, .epochs = epochs};
  options.on_epoch = [&](Index epoch, std::span<const Log> logs) {
    if ((epoch + 1) % 10 == 0) std::printf("epoch %lld  loss %.4f\n", static_cast<long long>(epoch + 1), logs[0].value);
    return false;
  };
  model.fit(data(x_all.first(x_split), y_all.first(train)), options);

  const double mse = model.evaluate(test)[0];
  const auto [test_mean, test_variance] = moments(rows - train, [&](std::size_t i) { return y[train + i]; });
  std::printf("%zu rows to train, %zu to test, %zu inputs\n", train, rows - train, table.names.size());
  std::printf("test RMSE %.6g  R2 %.4f\n", std::sqrt(mse) * scale, test_variance > 0 ? 1 - mse / test_variance : 0);
  if (!save.empty()) {
    SaveOptions saving;
    saving.attachments.texts = {
        {"target", argv[2]}, {"target.mean", std::to_string(mean)}, {"target.scale", std::to_string(scale)}};
    save_model(model, save, saving);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "train_csv: %s\n", error.what());
  return 1;
}
