// SPDX-License-Identifier: Apache-2.0
// Rows of sources in blocks: each comes once an epoch, in the order asked for.
#include "odd_rows.hpp"

#include <condition_variable>
#include <mutex>
#include <set>

using namespace laminar;
using namespace laminar::tests;

TEST_CASE("row_blocks: every row comes once an epoch") {
  for (const Index rows : {1, 4, 5, 23, 64, 101}) {
    const Task<float> task = numbered(rows);
    std::vector<Index> ascending(as_size(rows));
    for (Index i = 0; i < rows; ++i) ascending[as_size(i)] = i;
    for (const Index batch : {1, 4, 16}) {
      for (const bool tells : {true, false}) {
        for (const Index blocks_of : {1, 10, 1000}) {
          OddRows source(task.dataset("mse"), std::min<Index>(rows, 7), tells);
          RowBlocks<float> blocks(source, kAnything, batch, 2 * kRowBytes * std::max(batch, blocks_of));
          CAPTURE(rows);
          CAPTURE(batch);
          CAPTURE(blocks_of);
          blocks.start();
          std::vector<Index> sizes;
          CHECK(numbers(blocks, &sizes) == ascending);
          for (std::size_t b = 0; b + 1 < sizes.size(); ++b) CHECK(sizes[b] % batch == 0);
          std::set<std::vector<Index>> orders;
          for (std::uint32_t epoch = 0; epoch < 3; ++epoch) {
            blocks.start(Shuffle{9, epoch});
            std::vector<Index> order = numbers(blocks);
            blocks.start(Shuffle{9, epoch});
            CHECK(numbers(blocks) == order);
            orders.insert(order);
            std::sort(order.begin(), order.end());
            CHECK(order == ascending);
          }
          if (rows >= 23) CHECK(orders.size() == 3);
        }
      }
    }
  }
}

TEST_CASE("row_blocks: what fits is read once") {
  const Task<float> task = numbered(40);
  OddRows source(task.dataset("mse"));
  RowBlocks<float> blocks(source, kAnything, 8, 40 * kRowBytes);
  CHECK(blocks.whole());
  for (int epoch = 0; epoch < 3; ++epoch) {
    blocks.start();
    CHECK(numbers(blocks).size() == 40);
  }
  CHECK(source.opened == 3);

  OddRows larger(task.dataset("mse"));
  RowBlocks<float> parts(larger, kAnything, 8, 39 * kRowBytes);
  CHECK(!parts.whole());
  parts.start();
  CHECK(numbers(parts).size() == 40);
  parts.start();
  CHECK(numbers(parts).size() == 40);
  CHECK(larger.opened == 6);
}

TEST_CASE("row_blocks: a source's exception arrives, and the next epoch begins anew") {
  const Task<float> task = numbered(50);
  for (const bool tells : {true, false}) {
    OddRows source(task.dataset("mse"), 2, tells);
    source.throw_at = 30;
    RowBlocks<float> blocks(source, kAnything, 4, 16 * kRowBytes);
    blocks.start();
    CHECK_THROWS_WITH_AS(numbers(blocks), "the disk is gone", std::runtime_error);
    CHECK(blocks.next() == nullptr);
    source.throw_at = -1;
    blocks.start();
    CHECK(numbers(blocks).size() == 50);
  }
}

TEST_CASE("row_blocks: a source that says something else than it gives is refused") {
  const Task<float> task = numbered(50);
  for (const Index bytes : {50 * kRowBytes, 16 * kRowBytes}) {
    for (const Index lie : {-1, 1}) {
      OddRows source(task.dataset("mse"), 2);
      source.lie = lie;
      RowBlocks<float> blocks(source, kAnything, 4, bytes * 2);
      blocks.start();
      CHECK(without(message_of([&] { numbers(blocks); }), {"the source says that it has ", " rows"}) == "");
    }
  }
  struct Narrow : OddRows {
    using OddRows::OddRows;
    Index features() const override { return kFeatures + 1; }
  } narrow(task.dataset("mse"));
  RowBlocks<float> blocks(narrow, kAnything, 4, 1000);
  blocks.start();
  CHECK(without(message_of([&] { numbers(blocks); }), {"rows of other sizes than it says", "part 0"}) == "");
}

TEST_CASE("row_blocks: two batches must fit") {
  const Task<float> task = numbered(50);
  for (const bool tells : {true, false}) {
    OddRows source(task.dataset("mse"), 2, tells);
    for (const Index batch : {9, 1 << 30}) {
      const auto make = [&] { RowBlocks<float>(source, kAnything, batch, 16 * kRowBytes); };
      CHECK(without(message_of(make), {"batch_size is ", "buffer_size of 320 bytes", "blocks of 8 rows"}) == "");
    }
    const auto huge = [&] { RowBlocks<float>(source, kAnything, Index{1} << 62, 49 * kRowBytes); };
    CHECK(without(message_of(huge), {"batch_size is "}) == "");
  }
}

TEST_CASE("row_blocks: targets and weights are as many as samples") {
  struct Short : OddRows {
    using OddRows::OddRows;
    Dataset<float> next() override {
      Dataset<float> rows = OddRows::next();
      if (rows.x.rows > 0) rows.y.values.rows -= 1;
      return rows;
    }
  };
  const Task<float> task = numbered(50);
  Short source(task.dataset("mse"));
  RowBlocks<float> blocks(source, kAnything, 4, 1 << 20);
  blocks.start();
  CHECK(without(message_of([&] { numbers(blocks); }), {"rows of other sizes than it says", "part 0"}) == "");
}

TEST_CASE("row_blocks: waiting ends where it is asked to") {
  /// Gives nothing until it is let go.
  struct Slow : OddRows {
    using OddRows::OddRows;
    Dataset<float> next() override {
      std::unique_lock lock(mutex);
      go.wait(lock, [this] { return free; });
      return OddRows::next();
    }
    std::mutex mutex;
    std::condition_variable go;
    bool free = false;
  };
  const Task<float> task = numbered(50);
  Slow source(task.dataset("mse"));
  RowBlocks<float> blocks(source, kAnything, 4, 16 * kRowBytes);
  blocks.start();
  int asked = 0;
  CHECK(blocks.next([&] { return ++asked == 2; }) == nullptr);
  CHECK(asked == 2);
  {
    const std::lock_guard lock(source.mutex);
    source.free = true;
  }
  source.go.notify_all();
  CHECK(numbers(blocks).size() == 50);
}

TEST_CASE("row_source: arrays in segments") {
  const Task<float> task = numbered(100'000);
  ArrayRows<float> source(task.dataset("mse"));
  CHECK(source.parts() > 1);
  CHECK(source.rows() == 100'000);
  RowBlocks<float> blocks(source, kAnything, 32, 1 << 18);
  blocks.start();
  const std::vector<Index> found = numbers(blocks);
  REQUIRE(found.size() == 100'000);
  CHECK(std::is_sorted(found.begin(), found.end()));
}
