// SPDX-License-Identifier: Apache-2.0
// JSON text and the members of its objects, read strictly: nothing is converted, nothing is left over.
// What is wrong is a std::invalid_argument that says where. Internal: no public header includes it.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "laminar/base/types.hpp"

namespace laminar {

using Json = nlohmann::json;

/// The text as JSON; text that is none, or nested too deeply, is refused as `owner`'s.
Json parse_json(std::string_view text, std::string_view owner);

/// The members of one JSON object, each asked for once; what nobody asked for is an error.
class Members {
 public:
  /// The object must outlive this; `owner` is what error messages call it.
  Members(const Json& json, std::string owner);

  /// nullptr where it is left out or null.
  const Json* find(const char* key);
  const Json& require(const char* key);

  std::string text(const char* key);
  Shape shape(const char* key);
  std::vector<double> numbers(const char* key);
  std::vector<std::string> texts(const char* key);

  /// These leave `out` as it is where the member is left out or null.
  void read(const char* key, std::string& out);
  void read(const char* key, double& out);
  void read(const char* key, bool& out);
  void read(const char* key, Index& out);
  void read(const char* key, std::optional<Index>& out);
  void read(const char* key, Shape& out);
  void read(const char* key, std::vector<double>& out);

  const std::string& owner() const { return owner_; }
  /// Throws for members that were not asked for.
  void finish() const;

 private:
  Index integer(const Json& value, const char* key) const;

  const Json& json_;
  std::string owner_;
  std::vector<std::string> known_;
};

}  // namespace laminar
