// SPDX-License-Identifier: Apache-2.0
// Learns to predict one column of a table from the others and says how well it does on rows that it
// has not seen.
//   train_csv FILE.csv TARGET [--epochs N] [--save MODEL]
// Numbers are normalized by the model's first layer, each word of a column of words is an input. The
// saved model knows all of that: predict_rows, `laminar predict` and Python take raw rows to it.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <laminar/laminar.hpp>
#include <numeric>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "csv.hpp"

namespace {

constexpr std::size_t kMostWords = 64;

struct Data {
  laminar::Table table;  // how a row becomes inputs
  std::vector<float> x;  // a row of inputs after the other
  std::vector<float> y;
};

/// How a column becomes inputs: a number, or each of its words.
laminar::TableColumn column_of(const Csv& csv, std::size_t place) {
  const std::string name(laminar::trimmed(csv.names[place]));
  std::set<std::string, std::less<>> words;
  double sum = 0;
  int numbers = 0;
  bool gaps = false;
  bool text = false;
  for (const auto& row : csv.rows) {
    const std::string_view cell = laminar::trimmed(row[place]);
    const auto value = laminar::cell_number(cell);
    if (laminar::is_missing_cell(cell)) {
      gaps = true;
      continue;
    }
    words.emplace(cell);
    text = text || !value;
    sum += value.value_or(0);
    ++numbers;
  }
  if (words.empty()) throw std::runtime_error("column '" + name + "' has no values");
  if (!text) return {.name = name, .mean = sum / numbers, .indicator = gaps};
  if (words.size() > kMostWords) {
    throw std::runtime_error("column '" + name + "' holds " + std::to_string(words.size()) +
                             " different words; leave it out or group them");
  }
  return {.name = name,
          .kind = laminar::TableColumn::Kind::category,
          .categories = {words.begin(), words.end()},
          .indicator = gaps};
}

laminar::Table table_of(const Csv& csv, const std::string& target) {
  std::vector<std::string> header;
  std::vector<laminar::TableColumn> columns;
  for (std::size_t i = 0; i < csv.names.size(); ++i) {
    header.emplace_back(laminar::trimmed(csv.names[i]));
    if (header.back() != target) columns.push_back(column_of(csv, i));
  }
  return {header, columns, {.name = target}};
}

Data read_data(const std::string& path, const std::string& target) {
  const Csv csv = read_csv(path);
  Data data{table_of(csv, target), {}, {}};
  const auto& header = data.table.header();
  const auto y = static_cast<std::size_t>(std::find(header.begin(), header.end(), target) - header.begin());
  const auto places = data.table.places(csv.names);
  const auto width = static_cast<std::size_t>(data.table.width());

  std::vector<std::size_t> order(csv.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::shuffle(order.begin(), order.end(), std::mt19937_64(1));  // files are often sorted
  data.x.resize(order.size() * width);
  std::span<float> inputs(data.x);
  std::vector<std::string_view> cells(places.size());
  for (const std::size_t i : order) {
    const auto value = laminar::cell_number(laminar::trimmed(csv.rows[i][y]));
    if (!value) throw std::runtime_error("row " + std::to_string(i + 1) + " has no number in column '" + target + "'");
    data.y.push_back(static_cast<float>(*value));
    for (std::size_t c = 0; c < places.size(); ++c) cells[c] = csv.rows[i][places[c]];
    data.table.encode(cells, inputs.first(width));
    inputs = inputs.subspan(width);
  }
  return data;
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

/// Makes the last layer give the target in its own unit: its outputs times the scale, plus the mean.
void use_own_unit(laminar::Model<float>& model, double mean, double scale) {
  std::vector<float> parameters(model.parameters().begin(), model.parameters().end());
  const auto& tensors = model.network().parameters().tensors();
  const laminar::Tensor& kernel = tensors[tensors.size() - 2];
  const laminar::Tensor& bias = tensors.back();
  for (laminar::Index i = 0; i < kernel.size; ++i) {
    float& weight = parameters[static_cast<std::size_t>(kernel.offset + i)];
    weight = static_cast<float>(weight * scale);
  }
  float& last = parameters[static_cast<std::size_t>(bias.offset)];
  last = static_cast<float>(last * scale + mean);
  model.set_parameters(parameters);
}

}  // namespace

int main(int argc, char** argv) try {
  laminar::Index epochs = 100;
  std::string save;
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string option = argv[i];
    if (option == "--epochs") epochs = static_cast<laminar::Index>(laminar::cell_number(argv[i + 1]).value_or(0));
    if (option == "--save") save = argv[i + 1];
  }
  if (argc < 3 || argc % 2 == 0) {
    std::fprintf(stderr, "usage: train_csv FILE.csv TARGET [--epochs N] [--save MODEL]\n");
    return 2;
  }
  const Data raw = read_data(argv[1], argv[2]);
  const std::size_t rows = raw.y.size();
  const std::size_t train = rows - rows / 5;
  const laminar::Index columns = raw.table.width();

  // The network learns targets of mean 0 and variance 1.
  const auto [mean, variance] = moments(train, [&](std::size_t i) { return raw.y[i]; });
  const double scale = variance > 0 ? std::sqrt(variance) : 1;
  std::vector<float> y;
  for (const float value : raw.y) y.push_back(static_cast<float>((value - mean) / scale));

  using namespace laminar;
  Model<float> model(Network(columns, {Normalization{}, Dense{.units = 64, .activation = "relu"},
                                       Dense{.units = 64, .activation = "relu"}, Dense{.units = 1}}),
                     1);
  normalize(model, raw.x, train);
  model.compile("mse", "adam", {"mae"});
  const auto split = static_cast<std::ptrdiff_t>(train);
  const std::span<const float> x_all(raw.x);
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
  std::printf("%zu rows to train, %zu to test, %zu inputs\n", train, rows - train, raw.table.inputs().size());
  std::printf("test RMSE %.6g  R2 %.4f\n", std::sqrt(mse) * scale, test_variance > 0 ? 1 - mse / test_variance : 0);
  if (!save.empty()) {
    use_own_unit(model, mean, scale);
    SaveOptions saving{.training = false};
    saving.attachments.texts = {{kTableText, raw.table.to_json()}};
    save_model(model, save, saving);
  }
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "train_csv: %s\n", error.what());
  return 1;
}
