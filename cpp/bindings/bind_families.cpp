// SPDX-License-Identifier: Apache-2.0
// The lists of activations, losses, … as Python sees them: names, aliases, arguments with defaults.
#include "bindings.hpp"

#include <map>
#include <sstream>

#include "laminar/activation.hpp"
#include "laminar/config.hpp"
#include "laminar/error.hpp"
#include "laminar/initializer.hpp"
#include "laminar/loss.hpp"
#include "laminar/metric.hpp"
#include "laminar/network.hpp"
#include "laminar/optimizer.hpp"

namespace laminar::bindings {
namespace {

const Family& family_named(const std::string& title) {
  const Family* families[] = {&activation_family(), &initializer_family(), &loss_family(), &metric_family(),
                              &optimizer_family()};
  std::vector<std::string> known;
  for (const Family* family : families) {
    if (title == family->title) return *family;
    known.emplace_back(family->title);
  }
  fail(unknown_name("family", title, known));
}

py::list words(const char* text) {
  py::list list;
  std::istringstream stream(text);
  for (std::string word; stream >> word;) list.append(word);
  return list;
}

py::dict entry(const EntryInfo& info) {
  py::dict parameters;
  for (int i = 0; i < info.count(); ++i) {
    const ParameterInfo& p = info.parameters[i];
    parameters[p.name] = p.range == Range::flag ? py::object(py::bool_(p.value != 0)) : py::object(py::float_(p.value));
  }
  py::dict out;
  out["name"] = info.name;
  out["aliases"] = words(info.aliases);
  out["parameters"] = parameters;
  return out;
}

py::list entries(const std::string& title) {
  py::list list;
  if (title == "layer") {
    for (const std::string& kind : layer_kinds()) {
      py::dict out;
      out["name"] = kind;
      out["aliases"] = py::list();
      out["parameters"] = py::dict();
      list.append(out);
    }
    return list;
  }
  for (const EntryInfo& info : family_named(title).entries) {
    py::dict out = entry(info);
    if (title == "loss") out["labels"] = Loss(info.name).class_labels();
    if (title == "activation") out["trainable"] = Activation(info.name).has_gradient();
    list.append(out);
  }
  return list;
}

std::string resolve(const std::string& title, const std::string& name) {
  const Family& family = family_named(title);
  return family.entries[static_cast<std::size_t>(family.find(name))].name;
}

/// Throws where the configuration of an entry names no such entry or value.
void check(const std::string& title, const std::string& config) { choice_from_json(family_named(title), config); }

}  // namespace

void bind_families(py::module_& module) {
  module.def("entries", &entries, py::arg("family"));
  module.def("check", &check, py::arg("family"), py::arg("config"));
  module.def("resolve", &resolve, py::arg("family"), py::arg("name"));
}

}  // namespace laminar::bindings
