// SPDX-License-Identifier: Apache-2.0
// One way to raise a good error: name the argument, what was expected and what came.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "laminar/base/types.hpp"

namespace laminar {

/// Training met a loss or weights that are not finite; the last finite weights are kept.
class NonFiniteError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws std::invalid_argument with the parts written one after the other.
template <typename... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream message;
  (message << ... << parts);
  throw std::invalid_argument(message.str());
}

/// "a, b, c"
std::string join(const std::vector<std::string>& names);

/// "(30, 64)", and "(30,)" for one axis, as Python writes shapes.
std::string to_string(const Shape& shape);

/// Throws unless so many elements of the argument fill a tensor of this shape; the message begins with
/// "kind 'name': ".
void check_elements(const char* kind, const char* name, const char* argument, std::size_t elements, const Shape& shape);

/// "unknown optimizer 'adma'; did you mean 'adam'? known: …"
std::string unknown_name(std::string_view kind, std::string_view name, const std::vector<std::string>& known);

}  // namespace laminar
