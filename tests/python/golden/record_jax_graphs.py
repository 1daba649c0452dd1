# SPDX-License-Identifier: Apache-2.0
"""Record what JAX makes of random graphs: outputs, and gradients by weights and inputs, in float32.

    PYTHONPATH=tests/python python tests/python/golden/record_jax_graphs.py

needs jax and writes jax_graphs.npz beside this file. test_jax_graphs.py compares. The graphs are
kept as configurations, so that they stay what they were.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from random_graphs import random_graph

HERE = Path(__file__).parent

GRAPHS = 10
ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "elu": jax.nn.elu,
    "linear": lambda z: z,
    "relu": jax.nn.relu,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "softmax": jax.nn.softmax,
    "tanh": jnp.tanh,
}


def _fold(function: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def fold(parts: list[Any]) -> Any:
        result = parts[0]
        for part in parts[1:]:
            result = function(result, part)
        return result

    return fold


MERGES: dict[str, Callable[[list[Any]], Any]] = {
    "Add": sum,
    "Average": lambda parts: sum(parts) / len(parts),
    "Concatenate": lambda parts: jnp.concatenate(parts, axis=-1),
    "Maximum": _fold(jnp.maximum),
    "Minimum": _fold(jnp.minimum),
    "Multiply": _fold(jnp.multiply),
    "Subtract": lambda parts: parts[0] - parts[1],
}


def _dot(config: dict[str, Any], a: Any, b: Any) -> Any:
    if config["normalize"]:
        a, b = (v / jnp.sqrt(jnp.maximum((v * v).sum(1), 1e-12))[:, None] for v in (a, b))
    return (a * b).sum(1)[:, None]


def _layer(kind: str, config: dict[str, Any], w: list[Any], given: list[Any]) -> Any:
    """Return what a layer makes of its inputs in prediction."""
    x = given[0]
    if kind in MERGES:
        return MERGES[kind](given)
    if kind == "Dot":
        return _dot(config, *given)
    if kind in ("Dense", "Activation"):
        z = x if kind == "Activation" else x @ w[0] + (w[1] if config["use_bias"] else 0)
        activation = config["activation"]
        name = activation if isinstance(activation, str) else activation["name"]
        return ACTIVATIONS[name](z)
    if kind == "Embedding":
        return w[0][x.astype(int)]
    if kind == "Flatten":
        return x.reshape(len(x), -1)
    if kind == "Dropout":
        return x
    if kind == "PReLU":
        return jnp.where(x >= 0, x, w[0] * x)
    if kind == "LayerNormalization":
        centered = x - x.mean(-1, keepdims=True)
        deviation = jnp.sqrt((centered**2).mean(-1, keepdims=True) + config["epsilon"])
        return centered / deviation * w[0] + w[1]
    assert kind == "BatchNormalization", kind
    return (x - w[2]) / jnp.sqrt(w[3] + config["epsilon"]) * w[0] + w[1]


def outputs(config: dict[str, Any], counts: list[int], w: list[Any], x: list[Any]) -> list[Any]:
    """Return the outputs of a graph; ``counts`` says how many weights each layer has."""
    firsts = np.cumsum([0, *counts])
    values = list(x)
    for node in config["nodes"]:
        number = node["layer"]
        layer = config["layers"][number]
        own = w[firsts[number] : firsts[number + 1]]
        given = [values[i] for i in node["inputs"]]
        values.append(_layer(layer["class_name"], layer["config"], own, given))
    return [values[i] for i in config["outputs"]]


def main() -> None:
    """Record the first graphs that have a table, and as many that have none."""
    recorded: dict[str, Any] = {}
    kinds = {True: 0, False: 0}
    for seed in range(1000):
        model, x = random_graph(seed)
        config = model.get_config()
        tables = any(layer["class_name"] == "Embedding" for layer in config["layers"])
        if kinds[tables] == GRAPHS // 2:
            continue
        i = sum(kinds.values())
        kinds[tables] += 1
        weights = model.get_weights()
        counts = [len(layer.get_weights()) for layer in model.layers]
        rng = np.random.default_rng(seed)
        found = outputs(config, counts, weights, x)
        d_outputs = [rng.normal(size=out.shape).astype(np.float32) for out in found]

        def weighted(
            w: Any, x: Any, config: Any = config, counts: Any = counts, d: Any = d_outputs
        ) -> Any:
            results = outputs(config, counts, w, x)
            return sum((out * weight).sum() for out, weight in zip(results, d, strict=True))

        d_weights, d_x = jax.grad(weighted, argnums=(0, 1))(
            [jnp.array(v) for v in weights], [jnp.array(v) for v in x]
        )
        recorded[f"{i}_config"] = json.dumps(config)
        arrays = {
            "weights": weights,
            "x": x,
            "outputs": found,
            "d_outputs": d_outputs,
            "d_weights": d_weights,
            "d_x": d_x,
        }
        for name, values in arrays.items():
            for j, value in enumerate(values):
                recorded[f"{i}_{name}_{j}"] = np.asarray(value)
        if sum(kinds.values()) == GRAPHS:
            break
    np.savez_compressed(HERE / "jax_graphs.npz", **recorded)


if __name__ == "__main__":
    main()
