// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/inference.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "laminar/base/error.hpp"
#include "laminar/data/checks.hpp"
#include "laminar/execution/batch.hpp"
#include "laminar/execution/compare.hpp"
#include "laminar/execution/pass.hpp"
#include "laminar/execution/penalties.hpp"
#include "laminar/threads/crew.hpp"

namespace laminar {
namespace {

constexpr Index kEvaluateRows = 4096;  // rows whose losses are kept before they are summed

/// How many threads take so many rows.
template <typename T>
int threads_for_rows(const State<T>& state, Index rows) {
  return row_sharers(rows, threads_for(state.network.work() * static_cast<double>(rows)));
}

/// Forward through rows, which a crew of so many threads shares in blocks; finish(pass, row of x that the block
/// starts with, its rows).
template <typename T, typename Finish>
void forward_blocks(const State<T>& state, MatrixView<const T> x, Rows rows, bool on_logits, double* activity,
                    int threads, Crew& crew, StopScope* stop, const Finish& finish) {
  const Plan& plan = state.inference_plan;
  const Index count = rows.count();
  const Index blocks = std::max<Index>((count + kBlockRows - 1) / kBlockRows, row_sharers(count, threads));
  crew.share(blocks, [&](Index b) {
    const Rows block{count * b / blocks, count * (b + 1) / blocks};
    const Index first = rows.begin + block.begin;
    Pass<T> pass{state.network,
                 plan,
                 state.packed.kernels(),
                 state.parameters.data(),
                 state.packed,
                 scratch<T>(Scratch::workspace, plan.size()),
                 nullptr,
                 on_logits};
    pass.stop = stop;
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
    if (stop != nullptr && stop->stopped()) return;
    finish(pass, first, block.count());
  });
}

/// Losses and metrics of all rows, chunk by chunk of each block; each is summed in the order of rows.
template <typename T>
class Evaluation {
 public:
  Evaluation(const State<T>& state, Index rows)
      : objective_(*state.objective),
        columns_(state.network.outputs()),
        stride_(padded_stride(columns_)),
        losses_(rows > 0 ? std::min(kEvaluateRows, rows) : kEvaluateRows),
        row_scores_(objective_, columns_, losses_.size()),
        scores_(objective_.metrics, columns_),
        activity_(static_cast<std::size_t>(state.network.penalizes_activity() ? losses_.size() : 0)) {}

  /// What a thread needs to compare a block of rows.
  Index room() const { return 2 * kBlockRows * stride_; }

  /// The rows that come next.
  void begin_block(const Dataset<T>& data) {
    data_ = data;
    rows_ += data.x.rows;
    weight_ += BatchRows<T>{data, nullptr, 0, data.x.rows}.weight(objective_);
  }

  /// Rows first … first + count - 1, which belong to the chunk that starts at row `chunk`.
  void add_block(const Pass<T>& pass, Index first, Index chunk, Index count) {
    const bool labels = objective_.loss.class_labels();
    std::array<std::int32_t, kBlockRows> classes;  // read once: another thread may write them
    T* outputs = scratch<T>(Scratch::comparison, room());
    T* targets = outputs + kBlockRows * stride_;
    for (Index i = 0; i < count; ++i) {
      std::copy_n(pass.output(pass.last(), i), columns_, outputs + i * stride_);
      if (!labels) std::copy_n(data_.y.values.data + (first + i) * columns_, columns_, targets + i * stride_);
    }
    if (labels) std::copy_n(data_.y.labels.data() + first, count, classes.data());
    Compared<T> c;
    c.outputs = outputs;
    c.outputs_stride = stride_;
    c.targets = labels ? nullptr : targets;
    c.targets_stride = stride_;
    c.labels = labels ? classes.data() : nullptr;
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

  /// Of all rows: what the sum of their losses is divided by.
  double weight() const { return objective_.sums ? 1 : weight_; }
  Index rows() const { return rows_; }

  std::vector<double> result() {
    const double mean = loss_ / weight();
    std::vector<double> values = {objective_.loss.finish(mean) + penalty_ / static_cast<double>(rows_)};
    for (std::size_t m = 0; m < scores_.size(); ++m) values.push_back(scores_.result(m));
    return values;
  }

 private:
  const Objective& objective_;
  Dataset<T> data_;
  Index columns_;
  Index stride_;
  AlignedBuffer<T> losses_;
  RowScores<T> row_scores_;
  Scores scores_;
  std::vector<double> activity_;
  Index rows_ = 0;
  double weight_ = 0;
  double loss_ = 0;     // sum over rows
  double penalty_ = 0;  // on outputs, sum over rows
};

}  // namespace

template <typename T>
void predict(const State<T>& state, MatrixView<const T> x, MatrixView<T> out) {
  StopScope* const stop = StopScope::current();
  const int threads = threads_for_rows(state, x.rows);
  Crew crew(threads, state.network.work() * static_cast<double>(x.rows), state.inference_plan.scratch(), sizeof(T));
  forward_blocks(state, x, {0, x.rows}, false, nullptr, threads, crew, stop,
                 [&](const Pass<T>& pass, Index first, Index count) {
                   for (Index i = 0; i < count; ++i) {
                     std::copy_n(pass.output(pass.last(), i), out.columns, out.data + (first + i) * out.columns);
                   }
                 });
  if (stop != nullptr) stop->leave();
}

template <typename T>
std::vector<double> evaluate(const State<T>& state, const Dataset<T>& data) {
  RowBlocks<T> rows(data);
  return evaluate(state, rows);
}

template <typename T>
std::vector<double> evaluate(const State<T>& state, RowBlocks<T>& rows, const typename RowBlocks<T>::Stop& stop,
                             const char* operation) {
  Evaluation<T> evaluation(state, rows.rows());
  bool stopped = false;
  const auto ask = [&] { return stopped = stop && stop(); };
  const Index most = rows.rows() > 0 ? std::min(kEvaluateRows, rows.rows()) : kEvaluateRows;
  const int threads = threads_for_rows(state, most);
  ScratchSizes sizes = state.inference_plan.scratch();
  sizes.need(Scratch::comparison, evaluation.room());
  Crew crew(threads, state.network.work() * static_cast<double>(most), sizes, sizeof(T));
  StopScope* const scope = StopScope::current();
  rows.start();
  while (const Dataset<T>* block = rows.next(ask)) {
    evaluation.begin_block(*block);
    for (Index chunk = 0; chunk < block->x.rows; chunk += kEvaluateRows) {
      const Rows part{chunk, std::min(chunk + kEvaluateRows, block->x.rows)};
      forward_blocks(
          state, block->x, part, state.objective->absorbs_last, evaluation.activity(), threads, crew, scope,
          [&](const Pass<T>& pass, Index first, Index count) { evaluation.add_block(pass, first, chunk, count); });
      if (scope != nullptr) scope->leave();
      evaluation.finish_chunk(part);
    }
    if (ask()) break;
  }
  if (stopped) return {};
  if (evaluation.rows() == 0) fail(operation, ": the source has no rows");
  check_total_weight(operation, *state.objective, evaluation.weight());
  std::vector<double> values = evaluation.result();
  Penalties<T> penalties(state.network.parameters());
  penalties.compute(state.parameters.data(), Team(0, 1));
  values[0] += (state.penalties_per_row ? 1 / evaluation.weight() : 1) * penalties.value();
  return values;
}

template void predict(const State<float>&, MatrixView<const float>, MatrixView<float>);
template void predict(const State<double>&, MatrixView<const double>, MatrixView<double>);
template std::vector<double> evaluate(const State<float>&, const Dataset<float>&);
template std::vector<double> evaluate(const State<double>&, const Dataset<double>&);
template std::vector<double> evaluate(const State<float>&, RowBlocks<float>&, const RowBlocks<float>::Stop&,
                                      const char*);
template std::vector<double> evaluate(const State<double>&, RowBlocks<double>&, const RowBlocks<double>::Stop&,
                                      const char*);

}  // namespace laminar
