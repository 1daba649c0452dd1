// SPDX-License-Identifier: Apache-2.0
#include "laminar/loss.hpp"

#include "laminar/entries.hpp"
#include "laminar/kernels/losses.hpp"

namespace laminar {
namespace {

struct Traits {
  bool class_labels;
  int absorbed;  // position of the activation, -1 for none
};

constexpr auto kInfos = entry_infos<kernels::Losses>();
constexpr auto kTraits = from_list(kernels::Losses{}, [](auto tag) {
  using L = typename decltype(tag)::type;
  return Traits{L::class_labels, position_of<typename L::Fused>(kernels::Activations{})};
});

const Traits& traits(const Loss& loss) { return kTraits[static_cast<std::size_t>(loss.index())]; }

}  // namespace

const Family& loss_family() {
  static constexpr Family family{"loss", kInfos};
  return family;
}

bool Loss::class_labels() const { return traits(*this).class_labels; }

bool Loss::absorbs(const Activation& last) const { return traits(*this).absorbed == last.index(); }

bool Loss::from_logits() const {
  for (int i = 0; i < info().count(); ++i) {
    if (std::string_view(info().parameters[i].name) == "from_logits") return values()[static_cast<std::size_t>(i)] != 0;
  }
  return false;
}

}  // namespace laminar
