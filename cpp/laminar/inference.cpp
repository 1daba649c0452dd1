// SPDX-License-Identifier: Apache-2.0
#include "laminar/inference.hpp"

#include <algorithm>
#include <utility>

#include "laminar/batch.hpp"
#include "laminar/compare.hpp"
#include "laminar/parallel.hpp"
#include "laminar/pass.hpp"
#include "laminar/penalties.hpp"

namespace laminar {
namespace {

constexpr Index kEvaluateRows = 4096;  // rows whose losses are kept before they are summed

/// This thread's memory for inference: grows to the largest network seen, then stays.
template <typename T>
T* scratch(Index size) {
  thread_local AlignedBuffer<T> buffer;
  if (buffer.size() < size) buffer = AlignedBuffer<T>(size);
  return buffer.data();
}

/// Forward through a block of rows; finish(pass, row of x that the block starts with, its rows).
template <typename T, typename Finish>
void forward_blocks(const State<T>& state, MatrixView<const T> x, Rows rows, bool on_logits, double* activity,
                    const Team& team, const Finish& finish) {
  const Plan& plan = state.inference_plan;
  T* memory = scratch<T>(plan.size());
  for_row_blocks(rows.count(), team, [&](Rows block) {
    const Index first = rows.begin + block.begin;
    Pass<T> pass{state.network, plan,     kernels::kernels<T>(), state.parameters.data(), state.packed, memory,
                 nullptr,       on_logits};
    if (activity != nullptr) pass.activity = activity + block.begin;
    const T* from = x.data + first * x.columns;
    if (plan.reads_input_in_place()) {
      pass.input = from;
    } else {
      for (Index i = 0; i < block.count(); ++i) {
        std::copy_n(from + i * x.columns, x.columns, pass.output_to_write(0, i));
      }
    }
    forward(pass, {0, block.count()}, 1, pass.last() + 1);
    finish(pass, first, block.count());
  });
}

/// Losses and metrics of all rows, chunk by chunk; each is summed in the order of rows.
template <typename T>
class Evaluation {
 public:
  Evaluation(const State<T>& state, const Dataset<T>& data)
      : objective_(*state.objective),
        data_(data),
        columns_(state.network.outputs()),
        stride_(padded_stride(columns_)),
        losses_(std::min(kEvaluateRows, data.x.rows)),
        row_scores_(objective_.metrics, columns_, losses_.size(), objective_.ignored.has_value()),
        scores_(objective_.metrics, columns_),
        activity_(static_cast<std::size_t>(state.network.penalizes_activity() ? losses_.size() : 0)) {}

  /// Rows first … first + count - 1, which belong to the chunk that starts at row `chunk`.
  void add_block(const Pass<T>& pass, Index first, Index chunk, Index count) {
    thread_local AlignedBuffer<T> buffer;
    if (buffer.size() < 2 * kBlockRows * stride_) buffer = AlignedBuffer<T>(2 * kBlockRows * stride_);
    const bool labels = objective_.loss.class_labels();
    T* outputs = buffer.data();
    T* targets = outputs + kBlockRows * stride_;
    for (Index i = 0; i < count; ++i) {
      std::copy_n(pass.output(pass.last(), i), columns_, outputs + i * stride_);
      if (!labels) std::copy_n(data_.y.values.data + (first + i) * columns_, columns_, targets + i * stride_);
    }
    Compared<T> c;
    c.outputs = outputs;
    c.outputs_stride = stride_;
    c.targets = labels ? nullptr : targets;
    c.targets_stride = stride_;
    c.labels = labels ? data_.y.labels.data() + first : nullptr;
    c.weights = data_.sample_weight.empty() ? nullptr : data_.sample_weight.data() + first;
    c.losses = losses_.data() + (first - chunk);
    c.scores = &row_scores_;
    c.first_score = first - chunk;
    c.rows = count;
    c.columns = columns_;
    compare(pass.kernels, objective_, c);
  }

  /// Penalties on the outputs of a chunk's rows, which the way forward adds up; null where there are none.
  double* activity() { return activity_.empty() ? nullptr : activity_.data(); }

  void finish_chunk(Rows rows) {
    for (Index i = 0; i < (activity_.empty() ? 0 : rows.count()); ++i) {
      penalty_ += std::exchange(activity_[static_cast<std::size_t>(i)], 0.0);
    }
    for (Index i = 0; i < rows.count(); ++i) loss_ += static_cast<double>(losses_.data()[i]);
    const T* weights = data_.sample_weight.empty() ? nullptr : data_.sample_weight.data() + rows.begin;
    scores_.fold(row_scores_, weights, rows.count());
  }

  std::vector<double> result() const {
    const double mean = loss_ / BatchRows<T>{data_, nullptr, 0, data_.x.rows}.weight(objective_);
    std::vector<double> values = {objective_.loss.finish(mean) + penalty_ / static_cast<double>(data_.x.rows)};
    for (std::size_t m = 0; m < scores_.size(); ++m) values.push_back(scores_.result(m));
    return values;
  }

 private:
  const Objective& objective_;
  const Dataset<T>& data_;
  Index columns_;
  Index stride_;
  AlignedBuffer<T> losses_;
  RowScores row_scores_;
  Scores scores_;
  std::vector<double> activity_;
  double loss_ = 0;     // sum over rows
  double penalty_ = 0;  // on outputs, sum over rows
};

}  // namespace

template <typename T>
void predict(const State<T>& state, MatrixView<const T> x, MatrixView<T> out) {
  const auto body = [&](const Team& team) {
    forward_blocks(state, x, {0, x.rows}, false, nullptr, team, [&](const Pass<T>& pass, Index first, Index count) {
      for (Index i = 0; i < count; ++i) {
        std::copy_n(pass.output(pass.last(), i), out.columns, out.data + (first + i) * out.columns);
      }
    });
  };
  run_team(threads_for(state.network.work() * static_cast<double>(x.rows)), body);
}

template <typename T>
std::vector<double> evaluate(const State<T>& state, const Dataset<T>& data) {
  Evaluation<T> evaluation(state, data);
  for (Index chunk = 0; chunk < data.x.rows; chunk += kEvaluateRows) {
    const Rows rows{chunk, std::min(chunk + kEvaluateRows, data.x.rows)};
    const auto body = [&](const Team& team) {
      forward_blocks(
          state, data.x, rows, state.objective->absorbs_last, evaluation.activity(), team,
          [&](const Pass<T>& pass, Index first, Index count) { evaluation.add_block(pass, first, chunk, count); });
    };
    run_team(threads_for(state.network.work() * static_cast<double>(rows.count())), body);
    evaluation.finish_chunk(rows);
  }
  std::vector<double> values = evaluation.result();
  Penalties<T> penalties(state.network.parameters());
  penalties.compute(state.parameters.data(), Team(0, 1));
  double scale = 1;
  if (state.penalties_per_row) {
    const double weight = BatchRows<T>{data, nullptr, 0, data.x.rows}.weight(*state.objective);
    scale = weight > 0 ? 1 / weight : 0;
  }
  values[0] += scale * penalties.value();
  return values;
}

template void predict(const State<float>&, MatrixView<const float>, MatrixView<float>);
template void predict(const State<double>&, MatrixView<const double>, MatrixView<double>);
template std::vector<double> evaluate(const State<float>&, const Dataset<float>&);
template std::vector<double> evaluate(const State<double>&, const Dataset<double>&);

}  // namespace laminar
