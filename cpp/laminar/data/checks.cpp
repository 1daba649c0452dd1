// SPDX-License-Identifier: Apache-2.0
#include "laminar/data/checks.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/base/token.hpp"
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

/// Says where the first value that is not finite, or with `missing` infinite, stands among some columns.
template <typename T>
void check_finite(const char* operation, const std::string& argument, MatrixView<const T> values, Index first,
                  Index columns, bool missing = false) {
  const char* advice = argument[0] == 'y' ? "; with ignore_nan targets that are NaN count for nothing" : "";
  in_pieces(values.rows * columns, kPiece, 1, [&](Index begin, Index end) {
    const bool whole = columns == values.columns;
    if (whole && kernels::kernels<T>().all_finite(values.data + begin, end - begin)) return;
    for (Index i = begin; i < end; ++i) {
      const T value = values.data[i / columns * values.columns + first + i % columns];
      if (std::isfinite(value) || (missing && std::isnan(value))) continue;
      fail(operation, ": ", argument, " must be finite, but row ", i / columns, ", column ", i % columns, " is ", value,
           std::isnan(value) ? advice : "");
    }
  });
}

/// What a message calls a column of x: one of an input, where there are several.
std::string column_of(const Network& network, Index column) {
  if (network.input_ports().size() == 1) return "column " + std::to_string(column);
  const auto port = std::find_if(network.input_ports().begin(), network.input_ports().end(),
                                 [&](const Port& p) { return column < p.begin + p.width; });
  return "column " + std::to_string(column - port->begin) + " of input '" + port->name + "'";
}

template <typename T>
void check_finite_input(const char* operation, const Network& network, MatrixView<const T> x) {
  if (network.input_ports().size() == 1) {
    check_finite(operation, "x", x, 0, x.columns);
    return;
  }
  bool finite = true;  // row by row is asked only where some value is not
  in_pieces(x.rows * x.columns, kPiece, 1, [&](Index begin, Index end) {
    finite = finite && kernels::kernels<T>().all_finite(x.data + begin, end - begin);
  });
  if (finite) return;
  for (const Port& port : network.input_ports()) {
    check_finite(operation, "x of input '" + port.name + "'", x, port.begin, port.width);
  }
}

/// Calls take(begin, count) for the columns of x that are a node's values [begin, begin + count) as they are: none
/// where something is computed before.
template <typename Take>
void for_columns(const Network& network, int at, Index begin, Index count, const Take& take) {
  if (at == 0) {
    take(begin, count);
    return;
  }
  const Node& node = network.nodes()[static_cast<std::size_t>(at)];
  if (const auto* slice = std::get_if<Slice>(&node.layer)) {
    for_columns(network, node.inputs.front(), begin + slice->begin, count, take);
  } else if (is_view(node.layer)) {
    for_columns(network, node.inputs.front(), begin, count, take);
  } else if (std::holds_alternative<Concatenate>(node.layer) && count == node.width) {
    for (const int input : node.inputs) {
      for_columns(network, input, 0, network.nodes()[static_cast<std::size_t>(input)].width, take);
    }
  }
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
    const int input = node.inputs.front();
    const Index width = network.nodes()[static_cast<std::size_t>(input)].width;
    for_columns(network, input, 0, width, [&](Index first, Index count) {
      in_pieces(x.rows, kPiece / count + 1, 4.0 * static_cast<double>(count), [&](Index begin, Index end) {
        for (Index row = begin; row < end; ++row) {
          for (Index column = first; column < first + count; ++column) {
            const T value = x.data[row * x.columns + column];
            if (token_of(value, tokens) >= 0 || std::isnan(value)) continue;
            fail(operation, ": x must hold whole numbers from 0 to ", tokens - 1, " (layer '", node.name,
                 "'), but row ", row, ", ", column_of(network, column), " is ", value);
          }
        }
      });
    });
  }
}

/// What messages call the targets of a goal.
std::string targets_of(const Objective& objective, const Goal& goal) {
  return objective.apart ? "y of output '" + goal.name + "'" : std::string("y");
}

template <typename T>
void check_labels(const char* operation, const Goal& goal, const Dataset<T>& data) {
  if (data.y.values.data != nullptr || data.y.labels.data() == nullptr) {
    fail(operation, ": the loss '", goal.loss->name(), "' takes one class number per row as y, got rows of ",
         data.y.values.columns, " values; use 'categorical_crossentropy' for one-hot rows");
  }
  if (static_cast<Index>(data.y.labels.size()) != data.x.rows) {
    fail(operation, ": x has ", data.x.rows, " rows, y has ", data.y.labels.size());
  }
}

template <typename T>
void check_shape(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data) {
  const MatrixView<const T>& y = data.y.values;
  const Goal& goal = objective.goals.front();
  const Index columns = objective.target_columns;
  if (y.data == nullptr && objective.apart) {
    fail(operation, ": y takes rows of ", columns, " values, the targets of all outputs side by side, got ",
         data.y.labels.empty() ? "none" : "class numbers");
  }
  if (y.data == nullptr) {
    fail(operation, ": the loss '", goal.loss->name(), "' takes rows of ", columns, " values as y, got class numbers");
  }
  if (y.rows != data.x.rows) fail(operation, ": x has ", data.x.rows, " rows, y has ", y.rows);
  if (y.columns == columns) return;
  if (objective.apart) {
    fail(operation, ": y has ", y.columns, y.columns == 1 ? " column" : " columns", ", the outputs take ", columns,
         " side by side");
  }
  if (goal.loss && goal.loss->own != nullptr) {
    fail(operation, ": y has ", y.columns, y.columns == 1 ? " column" : " columns", ", the loss '", goal.loss->name(),
         "' takes ", columns);
  }
  const bool classes = y.columns == 1 && std::string_view(goal.loss->name()) == "categorical_crossentropy";
  fail(operation, ": y has ", y.columns, y.columns == 1 ? " column" : " columns", ", the network has ",
       network.outputs(), network.outputs() == 1 ? " output" : " outputs",
       classes ? "; for class numbers use 'sparse_categorical_crossentropy' or to_categorical" : "");
}

template <typename T>
void check_weights(const char* operation, const Objective& objective, const Dataset<T>& data) {
  const auto size = static_cast<Index>(data.sample_weight.size());
  const auto goals = static_cast<Index>(objective.goals.size());
  if (size != data.x.rows && size != data.x.rows * goals) {
    fail(operation, ": x has ", data.x.rows, " rows, sample_weight has ", size,
         goals > 1 ? "; it takes one a row, or one for each output of each" : "");
  }
  in_pieces(size, kPiece, 2, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T weight = data.sample_weight[static_cast<std::size_t>(i)];
      if (std::isfinite(weight) && weight >= 0) continue;
      fail(operation, ": sample_weight must be finite and not negative, but row ", i / (size / data.x.rows), " is ",
           weight);
    }
  });
}

template <typename Label>
[[noreturn]] void refuse_label(const char* operation, const std::string& argument, Index outputs, Index row,
                               Label label) {
  fail(operation, ": ", argument, " must hold class numbers from 0 to ", outputs - 1, " (there are ", outputs,
       " outputs), but row ", row, " is ", label);
}

/// Class numbers of the outputs, or of those that count for nothing.
template <typename Skipped>
void check_label_list(const char* operation, Index outputs, std::span<const std::int32_t> labels,
                      const Skipped& skipped) {
  in_pieces(static_cast<Index>(labels.size()), kPiece, 2, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const std::int32_t label = labels[static_cast<std::size_t>(i)];
      if ((label >= 0 && label < outputs) || skipped(label)) continue;
      refuse_label(operation, "y", outputs, i, label);
    }
  });
}

/// Class numbers that stand in a column of y.
template <typename T>
void check_label_column(const char* operation, const Objective& objective, const Goal& goal, MatrixView<const T> y) {
  in_pieces(y.rows, kPiece, 2, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T value = y.data[i * y.columns + goal.first_target];
      const std::int32_t label = label_of(value);
      if (goal.skips_missing && std::isnan(value)) continue;
      const bool known = (label >= 0 && label < goal.columns) || (goal.ignored && label == *goal.ignored);
      if (known && static_cast<T>(label) == value) continue;
      refuse_label(operation, targets_of(objective, goal), goal.columns, i, value);
    }
  });
}

/// Values for which a loss is defined, among some columns of a matrix.
template <typename T>
void check_range(const char* operation, const std::string& argument, const Loss& loss, MatrixView<const T> y,
                 Index first, Index columns, bool missing) {
  if (!loss.restricts_targets()) return;
  in_pieces(y.rows * columns, kPiece, 10, [&](Index begin, Index end) {
    for (Index i = begin; i < end; ++i) {
      const T value = y.data[i / columns * y.columns + first + i % columns];
      if (missing && std::isnan(value)) continue;
      if (const char* rule = loss.broken_rule(static_cast<double>(value)); *rule != '\0') {
        fail(operation, ": ", argument, " ", rule, " for the loss '", loss.name(), "', but row ", i / columns,
             ", column ", i % columns, " is ", value, loss.target_advice());
      }
    }
  });
}

template <typename T>
void check_goal(const char* operation, const Objective& objective, const Goal& goal, const Dataset<T>& data) {
  const std::string argument = targets_of(objective, goal);
  const MatrixView<const T>& y = data.y.values;
  if (goal.labels && objective.apart) return check_label_column(operation, objective, goal, y);
  if (goal.labels) {
    return check_label_list(operation, goal.columns, data.y.labels,
                            [&](std::int32_t label) { return presence(goal, label) == Presence::none; });
  }
  check_finite(operation, argument, y, goal.first_target, goal.targets, goal.skips_missing);
  if (goal.loss) {
    check_range(operation, argument, *goal.loss, y, goal.first_target, goal.targets, goal.skips_missing);
  }
}

}  // namespace

template <typename T>
void check_targets(const char* operation, const Loss& loss, Index outputs, const Targets<T>& y) {
  const std::optional<std::int32_t> ignored = loss.ignored_class();
  check_label_list(operation, outputs, y.labels, [&](std::int32_t label) { return label == ignored; });
  check_range(operation, "y", loss, y.values, 0, y.values.columns, false);
}

template <typename T>
void check_out(const char* operation, const Network& network, Index rows, MatrixView<T> out) {
  if (out.rows != rows || out.columns != network.outputs()) {
    fail(operation, ": out must have shape (", rows, ", ", network.outputs(), "), got (", out.rows, ", ", out.columns,
         ")");
  }
  if (out.data == nullptr) fail(operation, ": out must not be null");
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
  check_finite_input(operation, network, data.x);
  const bool list = objective.goals.front().labels && !objective.apart;
  if (list) {
    check_labels(operation, objective.goals.front(), data);
  } else {
    check_shape(operation, network, objective, data);
  }
  for (const Goal& goal : objective.goals) check_goal(operation, objective, goal, data);
  if (!data.sample_weight.empty()) check_weights(operation, objective, data);
}

void check_total_weight(const char* operation, const Objective& objective, double weight) {
  if (weight > 0) return;
  const Goal& goal = objective.goals.front();
  if (objective.ignore_nan) {
    fail(operation, ": y has no target that is there in any row whose weight is not 0; all others are NaN");
  }
  if (objective.apart || !goal.ignored) {
    fail(operation, ": sample_weight must be positive for at least one row, got only zeros");
  }
  fail(operation, ": the loss ignores class ", *goal.ignored,
       ", and y has no other class in any row whose weight is not 0");
}

template <typename T>
void check_dataset(const char* operation, const Network& network, const Objective& objective, const Dataset<T>& data) {
  check_rows(operation, network, objective, data);
  const std::span<const T> weights = data.sample_weight;
  if (!weights.empty() && std::none_of(weights.begin(), weights.end(), [](T weight) { return weight > 0; })) {
    check_total_weight(operation, objective, 0);
  }
  double most = 0;
  for (const Goal& goal : objective.goals) {
    if (goal.loss) most = std::max(most, BatchRows<T>{data, nullptr, 0, data.x.rows}.weight(goal));
  }
  check_total_weight(operation, objective, most);
}

template void check_out(const char*, const Network&, Index, MatrixView<float>);
template void check_out(const char*, const Network&, Index, MatrixView<double>);
template void check_input(const char*, const Network&, MatrixView<const float>);
template void check_input(const char*, const Network&, MatrixView<const double>);
template void check_targets(const char*, const Loss&, Index, const Targets<float>&);
template void check_targets(const char*, const Loss&, Index, const Targets<double>&);
template void check_rows(const char*, const Network&, const Objective&, const Dataset<float>&);
template void check_rows(const char*, const Network&, const Objective&, const Dataset<double>&);
template void check_dataset(const char*, const Network&, const Objective&, const Dataset<float>&);
template void check_dataset(const char*, const Network&, const Objective&, const Dataset<double>&);

}  // namespace laminar
