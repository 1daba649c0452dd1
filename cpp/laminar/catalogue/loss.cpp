// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/loss.hpp"

#include <cmath>

#include "laminar/catalogue/entries.hpp"
#include "laminar/kernels/losses.hpp"

namespace laminar {
namespace {

using kernels::TargetRange;

// What targets computed in float32 may miss their range by, such as probabilities that sum to 1.
constexpr double kRounding = 1e-5;

struct Traits {
  bool class_labels;
  bool whole_batch;
  bool elementwise;
  int absorbed;  // position of the activation, -1 for none
  TargetRange (*targets)(const double* values);
};

template <typename L>
constexpr bool is_elementwise() {
  if constexpr (requires { L::averaged; }) {
    return L::averaged;
  } else {
    return false;
  }
}

constexpr auto kInfos = entry_infos<kernels::Losses>();
constexpr auto kTraits = from_list(kernels::Losses{}, [](auto tag) {
  using L = typename decltype(tag)::type;
  return Traits{L::class_labels, L::whole_batch, is_elementwise<L>(),
                position_of<typename L::Fused>(kernels::Activations{}), &L::targets};
});

const Traits& traits(const Loss& loss) { return kTraits[static_cast<std::size_t>(loss.index())]; }

}  // namespace

const Family& loss_family() {
  static constexpr Family family{"loss", kInfos};
  return family;
}

bool Loss::class_labels() const { return own == nullptr && traits(*this).class_labels; }

bool Loss::absorbs(const Activation& last) const { return own == nullptr && traits(*this).absorbed == last.index(); }

bool Loss::elementwise() const { return own == nullptr && traits(*this).elementwise; }

bool Loss::from_logits() const { return find("from_logits").value_or(0) != 0; }

Reduction Loss::reduction() const {
  const std::string_view chosen = word("reduction");
  if (chosen == "sum") return Reduction::sum;
  if (chosen == "none") return Reduction::none;
  return chosen == "mean_with_sample_weight" ? Reduction::weighted_mean : Reduction::mean;
}

std::optional<std::int32_t> Loss::ignored_class() const {
  const std::optional<double> label = find("ignore_class");
  if (!label || std::isnan(*label)) return {};
  return static_cast<std::int32_t>(*label);
}

bool Loss::restricts_targets() const {
  return own == nullptr && traits(*this).targets(values().data()) != TargetRange::any;
}

const char* Loss::broken_rule(double target) const {
  switch (traits(*this).targets(values().data())) {
    case TargetRange::non_negative:
      return target >= 0 ? "" : "must not be negative";
    case TargetRange::positive:
      return target > 0 ? "" : "must be greater than 0";
    case TargetRange::share:
      return target >= -kRounding && target <= 1 + kRounding ? "" : "must be from 0 to 1";
    case TargetRange::sign:
      return target >= -1 - kRounding && target <= 1 + kRounding ? "" : "must be from -1 to 1";
    case TargetRange::any:
      break;
  }
  return "";
}

const char* Loss::target_advice() const {
  switch (traits(*this).targets(values().data())) {
    case TargetRange::share:
      return "; a class is 0 or 1: of -1 and 1 make them by (y + 1) / 2, of 1 and 2 by y - 1";
    case TargetRange::sign:
      return "; a class is -1 or 1, or 0 or 1";
    case TargetRange::non_negative:
    case TargetRange::positive:
    case TargetRange::any:
      break;
  }
  return "";
}

bool Loss::whole_batch() const { return own == nullptr && traits(*this).whole_batch; }

double Loss::finish(double mean) const { return whole_batch() ? std::sqrt(mean) : mean; }

double Loss::finish_slope(double mean) const {
  if (!whole_batch()) return 1;
  return mean > 0 ? 0.5 / std::sqrt(mean) : 0;
}

std::optional<double> Loss::find(std::string_view parameter) const {
  for (int i = 0; i < info().count(); ++i) {
    if (parameter == info().parameters[i].name) return values()[static_cast<std::size_t>(i)];
  }
  return {};
}

}  // namespace laminar
