// SPDX-License-Identifier: Apache-2.0
// L-BFGS: steps along -H g, H built from the last few changes of x and of the gradient (Nocedal 1980,
// Math. Comp. 35), each of a length that fulfils the strong Wolfe conditions. All sums are taken by one
// thread in one order, so that the path depends on the function's values alone.
#pragma once

#include <functional>
#include <limits>
#include <span>

#include "laminar/model.hpp"

namespace laminar {

/// Returns f(x) and writes its gradient.
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

/// When to end, in the terms of SciPy's L-BFGS-B and with its defaults.
struct LbfgsOptions {
  Index max_iterations = 15000;
  Index max_evaluations = 15000;                     // looked at after an iteration, which may exceed it
  double gradient_tolerance = 1e-5;                  // end where no |g_i| is larger
  double decrease_tolerance = 2.220446049250313e-9;  // or where f falls by no more, relative to max(|f|, 1)
  Index memory = 10;                                 // changes that H is built from
  /// How exact f is, relative to |f|: smaller differences mean nothing to the line search.
  double precision = std::numeric_limits<double>::epsilon();
  /// Called after each iteration; true stops.
  std::function<bool(Index iteration, double value)> on_iteration = {};
};

enum class LbfgsReason { gradient, decrease, max_iterations, max_evaluations, stopped, line_search };

/// "gradient", "max_iterations", …
const char* name_of(LbfgsReason reason);

struct LbfgsEnd {
  LbfgsReason reason = LbfgsReason::gradient;
  Index iterations = 0;
  Index evaluations = 0;
  double value = 0;
};

/// Minimizes from x, and leaves x at the best point, also where it throws: what the function or
/// on_iteration has thrown, or a StopScope has ended. Throws std::invalid_argument for options that
/// make no sense, and NonFiniteError where f is not finite at the start; steps to such points are
/// shortened.
LbfgsEnd minimize(const SmoothFunction& function, std::span<double> x, const LbfgsOptions& options = {});

/// Minimizes `scale` times the model's loss over all rows as one batch, the mean by their weights. The optimizer's
/// state stays as it is. What on_iteration sees in the model are the weights after the iteration.
template <typename T>
LbfgsEnd fit_lbfgs(Model<T>& model, const Dataset<T>& data, LbfgsOptions options = {}, double scale = 1);

}  // namespace laminar
