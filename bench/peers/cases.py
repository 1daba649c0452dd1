# SPDX-License-Identifier: Apache-2.0
"""The cases that every rival runs, their data, and the answers that all must give.

A case is a network with its batch, optimizer and loss. Data and initial weights come from one
seeded generator here, so that every rival computes the same thing; the right answer is computed in
float64 NumPy, by the textbook formulas. Training goes through the rows in order, unshuffled.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

import graphs
import own

# So small that it does not matter whether it is added before or after the correction of the means.
ADAM = {"learning_rate": 1e-3, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-10}
SGD = {"learning_rate": 0.05}


@dataclass(frozen=True)
class Case:
    """One task. The loss also settles the output activation: see `LOSSES`."""

    name: str
    widths: tuple[int, ...]
    activation: str
    batch: int
    optimizer: str
    loss: str
    steps: int  # per pass over the data
    check_steps: int = 20  # until the answers are compared
    predict: bool = False  # time a call of predict on one batch instead of training
    graph: str = ""  # one of graphs.py or own.py, in place of the stack of widths
    vocabulary: int = 0  # rows of its tables


# loss -> output activation
LOSSES = {"binary": "sigmoid", "categorical": "softmax", "mse": "linear"} | dict.fromkeys(
    own.LOSSES, "linear"
)

CASES = {
    case.name: case
    for case in (
        Case("3-4-1", (3, 4, 1), "sigmoid", 1, "sgd", "binary", 5000),
        Case("17-64-64-6", (17, 64, 64, 6), "tanh", 64, "adam", "categorical", 500),
        Case("30-128-64-1 b32", (30, 128, 64, 1), "relu", 32, "adam", "binary", 500),
        Case("30-128-64-1 b256", (30, 128, 64, 1), "relu", 256, "adam", "binary", 200),
        Case("28-5x300-1", (28, *[300] * 5, 1), "tanh", 100, "adam", "binary", 50),
        Case("784-128-10", (784, 128, 10), "relu", 128, "adam", "categorical", 100),
        Case("784-512-512-10", (784, 512, 512, 10), "relu", 128, "adam", "categorical", 50),
        Case("1024-2048-2048-1024", (1024, 2048, 2048, 1024), "relu", 1024, "sgd", "mse", 4, 4),
        Case("residual", (64, 1), "relu", 64, "adam", "mse", 200, graph="residual"),
        *(
            Case(name, (1,), "relu", 256, "adam", loss, 200, graph=graph, vocabulary=vocabulary)
            for name, loss, graph, vocabulary in (
                ("two-tower", "mse", "towers", 10_000),
                ("categories", "binary", "categories", 1_000),
                ("categories 10,000", "binary", "categories", 10_000),
                ("categories 1,000,000", "binary", "categories", 1_000_000),
            )
        ),
        Case("radial", (own.FEATURES, 1), "linear", 128, "adam", "mse", 200, graph="radial"),
        Case("gated", (own.INPUTS, 1), "relu", 128, "adam", "mse", 200, graph="gated"),
        Case("cox", (20, 64, 64, 1), "relu", 256, "adam", "cox", 100),
        Case("mixture", (1, 64, 64, 3 * own.COMPONENTS), "tanh", 128, "adam", "mixture", 200),
    )
}
# Prediction: of few rows the time of a call, of many the rate.
CASES |= {
    f"predict-{rows} {name}": Case(name, widths, activation, rows, "adam", loss, 1, predict=True)
    for rows in (1, 32, 1024)
    for name, widths, activation, loss in (
        ("17-64-64-6", (17, 64, 64, 6), "tanh", "categorical"),
        ("30-128-64-1", (30, 128, 64, 1), "relu", "binary"),
        ("784-128-10", (784, 128, 10), "relu", "categorical"),
        ("784-512-512-10", (784, 512, 512, 10), "relu", "categorical"),
        ("28-5x300-1", (28, *[300] * 5, 1), "tanh", "binary"),
        ("1024-2048-2048-1024", (1024, 2048, 2048, 1024), "relu", "mse"),
    )
}
PREDICTIONS = tuple(name for name, case in CASES.items() if case.predict)
TRAININGS = tuple(CASES)[:8]  # of stacks, which every rival has
DEFAULT_CASES = (
    "17-64-64-6",
    "784-128-10",
    "predict-1 17-64-64-6",
    "predict-1024 28-5x300-1",
)

Weights = list[np.ndarray]  # kernel (in, out), bias (out), kernel, …
Arrays = dict[str, np.ndarray]


def make_data(case: Case) -> Arrays:
    """Return x, y and the initial weights w0, w1, … of a case, in float32."""
    rng = np.random.default_rng(7)
    rows = case.batch * case.steps
    if case.graph:
        return _graph_data(case, rows, rng)
    x = rng.standard_normal((rows, case.widths[0]), dtype=np.float32)
    if case.loss in own.LOSSES:
        data = {"x": x, "y": own.targets(case.loss, x, rng)}
        return data | _stack_weights(case, rng)
    teacher = x @ rng.standard_normal((case.widths[0], case.widths[-1]), dtype=np.float32)
    if case.loss == "categorical":
        y = teacher.argmax(axis=1).astype(np.int32)
    elif case.loss == "binary":
        y = (teacher > 0).astype(np.float32)
    else:
        y = (teacher / np.sqrt(case.widths[0])).astype(np.float32)
    return {"x": x, "y": y} | _stack_weights(case, rng)


def _stack_weights(case: Case, rng: np.random.Generator) -> Arrays:
    found = {}
    for i, (fan_in, fan_out) in enumerate(zip(case.widths, case.widths[1:], strict=False)):
        limit = np.sqrt(6 / (fan_in + fan_out))
        kernel = rng.uniform(-limit, limit, (fan_in, fan_out))
        found[f"w{2 * i}"] = kernel.astype(np.float32)
        found[f"w{2 * i + 1}"] = np.zeros(fan_out, np.float32)
    return found


def network_of(case: Case) -> Any:
    """Return the module that has the network of a case that is no stack."""
    return own if case.graph in own.KINDS else graphs


def _graph_data(case: Case, rows: int, rng: np.random.Generator) -> Arrays:
    network = network_of(case)
    x = network.inputs(case.graph, case.vocabulary, rows, rng)
    y = (rng.random((rows, 1)) < 0.5).astype(np.float32)  # to be learned by heart
    data = {"x": x, "y": y}
    for i, shape in enumerate(network.shapes(case.graph, case.vocabulary)):
        limit = np.sqrt(6 / sum(shape)) if i >= network.tables(case.graph) else 0.5
        data[f"w{i}"] = (
            rng.uniform(-limit, limit, shape).astype(np.float32)
            if len(shape) > 1
            else np.zeros(shape, np.float32)
        )
    return data


def initial_weights(data: Arrays) -> Weights:
    """Return the initial weights as a list."""
    return [data[f"w{i}"] for i in range(len(data) - 2)]


# f(z), and f' as a function of a = f(z)
ACTIVATIONS = {
    "linear": (lambda z: z, lambda a: np.ones_like(a)),
    "relu": (lambda z: np.maximum(z, 0), lambda a: (a > 0).astype(a.dtype)),
    "tanh": (np.tanh, lambda a: 1 - a * a),
    "sigmoid": (lambda z: 1 / (1 + np.exp(-z)), lambda a: a * (1 - a)),
}


def softmax(z: np.ndarray) -> np.ndarray:
    """Return e^z / sum e^z of each row."""
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def forward(case: Case, weights: Weights, x: np.ndarray) -> list[np.ndarray]:
    """Return x and the output of every layer."""
    outputs = [x]
    for i in range(0, len(weights), 2):
        z = outputs[-1] @ weights[i] + weights[i + 1]
        if i + 2 < len(weights):
            outputs.append(ACTIVATIONS[case.activation][0](z))
        elif case.loss == "categorical":
            outputs.append(softmax(z))
        else:
            outputs.append(ACTIVATIONS[LOSSES[case.loss]][0](z))
    return outputs


def loss_of(case: Case, weights: Weights, data: Arrays) -> float:
    """Return the mean loss over the rows that the answers are compared on, in float64."""
    rows = case.batch * case.check_steps
    y = data["y"][:rows]
    weights = [w.astype(np.float64) for w in weights]
    if case.graph:
        network = network_of(case)
        out = network.logits(case.graph, weights, data["x"][:rows], network.NUMPY)
        out = ACTIVATIONS[LOSSES[case.loss]][0](out)
        if case.loss == "binary":
            return float(-np.where(y > 0, np.log(out), np.log1p(-out)).mean())
        return float(((out - y) ** 2).mean())
    out = forward(case, weights, data["x"][:rows].astype(np.float64))[-1]
    if case.loss in own.LOSSES:  # which may be of a whole batch
        batches = zip(*(np.split(a, case.check_steps) for a in (y, out)), strict=True)
        return float(np.mean([own.LOSSES[case.loss](*pair, own.NUMPY) for pair in batches]))
    if case.loss == "categorical":
        return float(-np.log(out[np.arange(len(y)), y]).mean())
    if case.loss == "binary":
        return float(-np.where(y > 0, np.log(out), np.log1p(-out)).mean())
    return float(((out - y) ** 2).mean())


def gradients(case: Case, weights: Weights, x: np.ndarray, y: np.ndarray) -> Weights:
    """Return the gradient of the mean loss of a batch."""
    if case.graph:
        network = network_of(case)
        z = network.logits(case.graph, weights, x, network.NUMPY)
        scale = (2 if case.loss == "mse" else 1) / len(x)
        delta = scale * (ACTIVATIONS[LOSSES[case.loss]][0](z) - y)
        result: Weights = network.gradients(case.graph, weights, x, delta)
        return result
    outputs = forward(case, weights, x)
    # the loss and the output activation together: dz = a - y, for mse 2 (a - y) / outputs
    if case.loss == "categorical":
        y = np.eye(case.widths[-1])[y]
    if case.loss in own.LOSSES:
        delta = own.delta(case.loss, y, outputs[-1])
    else:
        delta = (outputs[-1] - y) / len(x) * (2 / case.widths[-1] if case.loss == "mse" else 1)
    result = []
    for i in range(len(weights) - 2, -1, -2):
        result[:0] = [outputs[i // 2].T @ delta, delta.sum(axis=0)]
        if i:
            delta = (delta @ weights[i].T) * ACTIVATIONS[case.activation][1](outputs[i // 2])
    return result


def train_reference(case: Case, data: Arrays, by_rows: bool) -> Weights:
    """Return the weights after `check_steps` steps in float64.

    With `by_rows`, rows of tables that a batch does not read stay as they are, momenta included.
    """
    weights = [w.astype(np.float64) for w in initial_weights(data)]
    m = [np.zeros_like(w) for w in weights]
    v = [np.zeros_like(w) for w in weights]
    b1, b2 = ADAM["beta_1"], ADAM["beta_2"]
    tables = network_of(case).tables(case.graph) if case.graph and by_rows else 0
    for t in range(1, case.check_steps + 1):
        batch = slice((t - 1) * case.batch, t * case.batch)
        x = data["x"][batch] if case.graph else data["x"][batch].astype(np.float64)
        for i, g in enumerate(gradients(case, weights, x, data["y"][batch])):
            if case.optimizer == "sgd":
                weights[i] -= SGD["learning_rate"] * g
                continue
            rows = np.unique(x[:, i]) if i < tables else slice(None)
            m[i][rows] = b1 * m[i][rows] + (1 - b1) * g[rows]
            v[i][rows] = b2 * v[i][rows] + (1 - b2) * g[rows] * g[rows]
            step = (m[i][rows] / (1 - b1**t)) / (
                np.sqrt(v[i][rows] / (1 - b2**t)) + ADAM["epsilon"]
            )
            weights[i][rows] -= ADAM["learning_rate"] * step
    return weights


def reference(case: Case, data: Arrays, by_rows: bool = False) -> tuple[list[float], float]:
    """Return the right answer and the size that errors in it are relative to.

    `by_rows` is that of an optimizer that leaves rows of tables alone which a batch does not read.

    Training: the loss after `check_steps` steps, relative to how far it has come. Prediction: the
    outputs, relative to the largest.
    """
    if case.predict:
        out = forward(case, initial_weights(data), data["x"].astype(np.float64))[-1]
        return out.ravel().tolist(), float(np.abs(out).max())
    before = loss_of(case, initial_weights(data), data)
    after = loss_of(case, train_reference(case, data, by_rows), data)
    return [after], abs(before - after)
