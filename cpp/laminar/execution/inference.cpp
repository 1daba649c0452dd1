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
/// starts with, its rows). With an objective as far as that needs, its losses taking activations upon themselves.
template <typename T, typename Finish>
void forward_blocks(const State<T>& state, MatrixView<const T> x, Rows rows, const Objective* objective,
                    double* activity, double* summed_activity, int threads, Crew& crew, StopScope* stop,
                    const Finish& finish) {
  const Plan& plan = state.inference_plan;
  const int end = objective != nullptr ? objective->end(state.network) : static_cast<int>(state.network.nodes().size());
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
                 objective != nullptr ? objective->absorbed() : nullptr};
    pass.stop = stop;
    if (activity != nullptr) {
      pass.activity = activity + block.begin;
      pass.summed_activity = summed_activity + block.begin;
    }
    const T* from = x.data + first * x.columns;
    if (plan.reads_input_in_place()) {
      pass.input = from;
    } else {
      for (Index i = 0; i < block.count(); ++i) {
        std::copy_n(from + i * x.columns, x.columns, pass.output_to_write(0, i));
      }
    }
    forward(pass, {0, block.count()}, 1, end);
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
        chunk_(rows > 0 ? std::min(kEvaluateRows, rows) : kEvaluateRows),
        activity_(static_cast<std::size_t>(state.network.penalizes_activity() ? 2 * chunk_ : 0)) {
    sums_.reserve(objective_.goals.size());
    for (const Goal& goal : objective_.goals) {
      sums_.emplace_back(goal, chunk_);
      room_ = std::max(room_, kBlockRows * (padded_stride(goal.columns) + padded_stride(goal.targets)));
      own_room_ = std::max(own_room_, own_room(goal));
      part_room_ = std::max(part_room_, PartOfRow<T>::room(goal));
    }
  }

  /// What a thread needs to compare a block of rows.
  void need(ScratchSizes& sizes) const {
    sizes.need(Scratch::comparison, room_);
    sizes.need(Scratch::present, part_room_);
    sizes.need(Scratch::program, own_room_);
  }

  /// The rows that come next.
  void begin_block(const Dataset<T>& data) {
    data_ = data;
    rows_ += data.x.rows;
    for (Sum& sum : sums_) sum.weight += BatchRows<T>{data, nullptr, 0, data.x.rows}.weight(*sum.goal);
  }

  /// Rows first … first + count - 1, which belong to the chunk that starts at row `chunk`.
  void add_block(const Pass<T>& pass, Index first, Index chunk, Index count) {
    for (Sum& sum : sums_) add_block(pass, sum, first, chunk, count);
  }

  /// Penalties on the outputs of a chunk's rows and losses that layers add, as the way forward adds them up, those
  /// whose mean counts and those whose sum does; null where there are none.
  double* activity() { return activity_.empty() ? nullptr : activity_.data(); }
  double* summed_activity() { return activity_.empty() ? nullptr : activity_.data() + chunk_; }

  void finish_chunk(Rows rows) {
    for (Index i = 0; i < (activity_.empty() ? 0 : rows.count()); ++i) {
      penalty_.mean += std::exchange(activity()[i], 0.0);
      penalty_.sum += std::exchange(summed_activity()[i], 0.0);
    }
    for (Sum& sum : sums_) {
      if (sum.goal->mixes_rows) {
        compare_rows(kernels::kernels<T>(), sum, sum.outputs.data(), sum.targets.data(), nullptr, 0, rows.count());
      }
      for (Index i = 0; i < (sum.goal->loss ? rows.count() : 0); ++i) {
        sum.loss += static_cast<double>(sum.losses.data()[i]);
      }
      const T* weights = data_.sample_weight.empty() ? nullptr : sum.weights.data();
      sum.scores.fold(sum.row_scores, weights, rows.count());
    }
  }

  /// Of all rows: what the sum of a goal's losses is divided by, and the largest of these.
  double weight(std::size_t goal) const { return sums_[goal].goal->sums ? 1 : sums_[goal].weight; }
  double largest_weight() const {
    double largest = 0;
    for (std::size_t g = 0; g < sums_.size(); ++g) {
      if (sums_[g].goal->loss) largest = std::max(largest, weight(g));
    }
    return largest;
  }
  Index rows() const { return rows_; }

  /// In the order of the objective's names; the penalties on weights come on top.
  std::vector<double> result() {
    std::vector<double> values(objective_.names.size());
    for (std::size_t g = 0; g < sums_.size(); ++g) {
      Sum& sum = sums_[g];
      const Goal& goal = *sum.goal;
      if (goal.loss) {
        const double loss = weight(g) > 0 ? goal.loss->finish(sum.loss / weight(g)) : 0;
        values[0] += goal.weight * loss;
        if (goal.log) values[*goal.log] = loss;
      }
      for (std::size_t m = 0; m < sum.scores.size(); ++m) values[goal.metric_logs[m]] = sum.scores.result(m);
    }
    values[0] += penalty_.of(rows_);
    return values;
  }

 private:
  /// What has come of a goal.
  struct Sum {
    Sum(const Goal& goal_, Index chunk)
        : goal(&goal_),
          losses(chunk),
          weights(chunk),
          outputs(goal_.mixes_rows ? chunk * padded_stride(goal_.columns) : 0),
          targets(goal_.mixes_rows ? chunk * padded_stride(goal_.targets) : 0),
          row_scores(goal_, chunk),
          scores(goal_) {}

    const Goal* goal;
    AlignedBuffer<T> losses;
    AlignedBuffer<T> weights;
    AlignedBuffer<T> outputs;  // of the whole chunk, where all its rows are compared at once
    AlignedBuffer<T> targets;
    RowScores<T> row_scores;
    Scores scores;
    double weight = 0;
    double loss = 0;  // sum over rows
  };

  void add_block(const Pass<T>& pass, Sum& sum, Index first, Index chunk, Index count) {
    const Goal& goal = *sum.goal;
    const Index stride = padded_stride(goal.columns);
    const BatchRows<T> rows{data_, nullptr, first, count};
    std::array<std::int32_t, kBlockRows> classes;  // read once: another thread may write them
    const Index targets_stride = padded_stride(goal.targets);
    T* outputs = scratch<T>(Scratch::comparison, room_);
    T* targets = outputs + kBlockRows * stride;
    if (goal.mixes_rows) {
      outputs = sum.outputs.data() + (first - chunk) * stride;
      targets = sum.targets.data() + (first - chunk) * targets_stride;
    }
    for (Index i = 0; i < count; ++i) std::copy_n(pass.output(goal.node, i), goal.columns, outputs + i * stride);
    if (goal.labels) {
      for (Index i = 0; i < count; ++i) classes[static_cast<std::size_t>(i)] = rows.label(goal, first + i);
    } else {
      const T* const from = rows.targets(goal, first);
      const Index each = data_.y.values.columns;
      for (Index i = 0; i < count; ++i) std::copy_n(from + i * each, goal.targets, targets + i * targets_stride);
    }
    if (!data_.sample_weight.empty()) {
      const GoalWeights<T> weights(goal, data_);
      T* const to = sum.weights.data() + (first - chunk);
      for (Index i = 0; i < count; ++i) to[i] = weights[first + i];
    }
    if (goal.mixes_rows) return;
    compare_rows(pass.kernels, sum, outputs, targets, goal.labels ? classes.data() : nullptr, first - chunk, count);
  }

  void compare_rows(const kernels::Kernels<T>& kernels, Sum& sum, T* outputs, const T* targets,
                    const std::int32_t* labels, Index first, Index count) {
    const Goal& goal = *sum.goal;
    Compared<T> c;
    c.outputs = outputs;
    c.outputs_stride = padded_stride(goal.columns);
    c.targets = goal.labels ? nullptr : targets;
    c.targets_stride = padded_stride(goal.targets);
    c.labels = labels;
    c.weights = data_.sample_weight.empty() ? nullptr : sum.weights.data() + first;
    c.losses = sum.losses.data() + first;
    c.scores = &sum.row_scores;
    c.first_score = first;
    c.rows = count;
    c.columns = goal.columns;
    compare(kernels, goal, c);
  }

  const Objective& objective_;
  Dataset<T> data_;
  Index chunk_;  // most rows of one
  std::vector<Sum> sums_;
  Index room_ = 0;
  Index part_room_ = 0;
  Index own_room_ = 0;
  std::vector<double> activity_;
  Index rows_ = 0;
  ActivitySums penalty_;
};

}  // namespace

template <typename T>
void predict(const State<T>& state, MatrixView<const T> x, MatrixView<T> out) {
  if (x.rows == 1 && state.chain.suits(state.packed)) {
    return state.chain.predict(state.packed, state.parameters.data(), x.data, out.data);
  }
  StopScope* const stop = StopScope::current();
  const int threads = threads_for_rows(state, x.rows);
  Crew crew(threads, state.network.work() * static_cast<double>(x.rows), state.inference_plan.scratch(), sizeof(T));
  forward_blocks(state, x, {0, x.rows}, nullptr, nullptr, nullptr, threads, crew, stop,
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
  evaluation.need(sizes);
  Crew crew(threads, state.network.work() * static_cast<double>(most), sizes, sizeof(T));
  StopScope* const scope = StopScope::current();
  rows.start();
  while (const Dataset<T>* block = rows.next(ask)) {
    evaluation.begin_block(*block);
    for (Index chunk = 0; chunk < block->x.rows; chunk += kEvaluateRows) {
      const Rows part{chunk, std::min(chunk + kEvaluateRows, block->x.rows)};
      forward_blocks(state, block->x, part, &*state.objective, evaluation.activity(), evaluation.summed_activity(),
                     threads, crew, scope, [&](const Pass<T>& pass, Index first, Index count) {
                       evaluation.add_block(pass, first, chunk, count);
                     });
      if (scope != nullptr) scope->leave();
      evaluation.finish_chunk(part);
    }
    if (ask()) break;
  }
  if (stopped) return {};
  if (evaluation.rows() == 0) fail(operation, ": the source has no rows");
  check_total_weight(operation, *state.objective, evaluation.largest_weight());
  std::vector<double> values = evaluation.result();
  Penalties<T> penalties(state.network.parameters());
  penalties.compute(state.parameters.data(), Team(0, 1));
  values[0] += (state.penalties_per_row ? 1 / evaluation.weight(0) : 1) * penalties.value();
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
