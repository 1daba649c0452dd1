// SPDX-License-Identifier: Apache-2.0
// Entries by name and their hyper-parameters, in every family.
#include "laminar/catalogue/choice.hpp"

#include <set>

#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/metric.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

namespace {

std::vector<const Family*> families() {
  return {&activation_family(),        &loss_family(),        &optimizer_family(),
          &optimizer_options_family(), &initializer_family(), &metric_family(),
          &regularizer_family(),       &constraint_family(),  &schedule_family()};
}

bool same(double a, double b) { return a == b || (std::isnan(a) && std::isnan(b)); }

/// Values outside a range, and what is said about them.
std::vector<std::pair<double, const char*>> bad_values(const ParameterInfo& parameter) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Range range = parameter.range;
  std::vector<std::pair<double, const char*>> bad = {{infinity, "must be finite"}, {-infinity, "must be finite"}};
  if (!parameter.optional()) bad.emplace_back(kNan<double>, "must be finite");
  if (range == Range::numbers) bad.emplace_back(1, "must be a list of numbers");
  if (range == Range::share) {
    bad.insert(bad.end(), {{-0.1, "must be at least 0 and at most 1"}, {1.1, "must be at least 0 and at most 1"}});
  }
  if (range == Range::whole || range == Range::count) {
    bad.insert(bad.end(), {{0.5, "must be an integer"}, {range == Range::count ? 0 : -1, "must be an integer"}});
  }
  if (range == Range::integer) bad.emplace_back(0.5, "must be an integer");
  if (range == Range::whole || range == Range::count || range == Range::integer) {
    bad.emplace_back(0x1p53, "must be an integer");
  }
  if (range == Range::word) bad.insert(bad.end(), {{-1, "one of its words"}, {0.5, "one of its words"}});
  if (range == Range::non_negative) bad.emplace_back(-1e-9, "must not be negative");
  if (range == Range::positive) bad.insert(bad.end(), {{0, "must be greater than 0"}, {-1, "must be greater than 0"}});
  if (range == Range::fraction) {
    bad.insert(bad.end(), {{-0.1, "must be at least 0 and less than 1"}, {1, "must be at least 0 and less than 1"}});
  }
  if (range == Range::flag) bad.insert(bad.end(), {{0.5, "must be true or false"}, {2, "must be true or false"}});
  return bad;
}

}  // namespace

TEST_CASE("choice: every entry is found by its name and its other names, which nobody else has") {
  for (const Family* family : families()) {
    std::set<std::string> names;
    for (std::size_t i = 0; i < family->entries.size(); ++i) {
      const EntryInfo& entry = family->entries[i];
      CAPTURE(std::string(entry.name));
      auto all = words_of(entry.aliases);
      all.emplace_back(entry.name);
      for (const std::string_view name : all) {
        CHECK(names.insert(std::string(name)).second);
        const Choice choice(*family, name);
        CHECK(choice.index() == static_cast<int>(i));
        CHECK(std::string(choice.name()) == entry.name);
        for (int p = 0; p < entry.count(); ++p)
          CHECK(same(choice.value(entry.parameters[p].name), entry.parameters[p].value));
      }
    }
  }
}

TEST_CASE("choice: hyper-parameters outside their range are refused and change nothing") {
  for (const Family* family : families()) {
    for (const EntryInfo& entry : family->entries) {
      for (int p = 0; p < entry.count(); ++p) {
        const ParameterInfo& parameter = entry.parameters[p];
        CAPTURE(std::string(entry.name));
        CAPTURE(std::string(parameter.name));
        Choice choice(*family, entry.name);
        for (const auto& [value, rule] : bad_values(parameter)) {
          const auto message = message_of([&, bad = value] { choice.set(parameter.name, bad); });
          CHECK(without(message, {family->title, entry.name, parameter.name, rule, "got "}) == "");
          CHECK(same(choice.value(parameter.name), parameter.value));
          CHECK_THROWS_AS(Choice(*family, entry.name, {{parameter.name, value}}), std::invalid_argument);
        }
        if (parameter.range == Range::numbers) {
          choice.set_list(parameter.name, {1, 2.5});
          CHECK(choice.list(parameter.name)[1] == 2.5);
          CHECK_THROWS_AS(choice.set_list(parameter.name, {kNan<double>}), std::invalid_argument);
          continue;
        }
        CHECK_THROWS_AS(choice.set_list(parameter.name, {1}), std::invalid_argument);
        choice.set(parameter.name, moved(parameter));
        CHECK(choice.value(parameter.name) == moved(parameter));
        CHECK(choice.values_as<float>()[static_cast<std::size_t>(p)] == static_cast<float>(moved(parameter)));
      }
    }
  }
}

TEST_CASE("choice: defaults lie in their ranges") {
  for (const Family* family : families()) {
    for (const EntryInfo& entry : family->entries) {
      for (int p = 0; p < entry.count(); ++p) {
        if (entry.parameters[p].range == Range::numbers) continue;
        CHECK_NOTHROW(Choice(*family, entry.name, {{entry.parameters[p].name, entry.parameters[p].value}}));
      }
    }
  }
}

TEST_CASE("choice: unknown names are refused, naming the nearest and all") {
  CHECK(without(message_of([] { Optimizer("adma"); }),
                {"unknown optimizer 'adma'", "did you mean 'adam'?", "(known: sgd, rmsprop, "}) == "");
  CHECK(without(message_of([] { Activation("Relu"); }), {"unknown activation 'Relu'", "did you mean 'relu'?"}) == "");
  CHECK(without(message_of([] { Loss("binary_cross_entropy"); }), {"did you mean 'binary_crossentropy'?"}) == "");
  CHECK(message_of([] { Loss("xyzzy"); }).find("did you mean") == std::string::npos);
  for (const Family* family : families()) {
    for (const char* name : {"", " ", "no such entry"}) {
      CHECK(without(message_of([&] { Choice(*family, name); }), {"unknown ", family->title}) == "");
    }
  }
}

TEST_CASE("choice: unknown hyper-parameters are refused, naming the nearest") {
  const auto message = message_of([] { Optimizer("sgd", {{"nestrove", 1}}); });
  CHECK(without(message, {"optimizer 'sgd'", "unknown argument 'nestrove'", "did you mean 'nesterov'?",
                          "learning_rate, momentum, nesterov"}) == "");
  CHECK_THROWS_AS(Activation("relu").value("alpha"), std::invalid_argument);
  CHECK(Optimizer("sgd").takes("nesterov"));
  CHECK(!Optimizer("sgd").takes("nestrove"));
}
