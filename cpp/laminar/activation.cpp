// SPDX-License-Identifier: Apache-2.0
#include "laminar/activation.hpp"

#include "laminar/entries.hpp"

namespace laminar {
namespace {

struct Traits {
  bool row_wise;
  bool keeps_input;
  bool has_gradient;
};

constexpr auto kInfos = entry_infos<kernels::Activations>();
constexpr auto kTraits = from_list(kernels::Activations{}, [](auto tag) {
  using A = typename decltype(tag)::type;
  return Traits{A::row_wise, A::keeps_input, A::has_gradient};
});

const Traits& traits(const Activation& a) { return kTraits[static_cast<std::size_t>(a.index())]; }

}  // namespace

const Family& activation_family() {
  static constexpr Family family{"activation", kInfos};
  return family;
}

bool Activation::row_wise() const { return traits(*this).row_wise; }
bool Activation::keeps_input() const { return traits(*this).keeps_input; }
bool Activation::has_gradient() const { return traits(*this).has_gradient; }
bool Activation::is_linear() const { return index() == position_of<kernels::Linear>(kernels::Activations{}); }

}  // namespace laminar
