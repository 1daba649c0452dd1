// SPDX-License-Identifier: Apache-2.0
#include "laminar/graph/objective.hpp"

#include <algorithm>

#include "laminar/base/error.hpp"

namespace laminar {

Objective::Objective(const Network& network, const Loss& loss_, const std::vector<Metric>& metrics_)
    : loss(loss_),
      asked(metrics_),
      sums(loss_.reduction() == Reduction::sum),
      by_weight(loss_.reduction() == Reduction::weighted_mean),
      ignored(loss_.ignored_class()) {
  if (loss.reduction() == Reduction::none) {
    fail("compile: the loss '", loss.name(), "' has reduction 'none', but training needs one number for a batch; use ",
         "'sum_over_batch_size' or 'sum'");
  }
  const Activation* last = activation_of(network.nodes().back().layer);
  logits = loss.from_logits() && (last == nullptr || !loss.absorbs(*last));
  if (logits) link = loss.absorbs("sigmoid") ? Activation("sigmoid") : Activation("softmax");
  names.emplace_back("loss");
  for (const Metric& metric : metrics_) {
    if (std::find(names.begin(), names.end(), metric.key) != names.end()) {
      fail("metrics: the key '", metric.key, "' is given twice");
    }
    metrics.push_back(metric.resolved(loss, network.outputs()));
    if (last != nullptr) metrics.back().ignore_logits(*last);
    of_probabilities.push_back(link && metrics.back().takes_probabilities_of(*link, network.outputs()) ? 1 : 0);
    names.push_back(metric.key);
  }
  // A penalty on the outputs needs them, and its slope goes back through the activation.
  absorbs_last = last != nullptr && loss.absorbs(*last) && !network.nodes().back().activity.has_value();
}

}  // namespace laminar
