// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/objective.hpp"

#include "support.hpp"

using namespace laminar;

TEST_CASE("objective: names are those asked for, and the loss takes on the last activation where it can") {
  const auto network = [](const char* activation) { return Network(2, {Dense{.units = 3, .activation = activation}}); };
  const Objective objective(network("softmax"), "categorical_crossentropy", {"accuracy", "mse"});
  CHECK(objective.names == std::vector<std::string>{"loss", "accuracy", "mse"});
  CHECK(std::string(objective.goals[0].metrics[0].name()) == "categorical_accuracy");
  CHECK(objective.goals[0].absorbs_last);
  CHECK(objective.goals[0].on_logits());
  CHECK_FALSE(Objective(network("softmax"), "mse", {}).goals[0].absorbs_last);
  CHECK_FALSE(Objective(network("sigmoid"), "categorical_crossentropy", {}).goals[0].absorbs_last);
  const Loss on_logits("binary_crossentropy", {{"from_logits", 1}});
  CHECK(Objective(network("sigmoid"), on_logits, {}).goals[0].absorbs_last);  // probabilities all the same
  CHECK(Objective(network("linear"), on_logits, {}).goals[0].on_logits());

  const Network separate(2, {Dense{.units = 3}, Activate{"sigmoid"}});
  CHECK(Objective(separate, "binary_crossentropy", {}).goals[0].absorbs_last);
  const Network dropped(2, {Dense{.units = 3, .activation = "sigmoid"}, Dropout{.rate = 0.5}});
  CHECK_FALSE(Objective(dropped, "binary_crossentropy", {}).goals[0].absorbs_last);
  CHECK_THROWS_AS(Objective(network("linear"), "mse", {"sparse_categorical_accuracy"}), std::invalid_argument);
}

TEST_CASE("objective: what the loss's reduction asks for") {
  const Network network(2, {Dense{.units = 3, .activation = "softmax"}});
  CHECK_FALSE(Objective(network, "mse", {}).goals[0].sums);
  CHECK_FALSE(Objective(network, "mse", {}).goals[0].ignored.has_value());
  CHECK(Objective(network, Loss("mse", {{"reduction", 1}}), {}).goals[0].sums);
  CHECK(Objective(network, Loss("sparse_categorical_crossentropy", {{"ignore_class", -1}}), {}).goals[0].ignored == -1);
  CHECK(tests::without(tests::message_of([&] { Objective(network, Loss("mse", {{"reduction", 4}}), {}); }),
                       {"compile: the loss 'mse' has reduction 'none'", "one number", "'sum'"}) == "");
}

TEST_CASE("objective: metrics are told apart by their keys") {
  const Network network(2, {Dense{.units = 3, .activation = "sigmoid"}});
  Metric low("precision", {{"thresholds", 0.3}});
  low.key = "p3";
  const Objective objective(network, "mse", {low, "precision"});
  CHECK(objective.names == std::vector<std::string>{"loss", "p3", "precision"});
  const auto refusal = [&](const Metric& metric) {
    return tests::message_of([&] { Objective(network, "mse", {low, metric}); });
  };
  CHECK(tests::without(refusal(low), {"metrics: the key 'p3' is given twice"}) == "");
  Metric taken("mae");
  taken.key = "loss";
  CHECK(tests::without(refusal(taken), {"'loss' is given twice"}) == "");
  // The outputs are probabilities, whatever was said.
  const Metric logits("auc", {{"from_logits", 1}});
  CHECK(Objective(network, "mse", {logits}).goals[0].metrics[0].value("from_logits") == 0);
  CHECK(Objective(Network(2, {Dense{.units = 3}}), "mse", {logits}).goals[0].metrics[0].value("from_logits") == 1);
}

TEST_CASE("objective: metrics of logits see probabilities, unless they take logits or their order") {
  const Network network(2, {Dense{.units = 3}});
  const Loss loss("categorical_crossentropy", {{"from_logits", 1}});
  const Metric own("auc", {{"from_logits", 1}});
  const Objective objective(network, loss,
                            {"precision", "mse", own, "accuracy", "categorical_crossentropy", "categorical_hinge"});
  CHECK(std::string_view(objective.goals[0].link->name()) == "softmax");
  CHECK(objective.goals[0].of_probabilities == std::vector<char>{1, 1, 0, 0, 0, 0});
  CHECK(objective.goals[0].metrics[4].value("from_logits") == 1);
  CHECK_FALSE(Objective(network, "mse", {"precision"}).goals[0].needs_link());
  const Network ends(2, {Dense{.units = 3, .activation = "softmax"}});
  CHECK_FALSE(Objective(ends, loss, {"precision"}).goals[0].needs_link());
}
