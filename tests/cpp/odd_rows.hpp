// SPDX-License-Identifier: Apache-2.0
// A source of rows for tests, and models that train on it.
#pragma once

#include <functional>
#include <utility>

#include "laminar/data/row_blocks.hpp"
#include "task.hpp"

namespace laminar::tests {

inline constexpr Index kFeatures = 3;
inline constexpr Index kOutputs = 2;
inline constexpr Index kRowBytes = static_cast<Index>(sizeof(float)) * (kFeatures + kOutputs);

/// A task's rows in parts and pieces of odd sizes, and what a test wants to go wrong.
class OddRows : public RowSource<float> {
 public:
  explicit OddRows(const Dataset<float>& data, Index parts = 3, bool tells = true)
      : data_(data), parts_(parts), tells_(tells) {}

  Index features() const override { return data_.x.columns; }
  Index outputs() const override { return data_.y.values.columns; }
  bool weighted() const override { return !data_.sample_weight.empty(); }
  MeanWeight mean_weight(std::optional<std::int32_t> ignored) const override {
    return ArrayRows<float>(data_).mean_weight(ignored);
  }
  Index rows() const override { return tells_ ? data_.x.rows + lie : 0; }
  Index parts() const override { return parts_; }
  std::optional<Index> batches() const override { return own_batches; }
  std::optional<Dataset<float>> all() const override { return everything; }
  void open(Index part) override {
    ++opened;
    at_ = data_.x.rows * part / parts_;
    end_ = data_.x.rows * (part + 1) / parts_;
  }
  Dataset<float> next() override {
    if (reads) reads();
    if (at_ <= throw_at && throw_at < end_) throw std::runtime_error("the disk is gone");
    const Index count = std::min<Index>(5, end_ - at_);
    const Index first = std::exchange(at_, at_ + count);
    return rows_of(data_, first, count);
  }

  std::optional<Index> own_batches;
  std::optional<Dataset<float>> everything;
  std::function<void()> reads;
  Index opened = 0;
  Index lie = 0;
  Index throw_at = -1;

 private:
  Dataset<float> data_;
  Index parts_;
  bool tells_;
  Index at_ = 0;
  Index end_ = 0;
};

/// Rows whose first feature is their number.
inline Task<float> numbered(Index rows) {
  Task<float> task(rows, kFeatures, kOutputs);
  for (Index i = 0; i < rows; ++i) task.x[as_size(i * kFeatures)] = static_cast<float>(i);
  return task;
}

inline const RowBlocks<float>::Check kAnything = [](const Dataset<float>&) {};

/// The numbers of an epoch's rows as they come, and the sizes of the blocks.
inline std::vector<Index> numbers(RowBlocks<float>& blocks, std::vector<Index>* sizes = nullptr) {
  std::vector<Index> found;
  while (const Dataset<float>* block = blocks.next()) {
    for (Index i = 0; i < block->x.rows; ++i) {
      const Index row = blocks.order() != nullptr ? blocks.order()[i] : i;
      found.push_back(static_cast<Index>(block->x.data[row * kFeatures]));
    }
    if (sizes != nullptr) sizes->push_back(block->x.rows);
  }
  return found;
}

inline Model<float> model_for(const Loss& loss, std::uint64_t seed = 5) {
  const Activation last(loss.class_labels() ? "softmax" : "linear");
  Model<float> model(Network(kFeatures, {mild_layer(kFeatures, 9, "tanh"), mild_layer(9, kOutputs, last)}), seed);
  model.compile(loss, "adam", {Metric(loss.class_labels() ? "sparse_categorical_accuracy" : "mean_absolute_error")});
  return model;
}

}  // namespace laminar::tests
