// SPDX-License-Identifier: Apache-2.0
// Layers that bring several values together, and the one that takes a part of one.
#pragma once

#include <string>

#include "laminar/base/types.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// How elements of the same place are brought together.
enum class MergeRule { add, subtract, multiply, average, maximum, minimum };

/// Elements of two or more samples of one shape, of exactly two where they are subtracted. Of equal
/// largest or smallest elements the first one has the slope.
template <MergeRule rule_>
struct Merge {
  static constexpr MergeRule rule = rule_;
  static constexpr const char* kKind = rule == MergeRule::add        ? "add"
                                       : rule == MergeRule::subtract ? "subtract"
                                       : rule == MergeRule::multiply ? "multiply"
                                       : rule == MergeRule::average  ? "average"
                                       : rule == MergeRule::maximum  ? "maximum"
                                                                     : "minimum";
  static constexpr LayerTraits kTraits{.merges = true};

  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self&, const Visit&) {}
};

template <MergeRule rule>
void declare(const Merge<rule>& layer, Declaration& declaration);

using Add = Merge<MergeRule::add>;
using Subtract = Merge<MergeRule::subtract>;
using Multiply = Merge<MergeRule::multiply>;
using Average = Merge<MergeRule::average>;
using Maximum = Merge<MergeRule::maximum>;
using Minimum = Merge<MergeRule::minimum>;

/// Samples one behind the other along their last axis; the other axes are the same.
struct Concatenate {
  static constexpr const char* kKind = "concatenate";
  static constexpr LayerTraits kTraits{.merges = true};

  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self&, const Visit&) {}
};

void declare(const Concatenate& layer, Declaration& declaration);

/// The scalar product of two vectors, or the cosine of the angle between them where `normalize`: each is
/// divided by its length, or by 1e-7 where that is larger.
struct Dot {
  static constexpr const char* kKind = "dot";
  static constexpr LayerTraits kTraits{.merges = true};

  bool normalize = false;
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("normalize", self.normalize);
  }
};

void declare(const Dot& layer, Declaration& declaration);

/// The values from `begin` on of a plain vector, as a sample of this shape.
struct Slice {
  static constexpr const char* kKind = "slice";
  static constexpr LayerTraits kTraits{};

  Index begin = 0;
  Shape shape = {};
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("begin", self.begin);
    visit("shape", self.shape);
  }
};

void declare(const Slice& layer, Declaration& declaration);

}  // namespace laminar
