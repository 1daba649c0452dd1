// SPDX-License-Identifier: Apache-2.0
#include "laminar/base/error.hpp"

#include "support.hpp"

using namespace laminar;
using namespace laminar::tests;

TEST_CASE("error: a message is its parts in a row") {
  CHECK(message_of([] { fail("fit: x has ", 12, " features, the network takes ", 30); }) ==
        "fit: x has 12 features, the network takes 30");
  CHECK(message_of([] { fail("rate ", 0.5, ", '", std::string("x"), "'"); }) == "rate 0.5, 'x'");
}

TEST_CASE("error: lists and shapes read as in Python") {
  CHECK(join({}).empty());
  CHECK(join({"a"}) == "a");
  CHECK(join({"a", "b", "c"}) == "a, b, c");
  CHECK(to_string(Shape{}) == "()");
  CHECK(to_string(Shape{3}) == "(3,)");
  CHECK(to_string(Shape{30, 64}) == "(30, 64)");
}

TEST_CASE("error: the nearest name is offered where one is near, letter case aside") {
  const std::vector<std::string> known = {"sgd", "rmsprop", "adam"};
  CHECK(unknown_name("optimizer", "adma", known) ==
        "unknown optimizer 'adma'; did you mean 'adam'? (known: sgd, rmsprop, adam)");
  CHECK(without(unknown_name("optimizer", "RMSProp", known), {"did you mean 'rmsprop'?"}) == "");
  CHECK(without(unknown_name("optimizer", "SGD", known), {"did you mean 'sgd'?"}) == "");
  CHECK(unknown_name("optimizer", "levenberg_marquardt", known) ==
        "unknown optimizer 'levenberg_marquardt' (known: sgd, rmsprop, adam)");
  CHECK(unknown_name("optimizer", "adam", {}) == "unknown optimizer 'adam' (known: )");
}

TEST_CASE("error: a training that fails to stay finite is no invalid argument") {
  CHECK_THROWS_AS(throw NonFiniteError("fit"), std::runtime_error);
}
