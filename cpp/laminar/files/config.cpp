// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/config.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "laminar/base/error.hpp"
#include "laminar/files/json_members.hpp"
#include "laminar/files/program_json.hpp"

namespace laminar {
namespace {

void read_parameter(Members& members, const ParameterInfo& parameter, Choice& choice) {
  const Json* json = members.find(parameter.name);
  if (json == nullptr) return;
  if (parameter.range == Range::flag) {
    bool flag = false;
    members.read(parameter.name, flag);
    choice.set(parameter.name, flag ? 1 : 0);
  } else if (parameter.range == Range::word) {
    choice.set_word(parameter.name, members.text(parameter.name));
  } else if (parameter.range == Range::numbers) {
    choice.set_list(parameter.name, members.numbers(parameter.name));
  } else {
    double value = 0;
    members.read(parameter.name, value);
    choice.set(parameter.name, value);
  }
}

/// What a choice of an entry carries beside its parameters: the key and kind of a metric.
void read_rest(Members&, Choice&) {}
void read_rest(Members& members, Metric& metric) {
  members.read("key", metric.key);
  members.read("weighted", metric.weighted);
}

/// {"name": …, parameter: value, …} of any family; what is left out or null keeps its default.
template <typename Make>
auto choice_from(const Json& json, const std::string& owner, const Make& make) {
  Members members(json, owner);
  auto choice = make(members.text("name"));
  for (int i = 0; i < choice.info().count(); ++i) read_parameter(members, choice.info().parameters[i], choice);
  read_rest(members, choice);
  members.finish();
  return choice;
}

/// A function of one's own has a name of its own, and a program.
template <typename C>
constexpr bool may_be_own = requires(const C& choice) { choice.own; };

template <typename C>
auto own_from(std::string name, Program program) {
  if constexpr (std::is_same_v<C, Regularizer>) {
    return std::make_shared<OwnRule>(std::move(name), std::move(program), OwnRule::Gives::penalty);
  } else if constexpr (std::is_same_v<C, Constraint>) {
    return std::make_shared<OwnRule>(std::move(name), std::move(program), OwnRule::Gives::projection);
  } else {
    constexpr bool gradient = std::is_same_v<C, Loss>;
    return std::make_shared<OwnFunction>(std::move(name), std::move(program), gradient);
  }
}

template <typename C>
C choice_from(const Json& json, const std::string& owner) {
  if constexpr (may_be_own<C>) {
    if (json.is_object() && json.contains("program")) {
      Members members(json, owner);
      C choice(own_from<C>(members.text("name"), program_from(members.require("program"), owner + ": program")));
      constexpr bool alone = std::is_same_v<decltype(choice.own), std::shared_ptr<const OwnRule>>;
      for (int i = 0; !alone && i < choice.info().count(); ++i) {
        read_parameter(members, choice.info().parameters[i], choice);
      }
      read_rest(members, choice);
      members.finish();
      return choice;
    }
  }
  return choice_from(json, owner, [](std::string_view name) { return C(name); });
}

Schedule schedule_from(const Json& json, const std::string& owner) {
  Schedule schedule = choice_from<Schedule>(json, owner);
  schedule.check();
  return schedule;
}

bool is_integer(Range range) { return range == Range::whole || range == Range::count || range == Range::integer; }

Json json_of(const Choice& choice) {
  Json json = {{"name", choice.name()}};
  for (int i = 0; i < choice.info().count(); ++i) {
    const ParameterInfo& parameter = choice.info().parameters[i];
    const double value = choice.values()[static_cast<std::size_t>(i)];
    if (parameter.range == Range::flag) {
      json[parameter.name] = value != 0;
    } else if (parameter.range == Range::word) {
      json[parameter.name] = choice.word(parameter.name);
    } else if (parameter.range == Range::numbers) {
      const auto list = choice.list(parameter.name);
      json[parameter.name] = std::vector<double>(list.begin(), list.end());
    } else if (is_integer(parameter.range) && std::abs(value) < 0x1p53) {
      json[parameter.name] = static_cast<std::int64_t>(value);
    } else if (!std::isnan(value)) {
      json[parameter.name] = value;
    }
  }
  return json;
}

/// The same of one that may be a function of one's own.
template <typename C>
  requires may_be_own<C>
Json json_of(const C& choice) {
  Json json = json_of(static_cast<const Choice&>(choice));
  if (choice.own == nullptr) return json;
  if constexpr (std::is_same_v<decltype(choice.own), std::shared_ptr<const OwnRule>>) json = Json::object();
  json["name"] = choice.own->name();
  json["program"] = json_of_program(choice.own->program());
  return json;
}

Json json_of_metric(const Metric& metric) {
  Json json = json_of(metric);
  json["key"] = metric.key;
  json["weighted"] = metric.weighted;
  return json;
}

Json json_of_metrics(const std::vector<Metric>& metrics) {
  Json list = Json::array();
  for (const Metric& metric : metrics) list.push_back(json_of_metric(metric));
  return list;
}

std::vector<Metric> metrics_from(const Json& json, const std::string& owner) {
  if (!json.is_array()) fail(owner, ": expected a list, got ", json.type_name());
  std::vector<Metric> metrics;
  for (const Json& metric : json) metrics.push_back(choice_from<Metric>(metric, owner));
  return metrics;
}

void read_choice(Members& members, const char* key, auto& out) {
  if (const Json* json = members.find(key))
    out = choice_from<std::remove_reference_t<decltype(out)>>(*json, members.owner() + ": " + key);
}

// The options of a layer are read and written through its list of them (see layer.hpp).

struct ReadOption {
  Members& members;
  void operator()(const char* key, Program& value) const {
    value = program_from(members.require(key), members.owner() + ": " + key);
  }
  void operator()(const char* key, std::optional<Program>& value) const {
    if (const Json* json = members.find(key)) value = program_from(*json, members.owner() + ": " + key);
  }
  void operator()(const char* key, std::vector<OwnWeight>& value) const {
    for (const Json& json : members.require(key)) {
      Members weight(json, members.owner() + ": weight " + std::to_string(value.size()));
      value.emplace_back();
      OwnWeight::options(value.back(), ReadOption{weight});
      weight.finish();
    }
  }
  template <typename Value>
  void operator()(const char* key, Value& value) const {
    if constexpr (std::is_base_of_v<Choice, Value>) {
      read_choice(members, key, value);
    } else if constexpr (requires { value->family(); }) {
      using Chosen = typename Value::value_type;
      if (const Json* json = members.find(key)) value = choice_from<Chosen>(*json, members.owner() + ": " + key);
    } else {
      members.read(key, value);
    }
  }
};

struct WriteOption {
  Json& json;
  void operator()(const char* key, const Program& value) const { json[key] = json_of_program(value); }
  void operator()(const char* key, const std::optional<Program>& value) const {
    if (value.has_value()) json[key] = json_of_program(*value);
  }
  void operator()(const char* key, const std::vector<OwnWeight>& value) const {
    Json list = Json::array();
    for (const OwnWeight& weight : value) {
      Json options = Json::object();
      OwnWeight::options(weight, WriteOption{options});
      list.push_back(std::move(options));
    }
    json[key] = std::move(list);
  }
  template <typename Value>
  void operator()(const char* key, const Value& value) const {
    if constexpr (std::is_base_of_v<Choice, Value>) {
      json[key] = json_of(value);
    } else if constexpr (requires { value->family(); }) {
      if (value.has_value()) json[key] = json_of(*value);
    } else if constexpr (requires { value.has_value(); }) {
      if (value.has_value()) json[key] = *value;
    } else {
      json[key] = value;
    }
  }
};

/// Layer number I of the list if it has the wanted kind, else the search goes on.
template <std::size_t I = 0>
Layer layer_of_kind(std::string_view kind, Members& members, const std::string& owner) {
  if constexpr (I == std::variant_size_v<Layer>) {
    fail(owner, ": ", unknown_name("layer kind", kind, layer_kinds()));
  } else {
    using Kind = std::variant_alternative_t<I, Layer>;
    if (kind != Kind::kKind) return layer_of_kind<I + 1>(kind, members, owner);
    Kind layer;
    members.read("name", layer.name);
    Kind::options(layer, ReadOption{members});
    return layer;
  }
}

Layer layer_from(Members& members, const std::string& owner) {
  const std::string kind = members.text("kind");
  return layer_of_kind(kind, members, owner);
}

Layer layer_from(const Json& json, const std::string& owner) {
  Members members(json, owner);
  Layer layer = layer_from(members, owner);
  members.finish();
  return layer;
}

/// Calls take(element, what it is called) for each element of a list.
template <typename Take>
void each(Members& members, const char* key, const char* element, const Take& take) {
  const Json& list = members.require(key);
  if (!list.is_array()) fail(members.owner(), ": '", key, "' must be a list, got ", list.type_name());
  std::size_t i = 0;
  for (const Json& json : list) take(json, element + std::string(" ") + std::to_string(i++));
}

/// Layers as they stand in a network, and the positions of those that training leaves alone.
struct ReadLayers {
  std::vector<Layer> layers;
  std::vector<std::size_t> frozen;

  explicit ReadLayers(Members& members) {
    each(members, "layers", "layer", [&](const Json& json, const std::string& owner) {
      Members options(json, owner);
      bool trainable = true;
      options.read("trainable", trainable);
      if (!trainable) frozen.push_back(layers.size());
      layers.push_back(layer_from(options, owner));
      options.finish();
    });
  }
};

Index position(const Json& json, const std::string& owner) {
  if (!json.is_number_integer()) fail(owner, ": expected the number of a value, got ", json.type_name());
  const auto value = json.get<std::int64_t>();
  if (value < 0 || value > std::numeric_limits<int>::max()) fail(owner, ": there is no value number ", value);
  return static_cast<Index>(value);
}

Network graph_from(Members& members) {
  Graph graph;
  each(members, "inputs", "input", [&](const Json& json, const std::string& owner) {
    Members input(json, owner);
    graph.inputs.push_back({input.text("name"), input.shape("shape")});
    input.finish();
  });
  ReadLayers read(members);
  graph.layers = std::move(read.layers);
  graph.frozen = std::move(read.frozen);
  each(members, "nodes", "node", [&](const Json& json, const std::string& owner) {
    Members node(json, owner);
    Graph::Call call{static_cast<std::size_t>(position(node.require("layer"), owner)), {}};
    each(node, "inputs", "input", [&](const Json& input, const std::string& which) {
      call.inputs.push_back(static_cast<int>(position(input, owner + ": " + which)));
    });
    graph.calls.push_back(std::move(call));
    node.finish();
  });
  each(members, "outputs", "output", [&](const Json& json, const std::string& owner) {
    graph.outputs.push_back(static_cast<int>(position(json, owner)));
  });
  members.finish();
  return Network(std::move(graph));
}

Json json_of(const Layer& layer, const std::string& name, bool trainable) {
  Json json = {{"kind", kind_of(layer)}, {"name", name}};
  if (!trainable) json["trainable"] = false;
  std::visit([&](const auto& kind) { kind.options(kind, WriteOption{json}); }, layer);
  return json;
}

/// Whether a network is described by its nodes.
bool is_graph(const Network& network) { return !network.is_stack() || network.input_ports()[0].name != "input"; }

/// The kinds that readers of format 1 know; this list is closed.
constexpr const char* kFirstKinds[] = {
    "dense",          "activation", "dropout",          "batch_normalization", "prelu",   "maxout",
    "alpha_dropout",  "flatten",    "gaussian_dropout", "layer_normalization", "reshape", "normalization",
    "gaussian_noise", "rescaling",  "discretization",   "category_encoding"};

Json json_of_graph(const Network& network) {
  const Graph graph = network.graph();
  Json inputs = Json::array();
  for (const Graph::Input& input : graph.inputs) inputs.push_back({{"name", input.name}, {"shape", input.shape}});
  Json layers = Json::array();
  for (std::size_t i = 0; i < graph.layers.size(); ++i) {
    const std::string& name = std::visit([](const auto& l) -> const std::string& { return l.name; }, graph.layers[i]);
    const bool frozen = std::find(graph.frozen.begin(), graph.frozen.end(), i) != graph.frozen.end();
    layers.push_back(json_of(graph.layers[i], name, !frozen));
  }
  Json nodes = Json::array();
  for (const Graph::Call& call : graph.calls) nodes.push_back({{"layer", call.layer}, {"inputs", call.inputs}});
  return Json{{"inputs", std::move(inputs)},
              {"layers", std::move(layers)},
              {"nodes", std::move(nodes)},
              {"outputs", graph.outputs}};
}

}  // namespace

Network network_from_json(std::string_view text) {
  const Json json = parse_json(text, "configuration");
  Members members(json, "network");
  if (json.is_object() && json.contains("nodes")) return graph_from(members);
  const Shape input_shape = members.shape("input_shape");
  ReadLayers read(members);
  members.finish();
  return {input_shape, std::move(read.layers), read.frozen};
}

std::string to_json(const Network& network) {
  if (is_graph(network)) return json_of_graph(network).dump();
  Json layers = Json::array();
  for (std::size_t i = 1; i < network.nodes().size(); ++i) {
    const Node& node = network.nodes()[i];
    layers.push_back(json_of(node.layer, node.name, node.trainable));
  }
  return Json{{"input_shape", network.input_shape()}, {"layers", std::move(layers)}}.dump();
}

int format_of(const Network& network) {
  const auto is_later = [](const Node& node) {
    const char* kind = kind_of(node.layer);
    const auto is_kind = [&](const char* known) { return std::strcmp(known, kind) == 0; };
    return !node.trainable || std::none_of(std::begin(kFirstKinds), std::end(kFirstKinds), is_kind);
  };
  const auto is_own = [](const Tensor& tensor) {
    return (tensor.regularizer.has_value() && tensor.regularizer->own != nullptr) ||
           (tensor.constraint.has_value() && tensor.constraint->own != nullptr);
  };
  const auto& nodes = network.nodes();
  const auto& tensors = network.parameters().tensors();
  const bool later = is_graph(network) || std::any_of(nodes.begin() + 1, nodes.end(), is_later) ||
                     std::any_of(tensors.begin(), tensors.end(), is_own);
  return later ? 2 : 1;
}

Layer layer_from_json(std::string_view text) { return layer_from(parse_json(text, "configuration"), "layer"); }
Activation activation_from_json(std::string_view text) {
  return choice_from<Activation>(parse_json(text, "configuration"), "activation");
}
Loss loss_from_json(std::string_view text) { return choice_from<Loss>(parse_json(text, "configuration"), "loss"); }
Initializer initializer_from_json(std::string_view text) {
  return choice_from<Initializer>(parse_json(text, "configuration"), "initializer");
}
Regularizer regularizer_from_json(std::string_view text) {
  return choice_from<Regularizer>(parse_json(text, "configuration"), "regularizer");
}
Constraint constraint_from_json(std::string_view text) {
  return choice_from<Constraint>(parse_json(text, "configuration"), "constraint");
}

Optimizer optimizer_from_json(std::string_view text) {
  const Json json = parse_json(text, "configuration");
  Members members(json, "optimizer");
  Optimizer optimizer(members.text("name"));
  for (int i = 0; i < optimizer.info().count(); ++i) {
    const ParameterInfo& parameter = optimizer.info().parameters[i];
    const Json* value = i == 0 ? members.find(parameter.name) : nullptr;
    if (value != nullptr && value->is_object()) {
      optimizer.schedule = schedule_from(*value, "optimizer: learning_rate");
    } else {
      read_parameter(members, parameter, optimizer);
    }
  }
  OptimizerOptions& options = optimizer.options;
  for (int i = 0; i < options.info().count(); ++i) {
    const ParameterInfo& parameter = options.info().parameters[i];
    if (!optimizer.takes(parameter.name)) read_parameter(members, parameter, options);
  }
  if (members.find("exclude_from_weight_decay") != nullptr) {
    options.exclude_from_weight_decay = members.texts("exclude_from_weight_decay");
  }
  members.finish();
  optimizer.check();
  return optimizer;
}

std::string to_json(const Optimizer& optimizer) {
  Json json = json_of(optimizer);
  if (optimizer.schedule.has_value()) json["learning_rate"] = json_of(*optimizer.schedule);
  const OptimizerOptions& options = optimizer.options;
  const Json all = json_of(options);
  for (int i = 0; i < options.info().count(); ++i) {
    const char* name = options.info().parameters[i].name;
    if (!optimizer.takes(name) && all.contains(name)) json[name] = all[name];
  }
  if (!options.exclude_from_weight_decay.empty()) json["exclude_from_weight_decay"] = options.exclude_from_weight_decay;
  return json.dump();
}

Schedule schedule_from_json(std::string_view text) {
  return schedule_from(parse_json(text, "configuration"), "schedule");
}

std::vector<Metric> metrics_from_json(std::string_view text) {
  return metrics_from(parse_json(text, "configuration"), "metrics");
}

std::vector<Head> heads_from_json(std::string_view text) {
  const Json json = parse_json(text, "configuration");
  if (!json.is_array()) fail("heads: expected a list, got ", json.type_name());
  std::vector<Head> heads;
  for (const Json& described : json) {
    const std::string owner = "head " + std::to_string(heads.size());
    Members members(described, owner);
    Head head;
    members.read("name", head.name);
    members.read("weight", head.weight);
    if (const Json* loss = members.find("loss")) head.loss = choice_from<Loss>(*loss, owner + ": loss");
    if (const Json* metrics = members.find("metrics")) head.metrics = metrics_from(*metrics, owner + ": metrics");
    members.finish();
    heads.push_back(std::move(head));
  }
  return heads;
}

Metric metric_from_json(std::string_view text) {
  return choice_from<Metric>(parse_json(text, "configuration"), "metric");
}

Choice choice_from_json(const Family& family, std::string_view text) {
  return choice_from(parse_json(text, "configuration"), family.title,
                     [&](std::string_view name) { return Choice(family, name); });
}

std::string to_json(const Choice& choice) { return json_of(choice).dump(); }

std::string to_json(const Metric& metric) { return json_of_metric(metric).dump(); }

std::string to_json(const std::vector<Metric>& metrics) { return json_of_metrics(metrics).dump(); }

std::string to_json(const std::vector<Head>& heads) {
  Json list = Json::array();
  for (const Head& head : heads) {
    Json json = {{"name", head.name}, {"weight", head.weight}, {"metrics", json_of_metrics(head.metrics)}};
    if (head.loss) json["loss"] = json_of(*head.loss);
    list.push_back(std::move(json));
  }
  return list.dump();
}

}  // namespace laminar
