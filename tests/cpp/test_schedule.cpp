// SPDX-License-Identifier: Apache-2.0
// Learning rates at given steps. Values recorded from Keras and PyTorch: tests/python/test_schedules.py.
#include "laminar/catalogue/schedule.hpp"

#include "laminar/files/config.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

/// An entry with a value for every argument that has no default.
Schedule usable(const EntryInfo& entry) {
  Schedule schedule{std::string_view(entry.name)};
  for (int i = 0; i < schedule.required(); ++i) {
    const ParameterInfo& parameter = entry.parameters[i];
    if (parameter.range == Range::numbers) continue;
    schedule.set(parameter.name, parameter.range == Range::non_negative ? 0.5 : 10);
  }
  if (std::string_view(entry.name) == "piecewise_constant_decay") {
    schedule.set_list("boundaries", {2, 5.5});
    schedule.set_list("values", {0.5, 0.25, 0.125});
  }
  return schedule;
}

}  // namespace

TEST_CASE("schedule: rates are finite, not negative and repeatable for every step and argument") {
  for (const EntryInfo& entry : schedule_family().entries) {
    const Schedule plain = usable(entry);
    std::vector<Schedule> all = {plain};
    for (int i = 0; i < entry.count(); ++i) {
      if (entry.parameters[i].range == Range::numbers) continue;
      Schedule moved = plain;
      move(moved, entry.parameters[i]);
      all.push_back(moved);
    }
    for (const Schedule& schedule : all) {
      const std::string text = to_json(schedule);
      CAPTURE(text);
      schedule.check();
      const Schedule back = schedule_from_json(text);
      for (Index step = 0; step < 100; ++step) {
        CHECK(schedule(step) >= 0);
        CHECK(std::isfinite(schedule(step)));
        CHECK(back(step) == schedule(step));
      }
      // A factor above 1 grows beyond all numbers.
      const bool grows = std::string_view(schedule.name()) == "exponential_decay" && schedule.value("decay_rate") > 1;
      CHECK(std::isfinite(schedule(Index{1} << (grows ? 8 : 40))));
    }
  }
}

TEST_CASE("schedule: worked values") {
  const auto check = [](const Schedule& schedule, const std::vector<std::pair<Index, double>>& values) {
    const std::string text = to_json(schedule);
    CAPTURE(text);
    for (const auto& [step, rate] : values) CHECK(schedule(step) == doctest::Approx(rate).epsilon(1e-9));
  };
  const double rate = 0.1;
  check(Schedule("inverse_time_decay", {{"initial_learning_rate", rate}, {"decay_steps", 1}, {"decay_rate", 0.001}}),
        {{0, 0.1}, {1, 0.1 / 1.001}, {10, 0.1 / 1.01}, {100, 0.1 / 1.1}, {1000, 0.05}, {10000, 0.1 / 11}});
  check(Schedule("exponential_decay", {{"initial_learning_rate", rate}, {"decay_steps", 10}, {"decay_rate", 0.25}}),
        {{0, 0.1}, {5, 0.05}, {10, 0.025}, {20, 0.00625}});
  check(Schedule("polynomial_decay",
                 {{"initial_learning_rate", rate}, {"decay_steps", 10}, {"end_learning_rate", 0}, {"cycle", 1}}),
        {{0, 0.1}, {5, 0.05}, {10, 0}, {15, 0.025}, {20, 0}});
  check(Schedule("cosine_decay", {{"initial_learning_rate", 0},
                                  {"decay_steps", 10},
                                  {"alpha", 0.5},
                                  {"warmup_target", rate},
                                  {"warmup_steps", 4}}),
        {{0, 0}, {1, 0.025}, {4, 0.1}, {9, 0.075}, {14, 0.05}, {99, 0.05}});
  // Waves of 10, 20, 40 steps; a wave begins at full height.
  check(Schedule("cosine_decay_restarts", {{"initial_learning_rate", rate}, {"first_decay_steps", 10}}),
        {{0, 0.1}, {5, 0.05}, {10, 0.1}, {20, 0.05}, {30, 0.1}, {50, 0.05}, {70, 0.1}});
  check(Schedule("cosine_decay_restarts",
                 {{"initial_learning_rate", rate}, {"first_decay_steps", 10}, {"t_mul", 1}, {"m_mul", 0.5}}),
        {{0, 0.1}, {10, 0.05}, {20, 0.025}, {25, 0.0125}});
  check(Schedule("one_cycle", {{"max_lr", 1}, {"total_steps", 11}, {"pct_start", 6.0 / 11}}),
        {{0, 0.04}, {5, 1}, {10, 4e-6}, {99, 4e-6}});
  check(Schedule("inverse_square_root_decay", {{"peak_learning_rate", rate}, {"warmup_steps", 4}}),
        {{0, 0.025}, {3, 0.1}, {15, 0.05}});
  check(Schedule("linear_warmup", {{"target_learning_rate", rate}, {"warmup_steps", 4}}),
        {{0, 0}, {1, 0.025}, {4, 0.1}, {99, 0.1}});
  Schedule pieces("piecewise_constant_decay");
  pieces.set_list("boundaries", {2, 5});
  pieces.set_list("values", {1, 0.5, 0.1});
  check(pieces, {{0, 1}, {2, 1}, {3, 0.5}, {5, 0.5}, {6, 0.1}});
}

TEST_CASE("schedule: what is missing or does not fit is named") {
  CHECK(without(message_of([] { schedule_from_json(R"({"name": "cosine_decay", "initial_learning_rate": 1})"); }),
                {"schedule 'cosine_decay'", "decay_steps is missing"}) == "");
  const auto pieces = [](const char* boundaries, const char* values) {
    return message_of([&] {
      schedule_from_json(std::string(R"({"name": "piecewise_constant_decay", "boundaries": )") + boundaries +
                         R"(, "values": )" + values + "}");
    });
  };
  CHECK(without(pieces("[1, 2]", "[1, 2]"), {"values must be one more than boundaries", "2 values and 2"}) == "");
  CHECK(without(pieces("[2, 1]", "[1, 2, 3]"), {"boundaries must increase"}) == "");
  CHECK(without(pieces("[]", "[1]"), {"boundaries is missing"}) == "");
}
