// SPDX-License-Identifier: Apache-2.0
// Single updates since a snapshot, in a form in which they can be made again. A snapshot before every update would take
// as long as the update where a batch is small; as training is a function of where it began, one for many will do.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/execution/state.hpp"

namespace laminar {

/// The learning rate of each update, and its rows where these are gone when it is over.
template <typename T>
class Journal {
 public:
  explicit Journal(const State<T>& state) : state_(state) {}

  /// A snapshot was taken of all that changes, so many bytes.
  void begin(Index snapshot);
  /// Forgets all: the next update needs a snapshot of its own.
  void close();
  /// Whether one more update, of so many operations, may go on from the snapshot; of these rows where those of updates
  /// are kept.
  bool takes(double work, const Dataset<T>* rows = nullptr) const;
  /// Writes down an update that was made, or closes where there is no room.
  void add(double rate, double work, const Dataset<T>* rows = nullptr);

  Index size() const { return static_cast<Index>(rates_.size()); }
  double rate(Index update) const { return rates_[static_cast<std::size_t>(update)]; }
  /// Rows that were kept.
  Dataset<T> rows(Index update) const;

 private:
  /// Rows of an update: as many as these, whose values stand in the lists below.
  struct Kept {
    Dataset<T> rows;
    std::size_t value;
    std::size_t label;
  };
  /// Whether updates may be made again: they must not call what is not laminar's.
  bool repeatable();

  const State<T>& state_;
  std::optional<bool> repeatable_;
  bool open_ = false;
  std::size_t room_ = 0;  // bytes that rows may take
  double work_ = 0;       // of all updates
  std::vector<double> rates_;
  std::vector<Kept> kept_;
  std::vector<T> values_;
  std::vector<std::int32_t> labels_;
};

}  // namespace laminar
