// SPDX-License-Identifier: Apache-2.0
// The lists of activations, losses, … as Python sees them: names, aliases, arguments with defaults.
#include "bindings.hpp"

#include "laminar/base/error.hpp"
#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/metric.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/files/config.hpp"
#include "laminar/graph/network.hpp"

namespace laminar::bindings {
namespace {

const Family& family_named(const std::string& title) {
  const Family* families[] = {
      &activation_family(), &constraint_family(),  &initializer_family(),       &loss_family(),    &metric_family(),
      &optimizer_family(),  &regularizer_family(), &optimizer_options_family(), &schedule_family()};
  std::vector<std::string> known;
  for (const Family* family : families) {
    if (title == family->title) return *family;
    known.emplace_back(family->title);
  }
  fail(unknown_name("family", title, known));
}

py::object default_of(const ParameterInfo& p) {
  if (p.range == Range::flag) return py::bool_(p.value != 0);
  if (p.range == Range::word) return py::str(std::string(words_of(p.words).at(static_cast<std::size_t>(p.value))));
  if (p.range == Range::numbers) return py::tuple();
  if (p.optional()) return py::none();
  if (p.range == Range::whole || p.range == Range::count || p.range == Range::integer) {
    return py::int_(static_cast<std::int64_t>(p.value));
  }
  return py::float_(p.value);
}

py::dict entry(const EntryInfo& info) {
  py::dict parameters;
  py::dict words;
  py::list integers;
  for (int i = 0; i < info.count(); ++i) {
    const ParameterInfo& p = info.parameters[i];
    parameters[p.name] = default_of(p);
    if (p.range == Range::word) words[p.name] = words_of(p.words);
    if (p.range == Range::whole || p.range == Range::count || p.range == Range::integer) integers.append(p.name);
  }
  py::dict out;
  out["name"] = info.name;
  out["aliases"] = words_of(info.aliases);
  out["parameters"] = parameters;
  out["words"] = words;
  out["integers"] = integers;
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
      out["words"] = py::dict();
      out["integers"] = py::list();
      list.append(out);
    }
    return list;
  }
  for (const EntryInfo& info : family_named(title).entries) {
    py::dict out = entry(info);
    if (title == "loss") out["labels"] = Loss(info.name).class_labels();
    if (title == "metric") {
      const Metric metric(info.name);
      out["takes"] = metric.takes() == Takes::either ? "either" : metric.takes() == Takes::labels ? "labels" : "values";
      out["direction"] = metric.upwards() ? "max" : "min";
    }
    if (title == "optimizer") out["tensor_wise"] = Optimizer(std::string_view(info.name)).tensor_wise();
    if (title == "schedule") out["required"] = Schedule(info.name).required();
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
void check(const std::string& title, const std::string& config) {
  if (title == optimizer_family().title) {
    optimizer_from_json(config);
  } else {
    choice_from_json(family_named(title), config);
  }
}

}  // namespace

void bind_families(py::module_& module) {
  module.def("entries", &entries, py::arg("family"));
  module.def("check", &check, py::arg("family"), py::arg("config"));
  module.def("resolve", &resolve, py::arg("family"), py::arg("name"));
}

}  // namespace laminar::bindings
