// SPDX-License-Identifier: Apache-2.0
#include "laminar/data/row_blocks.hpp"

#include <chrono>
#include <stdexcept>
#include <utility>

#include "laminar/base/error.hpp"
#include "laminar/base/random.hpp"
#include "laminar/base/stop.hpp"

namespace laminar {
namespace {

constexpr std::chrono::milliseconds kPatience{50};

}  // namespace

template <typename T>
RowBlocks<T>::RowBlocks(RowSource<T>& source, Check check, Index batch_size, Index bytes)
    : source_(&source), check_(std::move(check)), batches_(source.batches()) {
  if (single_batches()) return;
  rows_ = source.rows();
  const Index values = source.features() + source.outputs() + source.weights_per_row();
  const Index row =
      values * static_cast<Index>(sizeof(T)) + (source.outputs() == 0 ? static_cast<Index>(sizeof(std::int32_t)) : 0);
  const Index fitting = bytes / row;
  const Index half = fitting / 2;
  if (rows_ > 0) batch_size = std::min(batch_size, rows_);
  if (rows_ > 0 && rows_ <= fitting) {
    block_rows_ = rows_;
  } else if (batch_size <= half) {
    block_rows_ = half / batch_size * batch_size;
  } else {
    fail("batch_size is ", batch_size, ", and a buffer_size of ", bytes, " bytes has room for two blocks of ", half,
         " rows of ", row, " bytes; a smaller batch or a larger buffer is needed");
  }
  for (int i = 0; i < (whole() ? 1 : 2); ++i) {
    Block& block = blocks_[i];
    block.x = memory_for(block_rows_ * source.features());
    if (source.outputs() > 0) block.y = memory_for(block_rows_ * source.outputs());
    if (source.outputs() == 0) block.labels.resize(static_cast<std::size_t>(block_rows_));
    if (source.weighted()) block.weights = memory_for(block_rows_ * source.weights_per_row());
  }
}

template <typename T>
auto RowBlocks<T>::memory_for(Index size) -> Values {
  // A cache line more, which kernels may read a part of.
  const auto bytes = static_cast<std::size_t>(size) * sizeof(T) + kAlignment;
  return Values(static_cast<T*>(allocate_aligned(bytes)));
}

template <typename T>
RowBlocks<T>::~RowBlocks() {
  stop_reading();
}

template <typename T>
void RowBlocks<T>::stop_reading() {
  if (!reading_.valid()) return;
  stopped_ = true;
  reading_.wait();
  reading_ = {};  // with what it has thrown, Stopped perhaps
  stopped_ = false;
}

template <typename T>
std::vector<Index> RowBlocks<T>::drawn(Index number, Index count) const {
  std::vector<Index> order(static_cast<std::size_t>(count));
  const auto item = static_cast<std::uint32_t>(number);
  fill_permutation(RandomStream(shuffle_->seed, Purpose::shuffle, item, shuffle_->epoch), order);
  return order;
}

template <typename T>
void RowBlocks<T>::start(std::optional<Shuffle> shuffle) {
  shuffle_ = shuffle;
  given_ = false;
  number_ = 0;
  if (holds_) return;
  stop_reading();
  parts_order_.clear();
  if (shuffle_.has_value() && !whole()) parts_order_ = drawn(0, source_->parts());
  next_part_ = read_ = 0;
  part_ = -1;
  piece_ = {};
  used_ = 0;
  waits_ = false;
  if (!single_batches()) fill_later();
}

template <typename T>
void RowBlocks<T>::fill_later() {
  reading_ = std::async(std::launch::async, [this] {
    const StopScope scope([this] { return stopped_.load(); });
    fill(blocks_[ahead_]);
  });
}

template <typename T>
bool RowBlocks<T>::wait(const Stop& stop) {
  while (reading_.wait_for(kPatience) != std::future_status::ready) {
    if (stop && stop()) return false;
    if (StopScope* const scope = StopScope::current(); scope != nullptr && scope->ask()) scope->leave();
  }
  return true;
}

template <typename T>
bool RowBlocks<T>::load(const Stop& stop) {
  if (holds_ || !whole()) return true;
  start();
  return next(stop) != nullptr;
}

template <typename T>
const Dataset<T>* RowBlocks<T>::next(const Stop& stop) {
  if (holds_) return std::exchange(given_, true) ? nullptr : given();
  if (single_batches()) return next_batch();
  if (!reading_.valid() || !wait(stop)) return nullptr;
  reading_.get();
  const Block& block = blocks_[ahead_];
  if (block.rows == 0) return nullptr;
  held_ = view(block);
  if (whole()) {
    holds_ = given_ = true;
  } else {
    ahead_ = 1 - ahead_;
    if (block.rows == block_rows_) fill_later();
  }
  return given();
}

template <typename T>
const Dataset<T>* RowBlocks<T>::given() {
  ++number_;
  if (shuffle_.has_value()) order_ = drawn(whole() ? 0 : number_, held_.x.rows);
  return &held_;
}

template <typename T>
const Dataset<T>* RowBlocks<T>::next_batch() {
  if (!std::exchange(waits_, false) && !read_piece()) return nullptr;
  ++number_;
  held_ = piece_;
  return &held_;
}

template <typename T>
bool RowBlocks<T>::more(const Stop& stop) {
  if (single_batches()) {
    if (*batches_ > 0) return number_ < *batches_;
    return waits_ = waits_ || read_piece();
  }
  if (holds_ || !reading_.valid()) return false;
  return wait(stop) && blocks_[ahead_].rows > 0;
}

template <typename T>
Dataset<T> RowBlocks<T>::view(const Block& block) const {
  const auto count = static_cast<std::size_t>(block.rows);
  Dataset<T> data;
  data.x = {block.x.get(), block.rows, source_->features()};
  if (source_->outputs() > 0) {
    data.y = Targets<T>(MatrixView<const T>(block.y.get(), block.rows, source_->outputs()));
  } else {
    data.y = Targets<T>(std::span<const std::int32_t>(block.labels.data(), count));
  }
  if (source_->weighted()) {
    data.sample_weight = {block.weights.get(), count * static_cast<std::size_t>(source_->weights_per_row())};
  }
  return data;
}

template <typename T>
void RowBlocks<T>::fill(Block& block) {
  block.rows = 0;
  while (block.rows < block_rows_ && !stopped_) {
    if (used_ == piece_.x.rows && !read_piece()) break;
    copy(block, std::min(piece_.x.rows - used_, block_rows_ - block.rows));
  }
  if (whole() && !stopped_) read_piece();  // which is the end, or throws
}

template <typename T>
bool RowBlocks<T>::read_piece() {
  while (true) {
    if (part_ < 0) {
      if (next_part_ == source_->parts()) {
        if (rows_ > 0 && read_ != rows_) fail("the source says that it has ", rows_, " rows, but gave ", read_);
        return false;
      }
      part_ = parts_order_.empty() ? next_part_ : parts_order_[static_cast<std::size_t>(next_part_)];
      ++next_part_;
      part_rows_ = 0;
      source_->open(part_);
    }
    piece_ = source_->next();
    used_ = 0;
    if (piece_.x.rows > 0) break;
    part_ = -1;
  }
  const auto rows = static_cast<std::size_t>(piece_.x.rows);
  const bool labels = source_->outputs() == 0;
  if (piece_.x.columns != source_->features() || piece_.y.values.columns != source_->outputs() ||
      piece_.y.labels.size() != (labels ? rows : 0) || piece_.y.values.rows != (labels ? 0 : piece_.x.rows) ||
      piece_.sample_weight.size() != rows * static_cast<std::size_t>(source_->weights_per_row())) {
    fail("the source gave rows of other sizes than it says, in ", source_->name(part_));
  }
  try {
    check_(piece_);
  } catch (const std::invalid_argument& error) {
    if (single_batches()) fail(error.what(), ", in ", source_->name(part_));
    fail(error.what(), ", counting from row ", part_rows_, " of ", source_->name(part_));
  }
  part_rows_ += piece_.x.rows;
  read_ += piece_.x.rows;
  if (rows_ > 0 && read_ > rows_) fail("the source says that it has ", rows_, " rows, but gave more");
  return true;
}

template <typename T>
void RowBlocks<T>::copy(Block& block, Index count) {
  const Index features = source_->features();
  const Index outputs = source_->outputs();
  std::copy_n(piece_.x.data + used_ * features, count * features, block.x.get() + block.rows * features);
  if (outputs > 0) {
    std::copy_n(piece_.y.values.data + used_ * outputs, count * outputs, block.y.get() + block.rows * outputs);
  } else {
    std::copy_n(piece_.y.labels.data() + used_, count, block.labels.data() + block.rows);
  }
  if (const Index each = source_->weights_per_row(); each > 0) {
    std::copy_n(piece_.sample_weight.data() + used_ * each, count * each, block.weights.get() + block.rows * each);
  }
  used_ += count;
  block.rows += count;
}

template class RowBlocks<float>;
template class RowBlocks<double>;

}  // namespace laminar
