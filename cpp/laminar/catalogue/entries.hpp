// SPDX-License-Identifier: Apache-2.0
// From a list of kernel types to what ordinary code needs of it. Internal: lists live in anonymous
// namespaces, so this is included by the family's one source file only.
#pragma once

#include <array>

#include "laminar/base/family.hpp"
#include "laminar/kernels/activations.hpp"

namespace laminar {
namespace {

/// read(tag of entry) for every entry of the list, in order.
template <typename T>
struct Tag {
  using type = T;
};

template <typename Read, typename... Entries>
constexpr auto from_list(kernels::List<Entries...>, Read read) {
  return std::array{read(Tag<Entries>{})...};
}

template <typename L>
constexpr auto entry_infos() {
  return from_list(L{}, [](auto tag) { return decltype(tag)::type::info; });
}

/// Position of an entry in its list, -1 where it is not there.
template <typename Wanted, typename... Entries>
constexpr int position_of(kernels::List<Entries...>) {
  const bool same[] = {__is_same(Wanted, Entries)...};
  for (int i = 0; i < static_cast<int>(sizeof...(Entries)); ++i) {
    if (same[i]) return i;
  }
  return -1;
}

}  // namespace
}  // namespace laminar
