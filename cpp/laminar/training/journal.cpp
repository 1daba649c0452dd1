// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/journal.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <type_traits>
#include <variant>

namespace laminar {
namespace {

// What it may take to come back, some tenths of a second, and to keep.
constexpr double kMostWork = 2e10;
constexpr std::size_t kMostUpdates = 4096;
constexpr std::size_t kLeastRoom = std::size_t{1} << 16;
constexpr std::size_t kMostRoom = std::size_t{1} << 24;

bool calls_functions(const Program& program) {
  const auto& values = program.values();
  return std::any_of(values.begin(), values.end(), [](const Instruction& value) { return value.function != nullptr; });
}

bool calls_functions(const Node& node) {
  const auto calls = []<typename L>(const L& layer) {
    if constexpr (std::is_base_of_v<Operations, L>) {
      return calls_functions(layer.program) || (layer.training_program && calls_functions(*layer.training_program));
    }
    return false;
  };
  return std::visit(calls, node.layer);
}

bool calls_functions(const Goal& goal) {
  const auto calls = [](const auto& part) { return part.own != nullptr && calls_functions(part.own->program()); };
  return (goal.loss && calls(*goal.loss)) || std::any_of(goal.metrics.begin(), goal.metrics.end(), calls);
}

/// Values of x, of y and weights.
template <typename T>
std::array<std::span<const T>, 3> parts_of(const Dataset<T>& rows) {
  const auto all = [](const MatrixView<const T>& m) {
    return std::span<const T>(m.data, static_cast<std::size_t>(m.rows * m.columns));
  };
  return {all(rows.x), all(rows.y.values), rows.sample_weight};
}

}  // namespace

template <typename T>
bool Journal<T>::repeatable() {
  if (!repeatable_.has_value()) {
    const auto calls = [](const auto& part) { return calls_functions(part); };
    const auto& nodes = state_.network.nodes();
    const auto& goals = state_.objective->goals;
    repeatable_ = std::none_of(nodes.begin(), nodes.end(), calls) && std::none_of(goals.begin(), goals.end(), calls);
  }
  return *repeatable_;
}

template <typename T>
void Journal<T>::begin(Index snapshot) {
  close();
  open_ = repeatable();
  room_ = std::clamp(static_cast<std::size_t>(snapshot), kLeastRoom, kMostRoom);
}

template <typename T>
void Journal<T>::close() {
  open_ = false;
  work_ = 0;
  rates_.clear();
  kept_.clear();
  values_.clear();
  labels_.clear();
}

template <typename T>
bool Journal<T>::takes(double work, const Dataset<T>* rows) const {
  if (!open_ || rates_.size() == kMostUpdates || work_ + work > kMostWork) return false;
  if (kept_.empty() != (rows == nullptr) && !rates_.empty()) return false;
  if (rows == nullptr) return true;
  std::size_t bytes = values_.size() * sizeof(T) + (labels_.size() + rows->y.labels.size()) * sizeof(std::int32_t);
  for (const std::span<const T> part : parts_of(*rows)) bytes += part.size_bytes();
  return bytes <= room_;
}

template <typename T>
void Journal<T>::add(double rate, double work, const Dataset<T>* rows) {
  if (!takes(work, rows)) return close();
  work_ += work;
  rates_.push_back(rate);
  if (rows == nullptr) return;
  if (values_.capacity() == 0) values_.reserve(room_ / sizeof(T));
  kept_.push_back({*rows, values_.size(), labels_.size()});
  for (const std::span<const T> part : parts_of(*rows)) values_.insert(values_.end(), part.begin(), part.end());
  labels_.insert(labels_.end(), rows->y.labels.begin(), rows->y.labels.end());
}

template <typename T>
Dataset<T> Journal<T>::rows(Index update) const {
  const Kept& kept = kept_[static_cast<std::size_t>(update)];
  Dataset<T> rows = kept.rows;
  const T* values = values_.data() + kept.value;
  rows.x = {values, rows.x.rows, rows.x.columns};
  values += rows.x.rows * rows.x.columns;
  if (rows.y.values.data != nullptr) rows.y.values = {values, rows.y.values.rows, rows.y.values.columns};
  values += rows.y.values.rows * rows.y.values.columns;
  rows.sample_weight = {values, rows.sample_weight.size()};
  rows.y.labels = std::span(labels_).subspan(kept.label, rows.y.labels.size());
  return rows;
}

template class Journal<float>;
template class Journal<double>;

}  // namespace laminar
