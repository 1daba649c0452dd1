// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/parallel.hpp"

#include "laminar/execution/batch.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;

TEST_CASE("parallel: the number of threads is what was asked for, 0 being automatic") {
  const int automatic = get_num_threads();
  CHECK(automatic >= 1);
  for (const int threads : {1, 2, 7}) {
    const Threads scope(threads);
    CHECK(get_num_threads() == threads);
    CHECK(threads_for(1) == threads);
    CHECK(threads_for(1e12) == threads);
    CHECK(build_info().threads == threads);
  }
  CHECK(get_num_threads() == automatic);
  CHECK(without(message_of([] { set_num_threads(-1); }), {"set_num_threads", ">= 0", "-1"}) == "");
  CHECK(without(message_of([] { set_num_threads(1000000); }), {"set_num_threads", "<= 1024", "1000000"}) == "");
  CHECK(get_num_threads() == automatic);
}

TEST_CASE("parallel: little work gets one thread, much work no more than there are") {
  CHECK(threads_for(0) == 1);
  CHECK(threads_for(1e5) == 1);
  CHECK(threads_for(1e12) == get_num_threads());
  int before = 1;
  for (double flops = 1e5; flops < 1e10; flops *= 2) {
    CHECK(threads_for(flops) >= before);
    before = threads_for(flops);
  }
}

TEST_CASE("parallel: shares cover everything once, in order, and differ by one at most") {
  for (const int size : {1, 2, 3, 7, 64}) {
    for (const Index count : {0, 1, 2, 6, 7, 8, 1000}) {
      Index end = 0;
      for (int rank = 0; rank < size; ++rank) {
        const auto share = Team(rank, size).share(count);
        CHECK(share.begin == end);
        CHECK(share.end - share.begin >= count / size);
        CHECK(share.end - share.begin <= count / size + 1);
        end = share.end;
      }
      CHECK(end == count);
    }
  }
}

TEST_CASE("row blocks: every row once and in order, few of them on few threads, the last ones") {
  CHECK(row_sharers(0, 8) == 1);
  CHECK(row_sharers(4, 8) == 1);
  CHECK(row_sharers(5, 8) == 2);
  CHECK(row_sharers(5, 1) == 1);
  CHECK(row_sharers(1000, 8) == 8);
  for (const int threads : {1, 2, 3, 8}) {
    for (const Index together : {Index{1}, Index{2}}) {
      for (const Index count : {0, 1, 4, 5, 8, 9, 63, 64, 65, 128, 131, 1000}) {
        CAPTURE(threads);
        CAPTURE(together);
        CAPTURE(count);
        Index next = 0;
        for (int rank = 0; rank < threads; ++rank) {
          const Index before = next;
          for_row_blocks(count, together, Team(rank, threads), [&](Rows rows) {
            CHECK(rows.begin == next);
            CHECK(rows.begin % together == 0);
            CHECK(rows.count() >= 1);
            CHECK(rows.count() <= kBlockRows);
            next = rows.end;
          });
          CHECK((next > before) == (count > 0 && rank >= threads - row_sharers(count, threads)));
        }
        CHECK(next == count);
      }
    }
  }
}
