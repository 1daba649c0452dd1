// SPDX-License-Identifier: Apache-2.0
#include "laminar/files/program_json.hpp"

#include <cmath>
#include <limits>

#include "laminar/base/error.hpp"
#include "laminar/files/config.hpp"

namespace laminar {
namespace {

const Json& list_of(const Json& json, const std::string& owner) {
  if (!json.is_array()) fail(owner, ": expected a list, got ", json.type_name());
  return json;
}

std::vector<Index> integers_of(const Json& json, const std::string& owner) {
  std::vector<Index> values;
  for (const Json& value : list_of(json, owner)) {
    if (!value.is_number_integer()) fail(owner, ": expected integers, got ", value.type_name());
    values.push_back(value.get<Index>());
  }
  return values;
}

std::vector<int> places_of(const Json& json, const std::string& owner) {
  std::vector<int> places;
  for (const Index value : integers_of(json, owner)) {
    if (value < 0 || value > std::numeric_limits<int>::max()) fail(owner, ": there is no value ", value);
    places.push_back(static_cast<int>(value));
  }
  return places;
}

/// Numbers; those that JSON has no form for are words.
std::vector<double> numbers_of(const Json& json, const std::string& owner) {
  std::vector<double> values;
  for (const Json& value : list_of(json, owner)) {
    if (value == "nan") {
      values.push_back(std::numeric_limits<double>::quiet_NaN());
    } else if (value == "inf" || value == "-inf") {
      values.push_back(value == "inf" ? std::numeric_limits<double>::infinity()
                                      : -std::numeric_limits<double>::infinity());
    } else if (value.is_number()) {
      values.push_back(value.get<double>());
    } else {
      fail(owner, ": expected numbers, got ", value.type_name());
    }
  }
  return values;
}

Json json_of_numbers(const std::vector<double>& numbers) {
  Json list = Json::array();
  for (const double x : numbers) {
    if (std::isfinite(x)) {
      list.push_back(x);
    } else {
      list.push_back(std::isnan(x) ? "nan" : x > 0 ? "inf" : "-inf");
    }
  }
  return list;
}

}  // namespace

Program program_from(const Json& json, const std::string& owner) {
  Members members(json, owner);
  Program program;
  for (const Json& shape : list_of(members.require("inputs"), owner)) {
    program.add_input(integers_of(shape, owner + ": inputs"));
  }
  for (const Json& shape : list_of(members.require("weights"), owner)) {
    program.add_weight(integers_of(shape, owner + ": weights"));
  }
  for (const Json& step : list_of(members.require("steps"), owner)) {
    const std::string which = owner + ": value " + std::to_string(program.size());
    Members parts(step, which);
    const Operation operation = operation_of(parts.text("op"));
    std::vector<Index> integers;
    std::vector<double> numbers;
    if (const Json* given = parts.find("integers")) integers = integers_of(*given, which);
    if (const Json* given = parts.find("numbers")) numbers = numbers_of(*given, which);
    if (const Json* given = parts.find("activation")) {
      const Activation activation = activation_from_json(given->dump());
      integers = {activation.kernel(), activation.row_wise() ? 1 : 0, activation.keeps_input() ? 1 : 0};
      numbers.assign(activation.values().begin(), activation.values().begin() + activation.info().count());
    }
    std::vector<int> reads;
    if (const Json* given = parts.find("reads")) reads = places_of(*given, which);
    Instruction value{operation, std::move(reads), std::move(integers), std::move(numbers)};
    if (const bool calls = operation == Operation::call || operation == Operation::call_gradient; calls) {
      value.function = function_of(parts.text("function"));
    }
    program.add(std::move(value));
    parts.finish();
  }
  program.outputs = places_of(members.require("outputs"), owner + ": outputs");
  for (const int output : program.outputs) {
    if (output >= program.size()) fail(owner, ": outputs: there is no value ", output);
  }
  members.finish();
  return program;
}

Json json_of_program(const Program& program) {
  Json inputs = Json::array();
  Json weights = Json::array();
  Json steps = Json::array();
  for (const int value : program.inputs()) inputs.push_back(program.shape(value));
  for (const int value : program.weights()) weights.push_back(program.shape(value));
  // Values in the order of the format: gradients may have added inputs behind others.
  std::vector<int> places(static_cast<std::size_t>(program.size()), -1);
  int next = 0;
  for (const int value : program.inputs()) places[static_cast<std::size_t>(value)] = next++;
  for (const int value : program.weights()) places[static_cast<std::size_t>(value)] = next++;
  for (int i = 0; i < program.size(); ++i) {
    int& place = places[static_cast<std::size_t>(i)];
    if (place >= 0) continue;
    place = next++;
    const Instruction& value = program[i];
    Json step = {{"op", name_of(value.operation)}};
    if (!value.reads.empty()) {
      Json reads = Json::array();
      for (const int read : value.reads) reads.push_back(places[static_cast<std::size_t>(read)]);
      step["reads"] = std::move(reads);
    }
    if (value.function != nullptr) step["function"] = value.function->name();
    if (value.operation == Operation::activation || value.operation == Operation::activation_gradient) {
      // By its name: numbers of kernels are this version's own.
      step["activation"] =
          Json::parse(to_json(Activation::of_kernel(static_cast<int>(value.integers[0]), value.numbers)));
      steps.push_back(std::move(step));
      continue;
    }
    if (!value.integers.empty() || value.operation == Operation::constant) step["integers"] = value.integers;
    if (!value.numbers.empty()) step["numbers"] = json_of_numbers(value.numbers);
    steps.push_back(std::move(step));
  }
  Json outputs = Json::array();
  for (const int output : program.outputs) outputs.push_back(places[static_cast<std::size_t>(output)]);
  return {{"inputs", std::move(inputs)},
          {"weights", std::move(weights)},
          {"steps", std::move(steps)},
          {"outputs", std::move(outputs)}};
}

Program program_from_json(std::string_view text) { return program_from(parse_json(text, "configuration"), "program"); }

std::string to_json(const Program& program) { return json_of_program(program).dump(); }

}  // namespace laminar
