// SPDX-License-Identifier: Apache-2.0
// The rows of an epoch as blocks in memory. Of a source that is larger, a thread of its own reads the
// next block while the present one is trained on; a data set in memory is a single block. What the
// blocks hold depends on the source and the order asked for, never on time.
#pragma once

#include <atomic>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "laminar/base/buffer.hpp"
#include "laminar/data/row_source.hpp"

namespace laminar {

/// What the order of an epoch's rows is drawn from.
struct Shuffle {
  std::uint64_t seed;
  std::uint32_t epoch;
};

/// Blocks of rows, epoch after epoch.
template <typename T>
class RowBlocks {
 public:
  /// Asked every 50 ms while nothing can be done but wait; true ends the waiting.
  using Stop = std::function<bool()>;
  /// Throws where rows must not be used. Called by the thread that reads.
  using Check = std::function<void(const Dataset<T>&)>;

  /// One block: these rows, which must outlive this.
  explicit RowBlocks(const Dataset<T>& data) : held_(data), rows_(data.x.rows), holds_(true) {}
  /// Blocks of a source, which must outlive this: as many rows as two of them may take `bytes`, but a
  /// multiple of batch_size. A source that fits as a whole is one block and is read once. Throws where
  /// there is no room for two batches. A source of batches gives blocks of one batch each.
  RowBlocks(RowSource<T>& source, Check check, Index batch_size, Index bytes);
  RowBlocks(const RowBlocks&) = delete;
  RowBlocks& operator=(const RowBlocks&) = delete;
  ~RowBlocks();

  /// Rows of an epoch; 0 where only reading tells.
  Index rows() const { return rows_; }
  /// Whether all rows are one block.
  bool whole() const { return rows_ > 0 && (source_ == nullptr || rows_ <= block_rows_); }

  /// Whether each block is one batch, of any number of rows.
  bool single_batches() const { return batches_.has_value(); }
  /// Batches of an epoch, where each is a block; 0 where only reading tells.
  Index batches() const { return batches_.value_or(0); }

  /// Rows of a block, the last one aside; 0 where all rows are one block.
  Index block_rows() const { return whole() ? 0 : block_rows_; }
  /// Of a source's rows, where it knows.
  MeanWeight mean_weight(std::optional<std::int32_t> ignored) const {
    return source_ != nullptr ? source_->mean_weight(ignored) : MeanWeight{};
  }
  /// What can be read in any order.
  Index parts() const { return source_ != nullptr ? source_->parts() : 1; }

  /// Reads what is one block ahead of the first epoch, so that wrong rows are met there. False where stop
  /// has ended it.
  bool load(const Stop& stop = {});
  /// All rows, where they are one block that is there, or the source has them in memory.
  std::optional<Dataset<T>> all() const {
    if (holds_) return held_;
    return source_ != nullptr ? source_->all() : std::nullopt;
  }
  /// All rows, where they are one block that is there; else null.
  const Dataset<T>* held() const { return holds_ ? &held_ : nullptr; }
  /// Begins an epoch. Where it is shuffled, the source's parts are read in an order drawn for it, and one
  /// is drawn for the rows of each block.
  void start(std::optional<Shuffle> shuffle = {});
  /// The order of the present block's rows; null where it is theirs.
  const Index* order() const { return shuffle_.has_value() && !single_batches() ? order_.data() : nullptr; }
  /// The next block, valid until the next call; null at the end, or where stop has ended the waiting.
  /// Throws what reading has thrown.
  const Dataset<T>* next(const Stop& stop = {});
  /// Whether a block follows the present one, waiting for it where only reading tells.
  bool more(const Stop& stop = {});

 private:
  /// Memory that is written before it is read.
  struct Free {
    void operator()(T* values) const { free_aligned(values); }
  };
  using Values = std::unique_ptr<T, Free>;
  static Values memory_for(Index size);

  struct Block {
    Values x;
    Values y;
    std::vector<std::int32_t> labels;
    Values weights;
    Index rows = 0;
  };

  /// Numbers of orders: 0 for the parts, or for the rows where all are one block; from 1 on for the
  /// rows of each block.
  std::vector<Index> drawn(Index number, Index count) const;
  const Dataset<T>* given();
  const Dataset<T>* next_batch();
  Dataset<T> view(const Block& block) const;
  /// Reads until the block is full or the epoch ends; fill_later does so in a thread of its own.
  void fill(Block& block);
  void fill_later();
  /// The next piece into piece_; false at the epoch's end.
  bool read_piece();
  void copy(Block& block, Index count);
  bool wait(const Stop& stop);
  void stop_reading();

  RowSource<T>* source_ = nullptr;
  Check check_;
  Dataset<T> held_;  // the block that is in use
  Index rows_ = 0;
  Index block_rows_ = 0;
  std::optional<Index> batches_;
  bool holds_ = false;  // held_ is all rows
  bool given_ = false;  // … and was given in this epoch

  Block blocks_[2];
  int ahead_ = 0;              // the block that is being read
  std::future<void> reading_;  // … which is done when this is ready
  std::atomic<bool> stopped_ = false;

  std::optional<Shuffle> shuffle_;
  std::vector<Index> order_;        // of the rows of the block in use
  Index number_ = 0;                // of this block
  std::vector<Index> parts_order_;  // empty: as they stand
  Index next_part_ = 0;             // place in it
  Index part_ = -1;                 // that is open
  Index part_rows_ = 0;             // that it has given
  Index read_ = 0;                  // rows of all parts so far
  Dataset<T> piece_;
  Index used_ = 0;      // rows of piece_
  bool waits_ = false;  // piece_ is a batch that has not been given
};

}  // namespace laminar
