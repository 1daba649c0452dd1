// SPDX-License-Identifier: Apache-2.0
#include "train_ready.hpp"

#include <cmath>

#include "interrupts.hpp"
#include "ready_rows.hpp"

#include "laminar/execution/state.hpp"

namespace laminar::bindings {
namespace {

// Steps of some ten microseconds: below, giving up the interpreter lock would be felt; beyond, all else is not.
constexpr double kStepUnderLock = 5e5;
constexpr double kFewOperations = 2e7;
constexpr double kMostBesideOne = 0.5;  // as Python's check of distributions has it

py::object result(const std::vector<double>& values) {
  if (values.size() == 1) return py::float_(values.front());
  return py::cast(values);
}

/// Whether rows of several values are far from summing to 1, of which Python warns.
template <typename T>
bool far_from_one(const ReadyRows<T>& y) {
  for (Index i = 0; y.columns > 1 && i < y.rows; ++i) {
    T sum = 0;
    for (Index j = 0; j < y.columns; ++j) sum += y.data[i * y.columns + j];
    if (!(std::abs(sum - 1) <= kMostBesideOne) && sum != 0) return true;
  }
  return false;
}

}  // namespace

template <typename T>
py::object train_ready(SharedModel<T>& shared, const py::handle& x, const py::handle& y, bool distributions) {
  if (shared.trained_here() || shared.trained_elsewhere()) return py::none();
  const State<T>& facts = shared.now().facts();
  const Network& network = facts.network;
  if (!facts.objective.has_value() || facts.objective->apart) return py::none();
  const Goal& goal = facts.objective->goals.front();
  if (network.input_shape().size() != 1 || network.nodes().back().shape.size() != 1) return py::none();
  ReadyRows<T> in;
  if (!in.take(x) || in.axes != 2 || in.rows == 0 || in.columns != network.features()) return py::none();
  const double work = 3 * network.work() * static_cast<double>(in.rows);
  if (work > kFewOperations) return py::none();
  Dataset<T> data;
  data.x = {in.data, in.rows, in.columns};
  ReadyRows<std::int32_t> labels;
  ReadyRows<T> targets;
  if (goal.labels) {
    if (!labels.take(y) || labels.columns != 1 || labels.rows != in.rows) return py::none();
    data.y = Targets<T>(std::span(labels.data, static_cast<std::size_t>(labels.rows)));
  } else {
    if (!targets.take(y) || targets.rows != in.rows || targets.columns != goal.targets) return py::none();
    if (distributions && far_from_one(targets)) return py::none();
    data.y = Targets<T>(MatrixView<const T>(targets.data, targets.rows, targets.columns));
  }
  if (work < kStepUnderLock) return result(shared.changing("train_on_batch").train_on_batch(data));
  typename SharedModel<T>::Training training(shared, "train_on_batch");
  return result(unlocked([&] { return training.model().train_on_batch(data); }));
}

template py::object train_ready(SharedModel<float>&, const py::handle&, const py::handle&, bool);
template py::object train_ready(SharedModel<double>&, const py::handle&, const py::handle&, bool);

}  // namespace laminar::bindings
