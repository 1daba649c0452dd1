// SPDX-License-Identifier: Apache-2.0
// Rows that need not be in memory all at once. A source has parts that can be read in any order, a
// file each for example, and gives the rows of a part in pieces. One thread at a time reads it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "laminar/base/error.hpp"
#include "laminar/base/mean_weight.hpp"
#include "laminar/base/types.hpp"

namespace laminar {

/// Where rows come from. Whatever its functions throw ends the training that reads it. They are called
/// by other threads than the caller's, one at a time, but for those of batches().
template <typename T>
class RowSource {
 public:
  virtual ~RowSource() = default;

  /// Values of a sample.
  virtual Index features() const = 0;
  /// Values of a target; 0 where targets are class numbers.
  virtual Index outputs() const = 0;
  /// Whether rows come with weights, and how many each has.
  virtual bool weighted() const { return false; }
  virtual Index weights_per_row() const { return weighted() ? 1 : 0; }
  /// What rows weigh, those of the ignored class left out, where it is known without reading them and all count
  /// towards one goal; else blocks are trained on as if their mean were 1.
  virtual MeanWeight mean_weight(std::optional<std::int32_t> /*ignored*/) const { return {}; }
  /// Rows of all parts, or 0 where only reading tells; these are read anew in every epoch.
  virtual Index rows() const { return 0; }
  /// Where each piece is a batch of its own: how many an epoch has, 0 where only reading tells. Such a
  /// source is asked for a batch when it is due, by the thread that trains, and only that one is held;
  /// rows() does not count. Else rows are read ahead and cut into batches.
  virtual std::optional<Index> batches() const { return std::nullopt; }
  /// All rows, where they are in memory: they are checked, and weighed, before the first update.
  virtual std::optional<Dataset<T>> all() const { return std::nullopt; }
  /// How many parts there are, at least 1.
  virtual Index parts() const { return 1; }
  /// What errors call a part.
  virtual std::string name(Index part) const { return "part " + std::to_string(part); }
  /// Begins to read a part.
  virtual void open(Index part) = 0;
  /// The next rows of the open part, which stay there until the next call; none at its end.
  virtual Dataset<T> next() = 0;
};

/// The rows of arrays that somebody else owns, mapped files for example; its parts are segments of a
/// quarter of a megabyte, so that neighbours are read together.
template <typename T>
class ArrayRows final : public RowSource<T> {
 public:
  explicit ArrayRows(const Dataset<T>& data)
      : data_(data),
        segment_(
            std::max<Index>(1, kSegmentBytes / (static_cast<Index>(sizeof(T)) * std::max<Index>(1, data.x.columns)))) {}

  Index features() const override { return data_.x.columns; }
  Index outputs() const override { return data_.y.values.columns; }
  bool weighted() const override { return !data_.sample_weight.empty(); }
  Index weights_per_row() const override { return data_.weights_per_row(); }
  MeanWeight mean_weight(std::optional<std::int32_t> ignored) const override {
    MeanWeight mean;
    if (weights_per_row() > 1) return mean;
    for (std::size_t i = 0; i < data_.sample_weight.size(); ++i) {
      if (ignored && data_.y.labels[i] == *ignored) continue;
      mean.sum += static_cast<double>(data_.sample_weight[i]);
      ++mean.rows;
    }
    return mean;
  }
  Index rows() const override { return data_.x.rows; }
  Index parts() const override { return std::max<Index>(1, (data_.x.rows + segment_ - 1) / segment_); }
  std::string name(Index part) const override { return "the segment at row " + std::to_string(part * segment_); }
  void open(Index part) override {
    if (part < 0 || part >= parts()) fail("ArrayRows: part must be from 0 to ", parts() - 1, ", got ", part);
    first_ = part * segment_;
  }
  Dataset<T> next() override {
    if (first_ < 0) return {};
    const Index first = std::exchange(first_, -1);  // a segment is one piece
    return rows_of(data_, first, std::min(segment_, data_.x.rows - first));
  }

 private:
  static constexpr Index kSegmentBytes = 1 << 18;

  Dataset<T> data_;
  Index segment_;
  Index first_ = -1;
};

}  // namespace laminar
