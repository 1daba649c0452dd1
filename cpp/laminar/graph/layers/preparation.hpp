// SPDX-License-Identifier: Apache-2.0
// Layers that prepare the user's values, so that what was done to the training data is saved with the model. Those
// whose values jump, Discretization and CategoryEncoding, give no gradient and come before all that is trained.
#pragma once

#include <string>
#include <vector>

#include "laminar/base/types.hpp"
#include "laminar/graph/layers/traits.hpp"

namespace laminar {

class Declaration;

/// a = (x - mean) / max(sqrt(variance), 1e-7), or x max(sqrt(variance), 1e-7) + mean where `invert`;
/// mean and variance are tensors that training leaves alone, one value for each of the last axis. A column
/// that differs from its mean by rounding alone, sqrt(variance) <= 4 epsilon |mean|, is constant: a = 0, or
/// its mean where `invert`, whatever x is.
struct Normalization {
  static constexpr const char* kKind = "normalization";
  static constexpr LayerTraits kTraits{};

  bool invert = false;  // from normalized values back to the user's
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("invert", self.invert);
  }
};

void declare(const Normalization& layer, Declaration& declaration);

/// a = x scale + offset
struct Rescaling {
  static constexpr const char* kKind = "rescaling";
  static constexpr LayerTraits kTraits{};

  double scale = 1;
  double offset = 0;
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
};

void declare(const Rescaling& layer, Declaration& declaration);

/// a = the number of boundaries that are not above x: values in [b_i-1, b_i) become i. NaN stays.
struct Discretization {
  static constexpr const char* kKind = "discretization";
  static constexpr LayerTraits kTraits{};

  std::vector<double> bin_boundaries = {};  // ascending
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("bin_boundaries", self.bin_boundaries);
  }
};

void declare(const Discretization& layer, Declaration& declaration);

/// Whole numbers in [0, num_tokens) as vectors of that length. "multi_hot": 1 for each token that
/// occurs in the sample; "count": how often it occurs; "one_hot": a vector for each value. A sample
/// with a value that is no token becomes NaN.
struct CategoryEncoding {
  static constexpr const char* kKind = "category_encoding";
  static constexpr LayerTraits kTraits{};

  Index num_tokens = 0;
  std::string output_mode = "multi_hot";
  std::string name = {};

  template <typename Self, typename Visit>
  static void options(Self& self, const Visit& visit) {
    visit("num_tokens", self.num_tokens);
    visit("output_mode", self.output_mode);
  }
};

void declare(const CategoryEncoding& layer, Declaration& declaration);

}  // namespace laminar
