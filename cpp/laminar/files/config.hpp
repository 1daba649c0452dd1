// SPDX-License-Identifier: Apache-2.0
// Configurations as JSON text: what Python sends, what model files carry. With the readers of files
// the only code that knows JSON. Unknown names and keys are refused, naming the nearest right one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "laminar/catalogue/activation.hpp"
#include "laminar/catalogue/constraint.hpp"
#include "laminar/catalogue/initializer.hpp"
#include "laminar/catalogue/loss.hpp"
#include "laminar/catalogue/metric.hpp"
#include "laminar/catalogue/optimizer.hpp"
#include "laminar/catalogue/regularizer.hpp"
#include "laminar/graph/head.hpp"
#include "laminar/graph/network.hpp"
#include "laminar/operations/program.hpp"

namespace laminar {

/// {"input_shape": [30], "layers": [{"kind": "dense", "units": 64, "activation": {"name": "relu"}}, …]}, or a
/// graph, its values numbered from 0 on, the inputs first:
/// {"inputs": [{"name": "a", "shape": [4]}, …], "layers": […], "nodes": [{"layer": 0, "inputs": [0]}, …], "outputs":
/// [3]} A layer that training leaves alone has "trainable": false.
Network network_from_json(std::string_view text);
/// The inverse: network_from_json(to_json(network)) is the same network.
std::string to_json(const Network& network);
/// The format of files that can hold a network: 1 for a stack of layers that are all trained, of the kinds that
/// there were before graphs, else 2.
int format_of(const Network& network);

/// {"kind": "dropout", "rate": 0.5}
Layer layer_from_json(std::string_view text);
/// {"name": "huber", "delta": 0.5}
Activation activation_from_json(std::string_view text);
/// The same for a loss.
Loss loss_from_json(std::string_view text);
/// {"name": "adam", "learning_rate": 0.01 or a schedule, "clipnorm": 1, …}: hyper-parameters of the
/// entry and options in one object.
Optimizer optimizer_from_json(std::string_view text);
/// The inverse, with every value written out.
std::string to_json(const Optimizer& optimizer);
/// {"name": "cosine_decay", "initial_learning_rate": 0.1, "decay_steps": 1000}
Schedule schedule_from_json(std::string_view text);
/// {"name": "he_normal", "seed": 3}
Initializer initializer_from_json(std::string_view text);
/// {"name": "l2", "l2": 0.01}
Regularizer regularizer_from_json(std::string_view text);
/// {"name": "max_norm", "max_value": 3}
Constraint constraint_from_json(std::string_view text);
/// [{"name": "accuracy"}, {"name": "precision", "thresholds": 0.3, "key": "p3", "weighted": true}, …]
std::vector<Metric> metrics_from_json(std::string_view text);
/// One of them.
Metric metric_from_json(std::string_view text);
/// [{"name": "price", "loss": {"name": "mse"}, "weight": 0.5, "metrics": [{"name": "mae"}]}, …]
std::vector<Head> heads_from_json(std::string_view text);
/// A program: see program_json.hpp.
Program program_from_json(std::string_view text);
std::string to_json(const Program& program);
/// An entry of any family.
Choice choice_from_json(const Family& family, std::string_view text);
/// The inverse of these, with every value written out.
std::string to_json(const Choice& choice);
std::string to_json(const Metric& metric);
std::string to_json(const std::vector<Metric>& metrics);
std::string to_json(const std::vector<Head>& heads);

}  // namespace laminar
