// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/objective.hpp"

#include <cmath>
#include <unordered_set>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

/// Whether nothing reads a node but the last one, once, perhaps as a vector.
bool goes_to_the_end_alone(const Network& network, int node) {
  const std::vector<Node>& nodes = network.nodes();
  const int last = static_cast<int>(nodes.size()) - 1;
  while (node != last) {
    int reader = -1;
    for (int i = node + 1; i <= last; ++i) {
      for (const int input : nodes[static_cast<std::size_t>(i)].inputs) {
        if (input != node) continue;
        if (reader >= 0) return false;
        reader = i;
      }
    }
    if (reader < 0 || (reader != last && !is_view(nodes[static_cast<std::size_t>(reader)].layer))) return false;
    node = reader;
  }
  return true;
}

void check_loss(const Loss& loss, bool apart) {
  if (loss.reduction() == Reduction::none) {
    fail("compile: the loss '", loss.name(), "' has reduction 'none', but training needs one number for a batch; use ",
         "'sum_over_batch_size' or 'sum'");
  }
  if (apart && loss.whole_batch()) {
    fail("compile: the loss '", loss.name(), "' is a root of the batch's mean, which only a model with one loss can ",
         "have; use 'mse'");
  }
}

bool takes_labels(const Head& head) {
  if (head.loss) return head.loss->class_labels();
  return std::any_of(head.metrics.begin(), head.metrics.end(),
                     [](const Metric& metric) { return metric.takes() == Takes::labels; });
}

/// What a function of one's own was made for must be what there is.
void check_own(const OwnFunction& function, const Goal& goal) {
  if (function.outputs() != goal.columns) {
    fail("compile: '", function.name(), "' was made for ", function.outputs(), " outputs, the network has ",
         goal.columns);
  }
  if (function.targets() != goal.targets) {
    fail("compile: '", function.name(), "' takes ", function.targets(), " values of each row of y, got ", goal.targets);
  }
}

/// A loss of one's own says how many targets there are.
void take_own(const Head& head, Goal& goal) {
  const OwnFunction* loss = goal.loss ? goal.loss->own.get() : nullptr;
  if (loss != nullptr) {
    goal.targets = loss->targets();
    goal.mixes_rows = loss->mixes_rows();
    check_own(*loss, goal);
    if (goal.mixes_rows && goal.skips_missing) {
      fail("compile: ignore_nan leaves rows out, and the loss '", loss->name(), "' looks at all rows of a batch");
    }
  }
  for (const Metric& metric : head.metrics) {
    if (metric.own != nullptr) {
      check_own(*metric.own, goal);
      if (metric.own->mixes_rows()) {
        fail("compile: the metric '", metric.name(), "' must say something of each row that does not depend on others");
      }
    } else if (!goal.labels && goal.targets != goal.columns) {
      fail("compile: the metric '", metric.name(), "' compares targets with as many outputs, but y has ", goal.targets,
           goal.targets == 1 ? " column" : " columns", " and the output ", goal.columns);
    }
  }
}

/// Metrics without a loss beside them take targets of one kind as well.
Metric resolved(const Metric& metric, const Goal& goal) {
  if (goal.loss) return metric.resolved(*goal.loss, goal.columns);
  if (metric.takes() != Takes::either && (metric.takes() == Takes::labels) != goal.labels) {
    fail("metrics: '", metric.name(), "' takes rows of values as targets, others of the output '", goal.name,
         "' class numbers");
  }
  return metric.resolved(goal.labels, false, goal.columns);
}

}  // namespace

Objective::Objective(const Network& network, const Loss& loss, const std::vector<Metric>& metrics, bool ignore_nan_)
    : Objective(network, std::vector<Head>{{.loss = loss, .metrics = metrics}}, ignore_nan_) {}

Objective::Objective(const Network& network, std::vector<Head> heads, bool ignore_nan_)
    : asked(std::move(heads)), ignore_nan(ignore_nan_), apart(asked.size() > 1) {
  const std::size_t outputs = network.output_ports().size();
  if (asked.size() != 1 && asked.size() != outputs) {
    fail("compile: heads must be one, or one for each of the network's ", outputs, " outputs, got ", asked.size());
  }
  std::unordered_set<std::string> outputs_named;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const Head& head = asked[i];
    const std::string& name = head.name.empty() ? network.output_ports()[i].name : head.name;
    if (!outputs_named.insert(name).second) {
      fail("compile: two outputs are called '", name, "', so their losses could not be told apart; give them names");
    }
    if (!std::isfinite(head.weight)) fail("compile: the weight of a loss must be finite, got ", head.weight);
    if (head.loss || !head.metrics.empty()) add_goal(network, i, head);
  }
  if (std::none_of(goals.begin(), goals.end(), [](const Goal& goal) { return goal.loss.has_value(); })) {
    fail("compile: no output has a loss");
  }
  name_logs();
}

void Objective::add_goal(const Network& network, std::size_t output, const Head& head) {
  const Port& port = network.output_ports()[output];
  Goal goal;
  goal.number = goals.size();
  goal.output = output;
  goal.name = head.name.empty() ? port.name : head.name;
  goal.node = apart ? port.node : static_cast<int>(network.nodes().size()) - 1;
  goal.columns = apart ? port.width : network.outputs();
  goal.loss = head.loss;
  goal.weight = head.weight;
  goal.labels = takes_labels(head);
  goal.skips_missing = ignore_nan;
  goal.first_target = target_columns;
  goal.targets = goal.labels ? 1 : goal.columns;
  take_own(head, goal);
  const Node& node = network.nodes()[static_cast<std::size_t>(goal.node)];
  const Activation* last = activation_of(node.layer);
  if (goal.loss) {
    const Loss& loss = *goal.loss;
    check_loss(loss, apart);
    goal.sums = loss.reduction() == Reduction::sum;
    goal.by_weight = loss.reduction() == Reduction::weighted_mean;
    goal.ignored = loss.ignored_class();
    goal.logits = loss.from_logits() && (last == nullptr || !loss.absorbs(*last));
    if (goal.logits) goal.link = loss.absorbs("sigmoid") ? Activation("sigmoid") : Activation("softmax");
    // A penalty on the outputs needs them, and its slope goes back through the activation; so do others that read
    // them.
    goal.absorbs_last = last != nullptr && loss.absorbs(*last) && !node.activity.has_value() &&
                        goes_to_the_end_alone(network, goal.node);
  }
  goal.compares_parts = ignore_nan && !goal.labels && (!goal.loss || goal.loss->elementwise());
  for (const Metric& metric : head.metrics) {
    goal.metrics.push_back(resolved(metric, goal));
    if (last != nullptr) goal.metrics.back().ignore_logits(*last);
    const bool sees = goal.link && goal.metrics.back().takes_probabilities_of(*goal.link, goal.columns);
    goal.of_probabilities.push_back(sees ? 1 : 0);
  }
  if (apart || !goal.labels) target_columns += goal.targets;
  if (goal.absorbs_last) {
    absorbs.resize(network.nodes().size(), 0);
    absorbs[static_cast<std::size_t>(goal.node)] = 1;
  }
  goals.push_back(std::move(goal));
}

// As in Keras, metrics of several outputs come in alphabetical order.
void Objective::name_logs() {
  names.emplace_back("loss");
  const auto losses = std::count_if(goals.begin(), goals.end(), [](const Goal& goal) { return goal.loss.has_value(); });
  for (Goal& goal : goals) {
    if (losses < 2 || !goal.loss) continue;
    goal.log = names.size();
    names.push_back(goal.name + "_loss");
  }
  const std::size_t first = names.size();
  const auto key_of = [&](const Goal& goal, const Metric& metric) {
    return apart ? goal.name + "_" + metric.key : metric.key;
  };
  for (const Goal& goal : goals) {
    for (const Metric& metric : goal.metrics) {
      std::string key = key_of(goal, metric);
      if (std::find(names.begin(), names.end(), key) != names.end()) {
        fail("metrics: the key '", key, "' is given twice");
      }
      names.push_back(std::move(key));
    }
  }
  if (apart) std::sort(names.begin() + static_cast<std::ptrdiff_t>(first), names.end());
  for (Goal& goal : goals) {
    for (const Metric& metric : goal.metrics) {
      const auto at = std::find(names.begin() + static_cast<std::ptrdiff_t>(first), names.end(), key_of(goal, metric));
      goal.metric_logs.push_back(static_cast<std::size_t>(at - names.begin()));
    }
  }
}

}  // namespace laminar
