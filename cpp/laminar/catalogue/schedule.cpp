// SPDX-License-Identifier: Apache-2.0
// To add a schedule, write a struct with `info`, `required` (how many of its first arguments have no
// default) and `rate`, and put its name in the list at the end. p are the values in the order of
// info.parameters; lists are asked for by name.
#include "laminar/catalogue/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "laminar/base/error.hpp"
#include "laminar/catalogue/entries.hpp"

namespace laminar {
namespace {

constexpr ParameterInfo kInitialRate{"initial_learning_rate", kAbsent, Range::non_negative};
constexpr ParameterInfo kDecaySteps{"decay_steps", kAbsent, Range::positive};
constexpr ParameterInfo kStaircase{"staircase", 0, Range::flag};

/// From 1 at x = 0 to 0 at x = 1, along half a wave.
double half_wave(double x) { return 0.5 * (1 + std::cos(std::numbers::pi * x)); }

/// step / steps, at its whole part where that is asked for.
double decays(double step, double steps, double staircase) {
  return staircase != 0 ? std::floor(step / steps) : step / steps;
}

/// initial / (1 + rate step / steps)
struct InverseTimeDecay {
  static constexpr EntryInfo info{
      "inverse_time_decay", "", {kInitialRate, kDecaySteps, {"decay_rate", kAbsent, Range::non_negative}, kStaircase}};
  static constexpr int required = 3;
  static double rate(const Schedule&, const double* p, double step) {
    return p[0] / (1 + p[2] * decays(step, p[1], p[3]));
  }
};

/// initial rate^(step / steps)
struct ExponentialDecay {
  static constexpr EntryInfo info{
      "exponential_decay", "", {kInitialRate, kDecaySteps, {"decay_rate", kAbsent, Range::non_negative}, kStaircase}};
  static constexpr int required = 3;
  static double rate(const Schedule&, const double* p, double step) {
    return p[0] * std::pow(p[2], decays(step, p[1], p[3]));
  }
};

/// values[i] up to and including step boundaries[i], then the last one
struct PiecewiseConstantDecay {
  static constexpr EntryInfo info{
      "piecewise_constant_decay", "", {{"boundaries", 0, Range::numbers}, {"values", 0, Range::numbers}}};
  static constexpr int required = 2;
  static double rate(const Schedule& schedule, const double*, double step) {
    const auto boundaries = schedule.list("boundaries");
    const auto after = std::lower_bound(boundaries.begin(), boundaries.end(), step);
    return schedule.list("values")[static_cast<std::size_t>(after - boundaries.begin())];
  }
};

/// (initial - end)(1 - step / steps)^power + end; cycle: steps times the first whole number that
/// makes it no less than step
struct PolynomialDecay {
  static constexpr EntryInfo info{"polynomial_decay",
                                  "",
                                  {kInitialRate,
                                   kDecaySteps,
                                   {"end_learning_rate", 0.0001, Range::non_negative},
                                   {"power", 1, Range::non_negative},
                                   {"cycle", 0, Range::flag}}};
  static constexpr int required = 2;
  static double rate(const Schedule&, const double* p, double step) {
    const double steps = p[4] != 0 ? p[1] * std::max(1.0, std::ceil(step / p[1])) : p[1];
    return (p[0] - p[2]) * std::pow(1 - std::min(step, steps) / steps, p[3]) + p[2];
  }
};

/// From initial in a line to warmup_target in warmup_steps, where there is one; from there along half
/// a cosine wave to its share alpha  (Loshchilov & Hutter 2017)
struct CosineDecay {
  static constexpr EntryInfo info{"cosine_decay",
                                  "",
                                  {kInitialRate,
                                   kDecaySteps,
                                   {"alpha", 0, Range::non_negative},
                                   {"warmup_target", kAbsent, Range::non_negative},
                                   {"warmup_steps", 0, Range::whole}}};
  static constexpr int required = 2;
  static double rate(const Schedule&, const double* p, double step) {
    const bool warms_up = !std::isnan(p[3]);
    if (warms_up && step < p[4]) return p[0] + (p[3] - p[0]) * step / p[4];
    const double done = std::min(step - (warms_up ? p[4] : 0), p[1]) / p[1];
    return (warms_up ? p[3] : p[0]) * ((1 - p[2]) * half_wave(done) + p[2]);
  }
};

/// Half cosine waves, each t_mul times as long and m_mul times as high as the last
/// (Loshchilov & Hutter 2017)
struct CosineDecayRestarts {
  static constexpr EntryInfo info{"cosine_decay_restarts",
                                  "",
                                  {kInitialRate,
                                   {"first_decay_steps", kAbsent, Range::positive},
                                   {"t_mul", 2, Range::positive},
                                   {"m_mul", 1, Range::non_negative},
                                   {"alpha", 0, Range::non_negative}}};
  static constexpr int required = 2;
  static double rate(const Schedule&, const double* p, double step) {
    const double done = step / p[1];
    double restarts = std::floor(done);
    double start = restarts;
    double length = 1;
    if (p[2] != 1) {
      // The sum of t^i for i below n is (1 - t^n) / (1 - t). Rounding must not choose the wave.
      const auto begin = [t = p[2]](double n) { return (1 - std::pow(t, n)) / (1 - t); };
      restarts = std::floor(std::log(1 - done * (1 - p[2])) / std::log(p[2]));
      if (!std::isfinite(restarts)) return p[0] * p[4];  // t_mul < 1: all waves are over
      while (restarts > 0 && begin(restarts) > done) --restarts;
      while (begin(restarts + 1) <= done) ++restarts;
      start = begin(restarts);
      length = std::pow(p[2], restarts);
    }
    return p[0] * ((1 - p[4]) * std::pow(p[3], restarts) * half_wave((done - start) / length) + p[4]);
  }
};

/// From max_lr / div_factor up to max_lr in the first pct_start of the steps, then down to the first
/// rate / final_div_factor; three_phase: down to the first rate in as many steps, then to the last
/// (Smith & Topin 2018, as PyTorch's OneCycleLR)
struct OneCycle {
  static constexpr EntryInfo info{"one_cycle",
                                  "",
                                  {{"max_lr", kAbsent, Range::non_negative},
                                   {"total_steps", kAbsent, Range::count},
                                   {"pct_start", 0.3, Range::share},
                                   {"anneal_strategy", 0, Range::word, "cos linear"},
                                   {"div_factor", 25, Range::positive},
                                   {"final_div_factor", 1e4, Range::positive},
                                   {"three_phase", 0, Range::flag}}};
  static constexpr int required = 2;
  static double rate(const Schedule&, const double* p, double step) {
    const double last = p[1] - 1;
    const double first_rate = p[0] / p[4];
    const double last_rate = first_rate / p[5];
    const double peak = std::min(p[2] * p[1] - 1, last);
    const double trough = p[6] != 0 ? std::min(2 * p[2] * p[1] - 2, last) : last;
    const auto between = [&](double from, double to, double start, double end) {
      const double done = end > start ? std::clamp((step - start) / (end - start), 0.0, 1.0) : 1;
      return p[3] == 0 ? to + (from - to) * half_wave(done) : from + (to - from) * done;
    };
    if (step <= peak) return between(first_rate, p[0], 0, peak);
    if (p[6] == 0) return between(p[0], last_rate, peak, last);
    if (step <= trough) return between(p[0], first_rate, peak, trough);
    return between(first_rate, last_rate, trough, last);
  }
};

/// peak min(t / warmup, sqrt(warmup / t)), t = step + 1  (Vaswani et al. 2017)
struct InverseSquareRootDecay {
  static constexpr EntryInfo info{
      "inverse_square_root_decay",
      "",
      {{"peak_learning_rate", kAbsent, Range::non_negative}, {"warmup_steps", 4000, Range::count}}};
  static constexpr int required = 1;
  static double rate(const Schedule&, const double* p, double step) {
    return p[0] * std::min((step + 1) / p[1], std::sqrt(p[1] / (step + 1)));
  }
};

/// From initial in a line to target in warmup_steps, then target  (Goyal et al. 2017)
struct LinearWarmup {
  static constexpr EntryInfo info{"linear_warmup",
                                  "",
                                  {{"target_learning_rate", kAbsent, Range::non_negative},
                                   {"warmup_steps", kAbsent, Range::whole},
                                   {"initial_learning_rate", 0, Range::non_negative}}};
  static constexpr int required = 2;
  static double rate(const Schedule&, const double* p, double step) {
    return step < p[1] ? p[2] + (p[0] - p[2]) * step / p[1] : p[0];
  }
};

using Schedules = kernels::List<InverseTimeDecay, ExponentialDecay, PiecewiseConstantDecay, PolynomialDecay,
                                CosineDecay, CosineDecayRestarts, OneCycle, InverseSquareRootDecay, LinearWarmup>;

struct Functions {
  int required;
  double (*rate)(const Schedule&, const double*, double);
};

constexpr auto kInfos = entry_infos<Schedules>();
constexpr auto kFunctions = from_list(Schedules{}, [](auto tag) {
  using S = typename decltype(tag)::type;
  return Functions{S::required, &S::rate};
});

}  // namespace

const Family& schedule_family() {
  static constexpr Family family{"schedule", kInfos};
  return family;
}

int Schedule::required() const { return kFunctions[static_cast<std::size_t>(index())].required; }

void Schedule::check() const {
  for (int i = 0; i < required(); ++i) {
    const ParameterInfo& parameter = info().parameters[i];
    const bool list = parameter.range == Range::numbers;
    if (list ? this->list(parameter.name).empty() : std::isnan(value(parameter.name))) {
      fail("schedule '", name(), "': ", parameter.name, " is missing");
    }
  }
  if (std::string_view(name()) != PiecewiseConstantDecay::info.name) return;
  const auto boundaries = list("boundaries");
  if (list("values").size() != boundaries.size() + 1) {
    fail("schedule '", name(), "': values must be one more than boundaries, got ", list("values").size(),
         " values and ", boundaries.size(), " boundaries");
  }
  if (!std::is_sorted(boundaries.begin(), boundaries.end(), std::less_equal<>())) {
    fail("schedule '", name(), "': boundaries must increase");
  }
}

double Schedule::operator()(Index step) const {
  return kFunctions[static_cast<std::size_t>(index())].rate(*this, values().data(), static_cast<double>(step));
}

}  // namespace laminar
