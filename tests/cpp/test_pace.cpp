// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/pace.hpp"

#include "laminar/threads/crew.hpp"
#include "laminar/threads/processors.hpp"
#include "support.hpp"

using namespace laminar;
using std::chrono::microseconds;
using std::chrono::milliseconds;

TEST_CASE("pace: threads that wait for each other longer than they spare are a loss") {
  Balance balance;
  for (int i = 0; i < 1000; ++i) balance.add(2, microseconds(100), microseconds(10));
  CHECK_FALSE(balance.lost());
  balance.add(2, milliseconds(1), microseconds(900));
  CHECK_FALSE(balance.lost());  // what was spared before is worth something,
  balance.add(2, milliseconds(4), microseconds(3900));
  CHECK(balance.lost());  // but not much
  CHECK(balance.paid());  // and nothing is forgotten
  balance = {};
  CHECK_FALSE(balance.lost());
  balance.add(2, microseconds(100), microseconds(40));
  CHECK_FALSE(balance.lost());
  balance.add(2, microseconds(100), microseconds(60));
  CHECK(balance.lost());
  CHECK_FALSE(balance.paid());
}

TEST_CASE("pace: one thread rests the others, longer each time that they do not pay") {
  Pace pace;
  Clock::time_point now = Clock::now();
  Clock::time_point again{};
  CHECK(pace.allowed(1, now, &again) == 1);
  Clock::duration pause{};
  for (int i = 0; i < 12; ++i) {
    pace.rest(false, now, &again);
    CHECK(again > now);
    CHECK(again - now >= pause);
    CHECK(again - now <= milliseconds(256));
    pause = again - now;
    Clock::time_point unchanged{};
    CHECK(pace.allowed(8, now + pause / 2, &unchanged) == 1);
    CHECK(unchanged == again);
    now = again;
  }
  CHECK(pause == milliseconds(256));
  pace.rest(true, now, &again);
  CHECK(again - now < milliseconds(10));
}

TEST_CASE("pace: processors that are idle are some of those that there are") {
  for (const int most : {1, 2, 64}) {
    CHECK(idle_processors(most) >= 1);
    CHECK(idle_processors(most) <= most);
  }
  CHECK(usable_processors() >= 1);
}
