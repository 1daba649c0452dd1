// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/row_losses.hpp"

#include <algorithm>
#include <cmath>

#include "laminar/base/buffer.hpp"
#include "laminar/base/error.hpp"
#include "laminar/base/stop.hpp"
#include "laminar/data/checks.hpp"
#include "laminar/kernels/table.hpp"

namespace laminar {
namespace {

constexpr double kWorkPerValue = 20;

/// Whether a loss has a value for all targets, those included that it is not for: Keras gives it as well.
/// Tweedie's deviances, of which gamma's is one, have none where a power or a logarithm has none.
bool defined_everywhere(const Loss& loss) { return !loss.takes("power") && std::string_view(loss.name()) != "gamma"; }

template <typename T>
void check_rows(const Loss& loss, MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights) {
  const Index rows = loss.class_labels() ? static_cast<Index>(targets.labels.size()) : targets.values.rows;
  const Index columns = loss.class_labels() ? outputs.columns : targets.values.columns;
  if (rows != outputs.rows || columns != outputs.columns) {
    fail(loss.name(), ": y has ", rows, " rows of ", columns, ", the outputs are ", outputs.rows, " rows of ",
         outputs.columns);
  }
  if (!weights.empty() && static_cast<Index>(weights.size()) != outputs.rows) {
    fail(loss.name(), ": there are ", outputs.rows, " rows, sample_weight has ", weights.size());
  }
  if (loss.class_labels() || !defined_everywhere(loss)) check_targets(loss.name(), loss, outputs.columns, targets);
}

}  // namespace

template <typename T>
void row_losses(const Loss& loss, MatrixView<const T> outputs, const Targets<T>& targets, std::span<const T> weights,
                std::span<T> out, MatrixView<T> gradients) {
  check_rows(loss, outputs, targets, weights);
  const Index columns = outputs.columns;
  const Index stride = padded_stride(columns);
  const Index block = std::min(kBlockRows, outputs.rows);
  AlignedBuffer<T> memory(3 * block * stride);
  const auto values = loss.values_as<T>();
  kernels::LossRows<T> r;
  r.loss = loss.index();
  r.parameters = values.data();
  r.logits = loss.from_logits();
  r.outputs = memory.data();
  r.outputs_stride = stride;
  r.targets = loss.class_labels() ? nullptr : memory.data() + block * stride;
  r.targets_stride = stride;
  r.columns = columns;
  for (Index first = 0; first < outputs.rows; first += block) {
    r.rows = std::min(block, outputs.rows - first);
    leave_if_stopped(kWorkPerValue * static_cast<double>(r.rows * columns));
    for (Index i = 0; i < r.rows; ++i) {
      std::copy_n(outputs.data + (first + i) * columns, columns, memory.data() + i * stride);
      if (loss.class_labels()) continue;
      std::copy_n(targets.values.data + (first + i) * columns, columns, memory.data() + (block + i) * stride);
    }
    if (loss.class_labels()) r.labels = targets.labels.data() + first;
    if (!weights.empty()) r.weights = weights.data() + first;
    r.losses = out.data() + first;
    if (gradients.data != nullptr) {
      r.delta = memory.data() + 2 * block * stride;
      r.delta_stride = stride;
    }
    kernels::kernels<T>().loss(r);
    for (Index i = 0; i < r.rows && r.delta != nullptr; ++i) {
      std::copy_n(r.delta + i * stride, columns, gradients.data + (first + i) * columns);
    }
  }
}

namespace {

/// What the sum of the losses of rows is divided by: 0 where no row counts.
template <typename T>
double divisor(const Loss& loss, std::size_t rows, const Targets<T>& targets, std::span<const T> weights) {
  if (loss.reduction() == Reduction::sum) return 1;
  const bool weighted = loss.reduction() == Reduction::weighted_mean && !weights.empty();
  const std::optional<std::int32_t> ignored = loss.ignored_class();
  double count = 0;
  for (std::size_t i = 0; i < rows; ++i) {
    if (ignored && targets.labels[i] == *ignored) continue;
    count += weighted ? static_cast<double>(weights[i]) : 1;
  }
  return count;
}

/// The sum of losses over what it is divided by.
template <typename T>
double quotient(std::span<const T> losses, double count) {
  double sum = 0;
  for (const T loss : losses) sum += static_cast<double>(loss);
  return count > 0 ? sum / count : 0;
}

}  // namespace

template <typename T>
double reduced(const Loss& loss, std::span<const T> losses, const Targets<T>& targets, std::span<const T> weights) {
  return loss.finish(quotient(losses, divisor(loss, losses.size(), targets, weights)));
}

template <typename T>
double loss_and_gradient(const Loss& loss, MatrixView<const T> outputs, const Targets<T>& targets,
                         std::span<const T> weights, std::span<T> losses, MatrixView<T> d_outputs) {
  row_losses<T>(loss, outputs, targets, weights, losses, d_outputs);
  const bool by_row = loss.reduction() == Reduction::none;
  double value = 0;
  double slope = 1;
  if (!by_row) {
    const double count = divisor<T>(loss, losses.size(), targets, weights);
    const double mean = quotient<T>(losses, count);
    value = loss.finish(mean);
    slope = count > 0 ? loss.finish_slope(mean) / count : 0;
  }
  for (Index row = 0; row < outputs.rows; ++row) {
    if (by_row) {
      T& own = losses[static_cast<std::size_t>(row)];
      slope = loss.finish_slope(static_cast<double>(own));
      own = static_cast<T>(loss.finish(static_cast<double>(own)));
    }
    for (Index i = row * outputs.columns; i < (row + 1) * outputs.columns; ++i) {
      d_outputs.data[i] = static_cast<T>(static_cast<double>(d_outputs.data[i]) * slope);
    }
  }
  return value;
}

template void row_losses(const Loss&, MatrixView<const float>, const Targets<float>&, std::span<const float>,
                         std::span<float>, MatrixView<float>);
template void row_losses(const Loss&, MatrixView<const double>, const Targets<double>&, std::span<const double>,
                         std::span<double>, MatrixView<double>);
template double loss_and_gradient(const Loss&, MatrixView<const float>, const Targets<float>&, std::span<const float>,
                                  std::span<float>, MatrixView<float>);
template double loss_and_gradient(const Loss&, MatrixView<const double>, const Targets<double>&,
                                  std::span<const double>, std::span<double>, MatrixView<double>);
template double reduced(const Loss&, std::span<const float>, const Targets<float>&, std::span<const float>);
template double reduced(const Loss&, std::span<const double>, const Targets<double>&, std::span<const double>);

}  // namespace laminar
