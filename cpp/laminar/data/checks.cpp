// SPDX-License-Identifier: Apache-2.0
#include "laminar/data/checks.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/data/batch_rows.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {
namespace {

constexpr Index kPiece = 1 << 20;  // elements that are looked at before the caller is asked

/// "(layer 'dense' has kernel (30, 64))", or nothing where no layer has one.
std::string first_kernel(const Network& network) {
  for (const Node& node : network.nodes()) {
    if (node.tensors.empty() || !has_kernel(node.layer)) continue;
    return " (layer '" + node.name + "' has kernel " + to_string(network.parameters()[node.tensors[0]].shape) + ")";
  }
  return "";
}

template <typename T>
void check_finite(const char* operation, const char* argument, const T* values, Index rows, Index columns) {
  in_pieces(rows * columns, kPiece, 1, [&](Index begin, Index end) {
    if (kernels::kernels<T>().all_finite(values + begin, end - begin)) return;
    Index at = begin;
    while (std::isfinite(values[at])) ++at;
    fail(operation, ": ", argument, " must be finite, but row ", at / columns, ", column ", at % columns, " is ",
         values[at]);
  });
}

/// Columns of x.
struct Columns {
  Index begin = 0;
  Index count = 0;
};

/// Those that a node holds as they are; none where something is computed before.
std::vector<Columns> columns_of(const Network& network, int at) {
  if (at == 0) return {{0, network.features()}};
  const Node& node = network.nodes()[static_cast<std::size_t>(at)];
  if (std::holds_alternative<Slice>(node.layer) || is_view(node.layer)) {
    std::vector<Columns> columns = columns_of(network, node.inputs.front());
    const auto* slice = std::get_if<Slice>(&node.layer);
    if (slice == nullptr || columns.empty()) return columns;
    return {{columns.front().begin + slice->begin, node.width}};
  }
  if (!std::holds_alternative<Concatenate>(node.layer)) return {};
  std::vector<Columns> all;
  for (const int input : node.inputs) {
    for (const Columns columns : columns_of(network, input)) all.push_back(columns);
  }
  return all;
}

/// How many tokens there are to a layer that takes values for such; 0 for other layers.
Index tokens_of(const Layer& layer) {
  if (const auto* encoding = std::get_if<CategoryEncoding>(&layer)) return encoding->num_tokens;
  if (const auto* embedding = std::get_if<Embedding>(&layer)) return embedding->input_dim;
  return 0;
}

/// Values that a layer takes for tokens must be tokens, or NaN.
template <typename T>
void check_tokens(const char* operation, const Network& network, MatrixView<const T> x) {
  for (const Node& node : network.nodes()) {
    const Index tokens = tokens_of(node.layer);
    if (tokens == 0) continue;
    for (const Columns columns : columns_of(network, node.inputs.front())) {
      in_pieces(x.rows, kPiece / columns.count + 1, 4.0 * static_cast<double>(columns.count), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
          for (Index column = columns.begin; column < columns.begin + columns.count; ++column) {
            const T value = x.data[row * x.columns + column];
            const bool token = value >= 0 && value < static_cast<T>(tokens) && std::floor(value) == value;
            if (token || std::isnan(value)) continue;
            fail(operation, ": x must hold whole numbers from 0 to ", tokens - 1, " (layer '", node.name,
                 "'), but row ", row, ", column ", column, " is ", value);
          }
        }
      });
    }
  }
}

template <typename T>
void check_labels(const char* operation, const Objective& objective, const Dataset<T>& data) {
  if (data.y.values.data != nullptr || data.y.labels.data() == nullptr) {
    fail(operation, ": the loss '", objective.loss.name(), "' takes one class number per row as y, got rows of ",
         data.y.values.columns, " values; use 'categorical_crossentropy' for one-hot rows");
  }
  if (static_cast<Index>(data.y.labels.size()) != data.x.rows) {
    fail(operation, ": x has ", data.x.rows, " rows, y has ", data.y.labels.size());
  }
}

template <typename T>
void check_values(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data) {
  const MatrixView<const T>& y = data.y.values;
  if (y.data == nullptr) {
    fail(operation, ": the loss '", objective.loss.name(), "' takes rows of ", network.outputs(),
         " values as y, got class numbers");
  }
  if (y.rows != data.x.rows) fail(operation, ": x has ", data.x.rows, " rows, y has ", y.rows);
  if (y.columns != network.outputs()) {
    const bool classes = y.columns == 1 && std::string_view(objective.loss.name()) == "categorical_crossentropy";
    fail(operation, ": y has ", y.columns, y.columns == 1 ? " column" : " columns", ", the network has ",
         network.outputs(), network.outputs() == 1 ? " output" : " outputs",
         classes ? "; for class numbers use 'sparse_categorical_crossentropy' or to_categorical" : "");
  }
  check_finite(operation, "y", y.data, y.rows, y.columns);
}

template <typename T>
void check_weights(const char* operation, const Dataset<T>& data) {
  if (static_cast<Index>(data.sample_weight.size()) != data.x.rows) {
    fail(operation, ": x has ", data.x.rows, " rows, sample_weight has ", data.sample_weight.size());
  }
  in_pieces(data.x.rows, kPiece, 2, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T weight = data.sample_weight[static_cast<std::size_t>(i)];
      if (std::isfinite(weight) && weight >= 0) continue;
      fail(operation, ": sample_weight must be finite and not negative, but row ", i, " is ", weight);
    }
  });
}

}  // namespace

template <typename T>
void check_targets(const char* operation, const Loss& loss, Index outputs, const Targets<T>& y) {
  const std::optional<std::int32_t> ignored = loss.ignored_class();
  in_pieces(static_cast<Index>(y.labels.size()), kPiece, 2, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const std::int32_t label = y.labels[static_cast<std::size_t>(i)];
      if ((label >= 0 && label < outputs) || label == ignored) continue;
      fail(operation, ": y must hold class numbers from 0 to ", outputs - 1, " (there are ", outputs,
           " outputs), but row ", i, " is ", label);
    }
  });
  if (!loss.restricts_targets()) return;
  in_pieces(y.values.rows * y.values.columns, kPiece, 10, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T value = y.values.data[i];
      if (const char* rule = loss.broken_rule(static_cast<double>(value)); *rule != '\0') {
        fail(operation, ": y ", rule, " for the loss '", loss.name(), "', but row ", i / outputs, ", column ",
             i % outputs, " is ", value, loss.target_advice());
      }
    }
  });
}

template <typename T>
void check_input(const char* operation, const Network& network, MatrixView<const T> x) {
  if (x.columns != network.features()) {
    fail(operation, ": x has ", x.columns, " features, the network takes ", network.features(), first_kernel(network));
  }
  if (x.rows < 1) fail(operation, ": x needs at least one row, got ", x.rows);
  if (x.data == nullptr) fail(operation, ": x must not be null for ", x.rows, " rows");
  check_tokens(operation, network, x);
}

template <typename T>
void check_rows(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data) {
  check_input(operation, network, data.x);
  check_finite(operation, "x", data.x.data, data.x.rows, data.x.columns);
  if (objective.loss.class_labels()) {
    check_labels(operation, objective, data);
  } else {
    check_values(operation, network, objective, data);
  }
  check_targets(operation, objective.loss, network.outputs(), data.y);
  if (!data.sample_weight.empty()) check_weights(operation, data);
}

void check_total_weight(const char* operation, const Objective& objective, double weight) {
  if (weight > 0) return;
  if (!objective.ignored) fail(operation, ": sample_weight must be positive for at least one row, got only zeros");
  fail(operation, ": the loss ignores class ", *objective.ignored,
       ", and y has no other class in any row whose weight is not 0");
}

template <typename T>
void check_dataset(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data) {
  check_rows(operation, network, objective, data);
  const std::span<const T> weights = data.sample_weight;
  if (!weights.empty() && std::none_of(weights.begin(), weights.end(), [](T weight) { return weight > 0; })) {
    check_total_weight(operation, objective, 0);
  }
  check_total_weight(operation, objective, BatchRows<T>{data, nullptr, 0, data.x.rows}.weight(objective));
}

template void check_input(const char*, const Network&, MatrixView<const float>);
template void check_input(const char*, const Network&, MatrixView<const double>);
template void check_targets(const char*, const Loss&, Index, const Targets<float>&);
template void check_targets(const char*, const Loss&, Index, const Targets<double>&);
template void check_rows(const char*, const Network&, const Objective&, const Dataset<float>&);
template void check_rows(const char*, const Network&, const Objective&, const Dataset<double>&);
template void check_dataset(const char*, const Network&, const Objective&, const Dataset<float>&);
template void check_dataset(const char*, const Network&, const Objective&, const Dataset<double>&);

}  // namespace laminar
