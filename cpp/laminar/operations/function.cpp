// SPDX-License-Identifier: Apache-2.0
#include "laminar/operations/function.hpp"

#include <map>
#include <mutex>

#include "laminar/base/error.hpp"

namespace laminar {
namespace {

struct Registry {
  std::mutex mutex;
  std::map<std::string, std::weak_ptr<const Function>, std::less<>> functions;
};

Registry& registry() {
  static Registry held;
  return held;
}

}  // namespace

void register_function(const std::shared_ptr<const Function>& function) {
  Registry& all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  std::erase_if(all.functions, [](const auto& entry) { return entry.second.expired(); });
  all.functions[function->name()] = function;
}

std::shared_ptr<const Function> function_of(std::string_view name) {
  Registry& all = registry();
  const std::lock_guard<std::mutex> lock(all.mutex);
  const auto found = all.functions.find(name);
  std::shared_ptr<const Function> function = found == all.functions.end() ? nullptr : found->second.lock();
  if (function == nullptr) {
    fail("call: the function '", name, "' is code, which no file holds: define and register it under this name first");
  }
  return function;
}

}  // namespace laminar
