// SPDX-License-Identifier: Apache-2.0
#include "laminar/training/excluded_tensors.hpp"

#include <algorithm>
#include <regex>

#include "laminar/base/error.hpp"

namespace laminar {

std::vector<bool> excluded_from_weight_decay(const std::vector<std::string>& patterns,
                                             const std::vector<Tensor>& tensors) {
  std::vector<bool> excluded(tensors.size());
  for (const std::string& text : patterns) {
    try {
      const std::regex pattern(text);
      for (std::size_t i = 0; i < tensors.size(); ++i) {
        if (std::regex_search(tensors[i].name, pattern)) excluded[i] = true;
      }
    } catch (const std::regex_error&) {
      fail("exclude_from_weight_decay: expected a regular expression, got '", text, "'");
    }
  }
  return excluded;
}

}  // namespace laminar
