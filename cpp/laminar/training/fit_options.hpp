// SPDX-License-Identifier: Apache-2.0
// How a model is trained, and what is told of it meanwhile and at its end.
#pragma once

#include <algorithm>
#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/data/row_source.hpp"

namespace laminar {

/// Where a running epoch stands.
struct Progress {
  Index epoch;
  Index batches_done;
  Index batches;              // of the epoch; 0 where only reading tells
  std::span<const Log> logs;  // means over the rows seen so far
  bool last = false;          // no batch follows in this epoch; told to on_batch alone
};

/// How to train. Rows are shuffled anew for every epoch, seeded by the model.
template <typename T>
struct FitOptions {
  Index batch_size = 32;  // at least 1; larger than the data means all of it
  /// Bytes that training may take beside the data; 0 means any number. A batch that needs more goes
  /// through in parts whose gradients are added up: the same update, up to rounding.
  Index memory_limit = 0;
  Index epochs = 1;
  Index initial_epoch = 0;  // number of the first epoch; `epochs` is the number after the last
  /// Go on where the model's training stopped, inside an epoch too, in place of initial_epoch: with the
  /// same data and options a loaded model ends in the same bits as one that was never saved.
  bool resume = false;
  /// Rows of a source go through in blocks: their parts are drawn in a new order for every epoch, and
  /// so are the rows of each block. A source that fits into buffer_size is shuffled like a data set.
  bool shuffle = true;
  /// Bytes that blocks of a source's rows may take; what its blocks are decides about the bits.
  Index buffer_size = Index{1} << 28;
  const Dataset<T>* validation = nullptr;
  RowSource<T>* validation_source = nullptr;  // in place of it; another object than is trained on
  Index validation_buffer_size = Index{1} << 28;
  Index validation_frequency = 1;             // after every so many epochs, counted from 1
  std::vector<Index> validation_epochs = {};  // … or after these
  /// Whether there is validation after an epoch, counted from 0.
  bool validates(Index epoch) const {
    if (validation_epochs.empty()) return (epoch + 1) % validation_frequency == 0;
    return std::find(validation_epochs.begin(), validation_epochs.end(), epoch + 1) != validation_epochs.end();
  }
  /// Called on the calling thread after each epoch; true stops.
  std::function<bool(Index epoch, std::span<const Log> logs)> on_epoch = {};
  /// Called on the calling thread every 50 ms or less often, before a batch or while one is under way;
  /// true stops after the last completed batch: one that is under way is abandoned. What it sees of the
  /// model, and saves of it, is as the last completed batch has left it.
  std::function<bool(const Progress&)> poll = {};
  /// Where another thread sets it, poll is called before the next batch already.
  const std::atomic<bool>* poll_soon = nullptr;
  /// Called on the calling thread after every batch, the weights in their place; it may change them
  /// and the learning rate. True ends the epoch there. Where set, each batch is a run of its own.
  std::function<bool(const Progress&)> on_batch = {};
};

/// Loss and metrics of every epoch trained.
struct History {
  std::vector<std::string> names;           // "loss", "accuracy", "val_loss", …
  std::vector<std::vector<double>> epochs;  // in the order of names; without those of validation where there was none
  bool interrupted = false;                 // poll asked to stop inside an epoch
};

}  // namespace laminar
