// SPDX-License-Identifier: Apache-2.0
#include "laminar/catalogue/optimizer.hpp"

#include "laminar/base/error.hpp"
#include "laminar/catalogue/entries.hpp"
#include "laminar/catalogue/tensor_rules.hpp"
#include "laminar/kernels/optimizers.hpp"

namespace laminar {
namespace {

struct Functions {
  int (*slots)(const double*);
  double (*initial)(const double*, int);
  void (*single)(const double*, Index, float*);
  void (*exact)(const double*, Index, double*);
  bool steady;  // the same for every step
};

/// Whether the coefficients of a rule are those of every step.
template <typename O>
constexpr bool kSteady = requires(const double* p, double* c) { O::coefficients(p, c); };

template <typename O, typename T>
void coefficients_as(const double* parameters, [[maybe_unused]] Index step, T* out) {
  static_assert(O::numbers <= kernels::kMaxCoefficients);
  double exact[O::numbers];
  if constexpr (kSteady<O>) {
    O::coefficients(parameters, exact);
  } else {
    O::coefficients(parameters, step, exact);
  }
  for (int i = 0; i < O::numbers; ++i) out[i] = static_cast<T>(exact[i]);
}

template <typename... A, typename... B>
kernels::List<A..., B...> joined(kernels::List<A...>, kernels::List<B...>);
using All = decltype(joined(kernels::Optimizers{}, TensorRules{}));

constexpr auto kInfos = entry_infos<All>();
constexpr std::size_t kElementwise = entry_infos<kernels::Optimizers>().size();
constexpr auto kFunctions = from_list(kernels::Optimizers{}, [](auto tag) {
  using O = typename decltype(tag)::type;
  static_assert(O::max_slots <= kernels::kMaxSlots);
  return Functions{&O::slots, &O::initial, &coefficients_as<O, float>, &coefficients_as<O, double>, kSteady<O>};
});
static_assert([] {
  for (const EntryInfo& info : kInfos) {
    if (std::string_view(info.parameters[0].name) != "learning_rate") return false;
  }
  return true;
}());

constexpr EntryInfo kOptions[] = {{"all",
                                   "",
                                   {{"weight_decay", kAbsent, Range::non_negative},
                                    {"clipnorm", kAbsent, Range::positive},
                                    {"clipvalue", kAbsent, Range::positive},
                                    {"global_clipnorm", kAbsent, Range::positive},
                                    {"use_ema", 0, Range::flag},
                                    {"ema_momentum", 0.99, Range::share},
                                    {"ema_overwrite_frequency", kAbsent, Range::count},
                                    {"gradient_accumulation_steps", kAbsent, Range::count}}}};

}  // namespace

const Family& optimizer_family() {
  static constexpr Family family{"optimizer", kInfos};
  return family;
}

const Family& optimizer_options_family() {
  static constexpr Family family{"optimizer_options", kOptions};
  return family;
}

bool OptimizerOptions::none() const {
  for (const char* option : {"weight_decay", "clipnorm", "clipvalue", "global_clipnorm"}) {
    if (has(option)) return false;
  }
  return exclude_from_weight_decay.empty() && value("use_ema") == 0 && accumulation() == 1;
}

Index OptimizerOptions::accumulation() const {
  return has("gradient_accumulation_steps") ? static_cast<Index>(value("gradient_accumulation_steps")) : 1;
}

Optimizer::Optimizer(std::string_view name, std::initializer_list<NamedValue> values)
    : Choice(optimizer_family(), name) {
  for (const auto& [parameter, value] : values) set(parameter, value);
  check();
}

void Optimizer::set(std::string_view parameter, double value) {
  if (parameter == "learning_rate" && schedule.has_value()) {
    fail("optimizer '", name(), "': learning_rate is given by the schedule '", schedule->name(),
         "' and cannot be set to ", value);
  }
  if (!takes(parameter) && options.takes(parameter)) {
    options.set(parameter, value);
  } else {
    Choice::set(parameter, value);
  }
}

void Optimizer::check() const {
  const char* first = nullptr;
  for (const char* clip : {"clipnorm", "clipvalue", "global_clipnorm"}) {
    if (!options.has(clip)) continue;
    if (first != nullptr) {
      fail("optimizer '", name(), "': only one of clipnorm, clipvalue and global_clipnorm can be set, got ", first,
           " = ", options.value(first), " and ", clip, " = ", options.value(clip));
    }
    first = clip;
  }
}

double Optimizer::learning_rate(Index batches) const { return schedule ? (*schedule)(batches) : values()[0]; }

bool Optimizer::tensor_wise() const { return static_cast<std::size_t>(index()) >= kElementwise; }

bool Optimizer::steady() const {
  return !schedule.has_value() && !tensor_wise() && kFunctions[static_cast<std::size_t>(index())].steady;
}

bool Optimizer::by_rows() const {
  return !tensor_wise() && options.accumulation() == 1 && options.value("use_ema") == 0;
}

bool Optimizer::fused() const { return !tensor_wise() && options.none(); }

int Optimizer::slots() const {
  const auto i = static_cast<std::size_t>(index());
  return tensor_wise() ? kTensorSlots : kFunctions[i].slots(values().data());
}

double Optimizer::initial(int slot) const {
  if (tensor_wise()) return 0;
  std::array<double, kMaxParameters> given = values();
  given[0] = learning_rate(0);
  return kFunctions[static_cast<std::size_t>(index())].initial(given.data(), slot);
}

namespace {

/// Calls compute(hyper-parameters of an update); those that are set, where nothing differs from them:
/// a step of the smallest networks takes no longer than copying them.
template <typename Compute>
void with_values(const Optimizer& optimizer, double rate, bool decay, const Compute& compute) {
  if (decay && rate == optimizer.values()[0]) return compute(optimizer.values().data());
  std::array<double, kMaxParameters> given = optimizer.values();
  given[0] = rate;
  for (int i = 0; i < optimizer.info().count() && !decay; ++i) {
    if (std::string_view(optimizer.info().parameters[i].name) == "weight_decay") given[static_cast<std::size_t>(i)] = 0;
  }
  compute(given.data());
}

}  // namespace

void Optimizer::coefficients(Index step, double rate, bool decay, float* out) const {
  if (tensor_wise()) return;
  const auto function = kFunctions[static_cast<std::size_t>(index())].single;
  with_values(*this, rate, decay, [&](const double* values) { function(values, step, out); });
}
void Optimizer::coefficients(Index step, double rate, bool decay, double* out) const {
  if (tensor_wise()) return;
  const auto function = kFunctions[static_cast<std::size_t>(index())].exact;
  with_values(*this, rate, decay, [&](const double* values) { function(values, step, out); });
}

}  // namespace laminar
