// SPDX-License-Identifier: Apache-2.0
#include "laminar/threads/crew.hpp"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>
#include <thread>

#include "allocations.hpp"
#include "task.hpp"

using namespace laminar;
using namespace laminar::tests;
using std::chrono::milliseconds;

namespace {

/// Outcome of work in a child, which sees the process as it is now: 0 where it returned true.
template <typename Work>
int in_a_child(const Work& work) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    alarm(60);  // a child that hangs is a child that fails
    _exit(work() ? 0 : 1);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  return status;
}

/// Weights and predictions of a training in which every kind of scratch memory is used.
std::vector<float> trained(const Task<float>& task) {
  Model<float> model(
      Network(5, {Dense{.units = 33, .activation = "relu"}, Maxout{.units = 40, .pieces = 3}, Dense{.units = 3}}), 1);
  model.compile("mse", "adam", {"mae"});
  model.fit(task.dataset("mse"), {.epochs = 2});
  auto all = weights_of(model);
  const auto out = predictions(model, task.inputs());
  all.insert(all.end(), out.begin(), out.end());
  for (const double value : model.evaluate(task.dataset("mse"))) all.push_back(static_cast<float>(value));
  return all;
}

std::chrono::nanoseconds processor_time() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

TEST_CASE("crew: a team's members are all there and wait for each other") {
  for (const int threads : {1, 2, 4}) {
    std::array<std::atomic<int>, 4> seen{};
    std::atomic<int> before{0};
    std::atomic<bool> early{false};
    run_team(threads, [&](const Team& team) {
      ++seen[static_cast<std::size_t>(team.rank())];
      ++before;
      team.barrier();
      if (before != team.size()) early = true;
    });
    CHECK_FALSE(early);
    CHECK(before <= threads);
    for (int i = 0; i < 4; ++i) CHECK(seen[static_cast<std::size_t>(i)] == (i < before ? 1 : 0));
  }
}

TEST_CASE("crew: an exception of any member reaches the caller, and the next team works") {
  for (const int threads : {1, 2, 3}) {
    for (int thrower = 0; thrower < threads; ++thrower) {
      const auto run = [&] {
        run_team(threads, [&](const Team& team) {
          if (team.rank() == thrower % team.size()) throw std::out_of_range("member");
        });
      };
      CHECK_THROWS_WITH_AS(run(), "member", std::out_of_range);
    }
  }
  std::atomic<int> members{0};
  run_team(2, [&](const Team&) { ++members; });
  CHECK(members >= 1);
}

TEST_CASE("crew: a team inside a team works") {
  std::atomic<Index> sum{0};
  run_team(2, [&](const Team& outer) {
    const auto share = outer.share(10);
    run_team(2, [&](const Team& inner) {
      const auto part = inner.share(share.end - share.begin);
      inner.barrier();
      sum += part.end - part.begin;
    });
  });
  CHECK(sum == 10);
}

TEST_CASE("crew: a member that fails ends those who wait for it") {
  for (const int threads : {2, 3, 4}) {
    for (int thrower = 0; thrower < threads; ++thrower) {
      CAPTURE(threads);
      CAPTURE(thrower);
      std::atomic<int> after{0};
      Crew crew(threads, 0);
      const auto fails = [&] {
        crew.run([&](const Team& team) {
          team.barrier();
          if (team.rank() == thrower % team.size()) throw std::out_of_range("member");
          team.barrier();
          ++after;
        });
      };
      CHECK_THROWS_WITH_AS(fails(), "member", std::out_of_range);
      CHECK(after == 0);
      std::atomic<int> members{0};
      crew.run([&](const Team& team) {
        team.barrier();
        ++members;
      });
      CHECK(members >= 1);
    }
  }
}

TEST_CASE("crew: pieces are taken once each, and what one throws ends the rest") {
  for (const int threads : {1, 2, 4}) {
    for (const Index count : {0, 1, 2, 5, 1000}) {
      std::vector<std::atomic<int>> taken(as_size(count));
      Crew crew(threads, 0);
      crew.share(count, [&](Index i) { ++taken[as_size(i)]; });
      CHECK(std::all_of(taken.begin(), taken.end(), [](const auto& times) { return times == 1; }));
    }
    Crew crew(threads, 0);
    const auto fails = [&] {
      crew.share(1000, [](Index i) {
        if (i == 3) throw std::out_of_range("piece");
      });
    };
    CHECK_THROWS_WITH_AS(fails(), "piece", std::out_of_range);
  }
}

TEST_CASE("crew: a forked child trains and predicts to the same bits") {
  const Threads scope(2);
  const Task<float> task(100, 5, 3);
  const auto expected = trained(task);  // on two threads, which the child will not have
  CHECK(in_a_child([&] { return bit_difference(trained(task), expected).empty(); }) == 0);
  CHECK(bit_difference(trained(task), expected) == "");
}

TEST_CASE("crew: threads that a child forks away from are replaced in the middle of a training") {
  const Threads scope(2);
  const Task<float> task(100, 5, 3);
  const auto train = [&](bool forks) {
    Model<float> model(Network(5, {Dense{.units = 33, .activation = "relu"}, Dense{.units = 3}}), 1);
    model.compile("mse", "adam");
    pid_t child = -1;
    FitOptions<float> options;
    options.epochs = 2;
    options.on_batch = [&](const Progress&) {
      if (forks && child < 0) child = fork();
      if (child == 0) alarm(60);
      return false;
    };
    model.fit(task.dataset("mse"), options);
    return std::pair(weights_of(model), child);
  };
  const auto expected = train(false).first;
  const auto [weights, child] = train(true);
  const bool same = bit_difference(weights, expected).empty();
  if (child == 0) _exit(same ? 0 : 1);
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(same);
}

TEST_CASE("crew: no thread but the caller's allocates, and one that cannot is done without") {
  const Task<float> task(300, 5, 3);
  const auto expected = trained(task);
  for (const int threads : {2, 4}) {
    const Threads scope(threads);
    const OthersWithoutMemory denied;
    CHECK(bit_difference(trained(task), expected) == "");
  }
}

#ifndef __SANITIZE_ADDRESS__  // which needs terabytes of address space for itself
TEST_CASE("crew: where the system has no more threads, those that there are do the work") {
  const Task<float> task(300, 5, 3);
  const auto expected = trained(task);
  CHECK(in_a_child([&] {
          // Threads want 8 MiB of address space each, most of it never used.
          std::int64_t pages = 0;
          std::FILE* const file = std::fopen("/proc/self/statm", "r");
          if (file == nullptr || std::fscanf(file, "%ld", &pages) != 1) return false;
          std::fclose(file);
          const rlim_t space = static_cast<rlim_t>(pages * sysconf(_SC_PAGESIZE)) + (rlim_t{100} << 20);
          const rlimit limit{space, space};
          if (setrlimit(RLIMIT_AS, &limit) != 0) return false;
          const Threads scope(1000);
          return bit_difference(trained(task), expected).empty();
        }) == 0);
}
#endif

TEST_CASE("crew: threads left over take no processor time") {
  const Task<float> task(300, 5, 3);
  const Threads scope(4);
  trained(task);
  std::this_thread::sleep_for(milliseconds(20));
  const auto before = processor_time();
  std::this_thread::sleep_for(milliseconds(200));
  CHECK(processor_time() - before < milliseconds(20));
}
