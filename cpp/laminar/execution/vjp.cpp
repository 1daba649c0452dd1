// SPDX-License-Identifier: Apache-2.0
#include "laminar/execution/vjp.hpp"

#include <algorithm>
#include <optional>

#include "laminar/base/error.hpp"
#include "laminar/execution/batch.hpp"

namespace laminar {
namespace {

/// Forward through all nodes for all rows of the workspace.
template <typename T>
void all_forward(const Pass<T>& pass, const std::vector<int>& whole_batch, Index rows) {
  const Team alone(0, 1);
  const auto run = [&](int first, int end) {
    for_row_blocks(rows, pass.kernels.depths, alone, [&](Rows block) { forward(pass, block, first, end); });
  };
  int first = 1;
  for (const int node : whole_batch) {
    run(first, node);
    forward_sums(pass, node, rows, alone);
    first = node;
  }
  run(first, pass.last() + 1);
}

/// And back, from the last node's delta.
template <typename T>
void all_backward(const Pass<T>& pass, const std::vector<int>& whole_batch, Index rows) {
  const Team alone(0, 1);
  int last = pass.last();
  const auto run = [&](int end) {
    for_row_blocks(rows, pass.kernels.depths, alone, [&](Rows block) { backward(pass, block, last, end); });
  };
  for (auto node = whole_batch.rbegin(); node != whole_batch.rend(); ++node) {
    run(*node + 1);
    if (pass.wants_delta(*node)) backward_sums(pass, *node, rows, alone);
    last = *node;
  }
  run(1);
}

/// Lets running statistics follow those of the batch that went forward. The gradients that come with them, of
/// layers that had no delta, are nobody's.
template <typename T>
void follow(const Pass<T>& pass, Index rows, T* statistics) {
  AlignedBuffer<T> gradients(pass.network.parameters().size());
  GradientSink<T> sink{pass.kernels, gradients.data()};
  sink.statistics = statistics;
  for (const GradientTask& task : gradient_tasks(pass.network, pass.kernels.panel, rows)) {
    if (needs_whole_batch(pass.node(task.node).layer)) parameter_gradient(pass, task, rows, sink);
  }
}

/// The number of the update that draws are those of.
template <typename T>
Index update_of(const State<T>& state, Index step) {
  if (step >= 0) return step;
  return state.optimizer.has_value() ? state.optimizer->iterations : 0;
}

}  // namespace

template <typename T>
void backward(const State<T>& state, MatrixView<const T> x, MatrixView<const T> d_out, std::span<T> d_parameters,
              MatrixView<T> d_x, bool training, Index step) {
  const Network& network = state.network;
  const bool by_input = d_x.data != nullptr;
  // Rows that draw or are looked at together are so all at once; others go through in blocks.
  const Index most = training ? x.rows : std::min(kBlockRows, x.rows);
  const Plan plan(network, most, training ? Mode::training : Mode::gradient, state.precision, by_input);
  AlignedBuffer<T> memory(plan.size());
  std::optional<PackedWeights<T>> more;  // for gradients that training has not
  const bool lacking = by_input || state.for_inference();
  if (lacking) more.emplace(network, state.precision, state.packed).refresh(network, state.parameters.data());
  const PackedWeights<T>& packed = lacking ? *more : state.packed;
  std::vector<GradientTask> tasks;
  if (!d_parameters.empty()) tasks = gradient_tasks(network, packed.kernels().panel, most);
  std::fill(d_parameters.begin(), d_parameters.end(), T(0));
  GradientSink<T> sink{packed.kernels(), d_parameters.data()};
  const std::vector<int> whole_batch = whole_batch_nodes(network);
  StopScope* const stop = StopScope::current();
  for (Index first = 0; first < x.rows; first += most) {
    const Index rows = std::min(most, x.rows - first);
    Pass<T> pass{network, plan, packed.kernels(), state.parameters.data(), packed, memory.data()};
    pass.seed = state.seed;
    pass.step = update_of(state, step);
    pass.first_row = first;
    pass.stop = stop;
    pass.kernels.gather(x.data + first * x.columns, x.columns, nullptr, rows, pass.output_to_write(0, 0),
                        pass.stride(0));
    all_forward(pass, whole_batch, rows);
    for (Index row = 0; row < rows; ++row) {
      std::copy_n(d_out.data + (first + row) * d_out.columns, d_out.columns, pass.delta(pass.last(), row));
    }
    all_backward(pass, whole_batch, rows);
    for (const GradientTask& task : tasks) parameter_gradient(pass, task, rows, sink);
    if (stop != nullptr) stop->leave();
    sink.add = true;
    for (Index row = 0; by_input && row < rows; ++row) {
      std::copy_n(pass.delta(0, row), d_x.columns, d_x.data + (first + row) * d_x.columns);
    }
  }
}

template <typename T>
Passage<T>::Passage(const State<T>& state, Index rows)
    : plan_(state.network, rows, Mode::training, state.precision, false),
      whole_batch_(whole_batch_nodes(state.network)) {}

template <typename T>
Pass<T> Passage<T>::pass(const State<T>& state, StopScope* stop) {
  Pass<T> pass{state.network, plan_, state.packed.kernels(), state.parameters.data(), state.packed, memory_.data()};
  pass.seed = state.seed;
  pass.step = step_;
  pass.stop = stop;
  return pass;
}

template <typename T>
void Passage<T>::forward(const State<T>& state, MatrixView<const T> x, MatrixView<T> out, Index step, T* statistics) {
  if (memory_.size() != plan_.size()) memory_ = AlignedBuffer<T>(plan_.size());
  step_ = update_of(state, step);
  StopScope* const stop = StopScope::current();
  const Pass<T> pass = this->pass(state, stop);
  pass.kernels.gather(x.data, x.columns, nullptr, x.rows, pass.output_to_write(0, 0), pass.stride(0));
  all_forward(pass, whole_batch_, x.rows);
  if (stop != nullptr) stop->leave();
  for (Index row = 0; row < x.rows; ++row) {
    std::copy_n(pass.output(pass.last(), row), out.columns, out.data + row * out.columns);
  }
  if (statistics != nullptr) follow(pass, x.rows, statistics);
}

template <typename T>
void Passage<T>::backward(const State<T>& state, MatrixView<const T> d_out, std::span<T> d_parameters) {
  StopScope* const stop = StopScope::current();
  const Pass<T> pass = this->pass(state, stop);
  if (tasks_.empty()) tasks_ = gradient_tasks(state.network, pass.kernels.panel, rows());
  std::fill(d_parameters.begin(), d_parameters.end(), T(0));
  for (Index row = 0; row < rows(); ++row) {
    std::copy_n(d_out.data + row * d_out.columns, d_out.columns, pass.delta(pass.last(), row));
  }
  all_backward(pass, whole_batch_, rows());
  const GradientSink<T> sink{pass.kernels, d_parameters.data()};
  for (const GradientTask& task : tasks_) parameter_gradient(pass, task, rows(), sink);
  if (stop != nullptr) stop->leave();
}

template <typename T>
void outputs_in_training(const State<T>& state, MatrixView<const T> x, MatrixView<T> out, Index step, T* statistics,
                         Passage<T>* passage) {
  if (passage != nullptr && passage->rows() != x.rows) fail("outputs_in_training: the passage is for other rows");
  if (passage != nullptr) return passage->forward(state, x, out, step, statistics);
  Passage<T>(state, x.rows).forward(state, x, out, step, statistics);
}

template class Passage<float>;
template class Passage<double>;
template void outputs_in_training(const State<float>&, MatrixView<const float>, MatrixView<float>, Index, float*,
                                  Passage<float>*);
template void outputs_in_training(const State<double>&, MatrixView<const double>, MatrixView<double>, Index, double*,
                                  Passage<double>*);
template void backward(const State<float>&, MatrixView<const float>, MatrixView<const float>, std::span<float>,
                       MatrixView<float>, bool, Index);
template void backward(const State<double>&, MatrixView<const double>, MatrixView<const double>, std::span<double>,
                       MatrixView<double>, bool, Index);

}  // namespace laminar
