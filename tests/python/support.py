# SPDX-License-Identifier: Apache-2.0
"""What test files share: the core's lists as test parameters, small models, subprocesses."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from reference import Dense, Spec

import laminar
from laminar import Sequential, _core, layers

# Losses of outputs that are means of counts or amounts, and of outputs that are shares.
POSITIVE_OUTPUTS = ("poisson", "tweedie", "gamma", "msle")
PROBABILITIES = ("kl_divergence", "dice", "tversky")
# Losses of which a row alone has no gradient.
WHOLE_BATCH = ("rmse",)

FAMILIES = (
    "activation",
    "constraint",
    "initializer",
    "layer",
    "loss",
    "metric",
    "optimizer",
    "regularizer",
)


@functools.cache
def layer_kinds(merging: bool = True) -> set[str]:
    """Return the kinds of layers, without those of several inputs where these are not wanted.

    The core itself makes slices, the inputs of a graph that has several; operations are of a kind
    of their own where training looks at whole batches.
    """
    kinds = {entry["name"] for entry in _core.entries("layer")} - {"slice", "batch_operations"}
    if merging:
        return kinds
    return {kind for kind in kinds if not layers.Layer._classes[kind]._merges}


@functools.cache
def specs(family: str) -> tuple[Spec, ...]:
    """Return every entry of a family with its defaults."""
    return tuple({"name": e["name"], **e["parameters"]} for e in _core.entries(family))


def another(entry: dict[str, Any], name: str) -> Any:
    """Return another value than its default for a parameter of an entry."""
    default = entry["parameters"][name]
    if name == "num_thresholds":
        return 7
    if name == "ignore_class":
        return -1
    if isinstance(default, bool):
        return not default
    if isinstance(default, str):
        return next(word for word in entry["words"][name] if word != default)
    if default is None:
        return 1
    if isinstance(default, int):
        return default + 1
    if name in entry.get("integers", ()):
        return 1
    return (1.0, 2.5) if isinstance(default, tuple) else 0.125


def kinds_of(weights: Sequence[Any]) -> list[tuple[str, tuple[int, ...], bool]]:
    """Return name, shape and kind of each of a model's or a layer's weights."""
    return [(weight.name, weight.shape, weight.trainable) for weight in weights]


def spec_id(value: object) -> str | None:
    """Name a test parameter by its entry."""
    return value["name"] if isinstance(value, dict) else None


def trainable_activations() -> list[Spec]:
    """Return every activation that can be trained by gradient."""
    trainable = {entry["name"] for entry in _core.entries("activation") if entry["trainable"]}
    return [spec for spec in specs("activation") if spec["name"] in trainable]


def identity_model(width: int, activation: Any, dtype: str = "float64") -> Sequential:
    """Return a model that applies an activation to its input."""
    model = Sequential([layers.Input(width), layers.Dense(width, activation)], dtype=dtype)
    model.set_weights([np.eye(width), np.zeros(width)])
    return model


def reference_network(model: Sequential) -> list[Dense]:
    """Return the weights of a model of Dense layers with biases, for the reference."""
    weights = [w.astype(np.float64) for w in model.get_weights()]
    network = []
    for i, layer in enumerate(model.layers):
        assert isinstance(layer, layers.Dense)
        network.append(Dense(weights[2 * i], weights[2 * i + 1], layer.activation._spec()))
    return network


def targets(loss: Spec, rows: int, width: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return random targets of the kind that a loss takes."""
    match loss["name"]:
        case "sparse_categorical_crossentropy":
            return rng.integers(0, width, rows).astype(np.int32)
        case "categorical_crossentropy" | "categorical_focal_crossentropy" | "categorical_hinge":
            return np.eye(width)[rng.integers(0, width, rows)]
        case "binary_crossentropy" | "binary_focal_crossentropy" | "dice" | "tversky":
            return rng.integers(0, 2, (rows, width)).astype(np.float64)
        case "hinge" | "squared_hinge":
            return rng.integers(-1, 2, (rows, width)).astype(np.float64)
        case "kl_divergence":
            return rng.dirichlet(np.ones(width), rows)
        case "poisson":
            return rng.poisson(2, (rows, width)).astype(np.float64)
        case "mape" | "msle" | "gamma" | "tweedie":
            return rng.uniform(0.3, 2, (rows, width))
        case _:
            return rng.normal(size=(rows, width))


def outputs(loss: Spec, rows: int, width: int, rng: np.random.Generator) -> NDArray[Any]:
    """Return random outputs of the kind that a loss takes."""
    name = loss["name"]
    if name in POSITIVE_OUTPUTS:
        return rng.uniform(0.2, 3, (rows, width))
    if name in PROBABILITIES or ("crossentropy" in name and not loss["from_logits"]):
        return rng.dirichlet(np.ones(width), rows)
    return rng.normal(size=(rows, width))


def small_classifier(seed: int = 3, built: bool = True, **compiled: Any) -> Sequential:
    """Return a compiled model of 6 features and 3 classes."""
    stack: list[Any] = [layers.Input(6)] if built else []
    stack += [layers.Dense(5, "tanh"), layers.Dropout(0.1), layers.Dense(3, "softmax")]
    model = Sequential(stack, seed=seed)
    settings = {"optimizer": "adam", "loss": "sparse_categorical_crossentropy", **compiled}
    model.compile(**settings)
    return model


def blobs(rows: int = 40, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return samples of 6 features around 3 centres, and their classes."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, rows).astype(np.int32)
    y[:3] = (0, 1, 2)
    centres = 2 * rng.normal(size=(3, 6))
    return (centres[y] + rng.normal(size=(rows, 6))).astype(np.float32), y


def fingerprint(arrays: Sequence[NDArray[Any]]) -> str:
    """Return a hash of all bits."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def run_python(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter that sees the same laminar and these files."""
    here = os.path.dirname(__file__)
    package = os.path.dirname(os.path.dirname(laminar.__file__))
    path = os.pathsep.join([here, package, os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def class_and_number(folder: Path, rows: int) -> Path:
    """Write a table whose column y is a class, and z a number."""
    path = folder / "table.csv"
    a, b = np.random.default_rng(0).normal(size=(2, rows))
    y = np.where(a + b > 0, "yes", "no")
    lines = [f"{u:.4f},{v:.4f},{w},{u - v:.4f}" for u, v, w in zip(a, b, y, strict=True)]
    path.write_text("\n".join(["a,b,y,z", *lines]))
    return path
