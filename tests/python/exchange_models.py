# SPDX-License-Identifier: Apache-2.0
"""Models that tests of exchange formats share: one for each activation and each kind of layer."""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Callable, Sequence
from typing import Any
from unittest import mock

import numpy as np
import pytest
from numpy.typing import NDArray
from support import another

from laminar import Sequential, _component, _core, activations, layers


def _activation_specs() -> list[dict[str, Any]]:
    """Return every activation with its defaults, and with another value of each argument."""
    found = []
    for entry in _core.entries("activation"):
        spec = {"name": entry["name"], **entry["parameters"]}
        found.append(spec)
        for name in entry["parameters"]:
            found.append({**spec, name: another(entry, name)})
        if len(entry["parameters"]) > 1:
            found.append({**spec, **{name: another(entry, name) for name in entry["parameters"]}})
    return found


ACTIVATION_SPECS = _activation_specs()

# What a file holds of a layer of the user's own: tanh(x W + b).
RECORDED = {
    "program": {
        "inputs": [[-1, 6]],
        "weights": [[6, 3], [3]],
        "steps": [
            {"op": "matmul", "reads": [0, 1], "integers": [0, 0]},
            {"op": "add", "reads": [3, 2]},
            {"op": "tanh", "reads": [4]},
        ],
        "outputs": [5],
    },
    "weights": [
        {"name": "kernel", "initializer": {"name": "glorot_uniform"}, "trainable": True},
        {"name": "bias", "initializer": {"name": "zeros"}, "trainable": True},
    ],
}


def own_layer(recorded: dict[str, Any], name: str | None = None) -> layers.Layer:
    """Return the layer that a file would hold so."""
    known: Any = layers.Layer._classes.get("operations") or _class_of_operations()
    made: layers.Layer = known(recorded, name=name)
    return made


def _class_of_operations() -> type[layers.Layer]:
    with mock.patch.object(_component, "is_own", lambda cls: True):

        class Operations(layers.Layer, entry="operations"):
            def __init__(self, recorded: Any, name: str | None = None) -> None:
                super().__init__(name)
                self._recording = recorded

            def _check_number(self, count: int) -> None:
                pass

            def _output_shape(self, shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
                program = _core.Program(json.dumps(self._recording["program"]))
                return tuple(program.shapes()[0][1:])

            def _options(self) -> dict[str, Any]:
                return dict(self._recording)

    return Operations


Stack = tuple[tuple[int, ...], list[layers.Layer]]
LAYER_STACKS: dict[str, Callable[[], Stack]] = {
    "Dense": lambda: ((6,), [layers.Dense(5, "tanh"), layers.Dense(3, use_bias=False)]),
    "Maxout": lambda: ((6,), [layers.Maxout(4, 3), layers.Maxout(2, use_bias=False)]),
    "Activation": lambda: ((6,), [layers.Activation("softmax"), layers.Activation("sparsemax")]),
    "ReLU": lambda: ((6,), [layers.ReLU(2.0, 0.1, 0.5)]),
    "PReLU": lambda: ((2, 3), [layers.PReLU(), layers.Flatten(), layers.PReLU()]),
    "Noise": lambda: (
        (6,),
        [
            layers.Dropout(0.5),
            layers.AlphaDropout(0.5),
            layers.GaussianNoise(0.5),
            layers.GaussianDropout(0.5),
        ],
    ),
    "BatchNormalization": lambda: (
        (6,),
        [
            layers.BatchNormalization(),
            layers.BatchNormalization(center=False, scale=False, epsilon=0.01),
        ],
    ),
    "LayerNormalization": lambda: (
        (2, 3),
        [layers.LayerNormalization(), layers.LayerNormalization(center=False, scale=False)],
    ),
    "RMSNormalization": lambda: (
        (2, 3),
        [layers.RMSNormalization(), layers.Flatten(), layers.RMSNormalization(epsilon=0.25)],
    ),
    "Reshape": lambda: (
        (2, 3),
        [layers.Reshape((3, -1)), layers.Flatten(), layers.Reshape((6,)), layers.Flatten()],
    ),
    "Normalization": lambda: (
        (6,),
        [layers.Normalization(), layers.Normalization(invert=True), layers.Rescaling(0.5, 2)],
    ),
    "Discretization": lambda: ((2, 3), [layers.Discretization([-0.1, 0.3, 1.7])]),
    "CategoryEncoding": lambda: ((6,), [layers.CategoryEncoding(4)]),
    "CategoryEncoding count": lambda: ((6,), [layers.CategoryEncoding(4, "count")]),
    "CategoryEncoding one_hot": lambda: ((6,), [layers.CategoryEncoding(4, "one_hot")]),
    "CategoryEncoding one": lambda: (
        (1,),
        [layers.CategoryEncoding(4, "one_hot"), layers.Dense(2)],
    ),
    "Embedding": lambda: (
        (2, 3),
        [layers.Discretization([-0.1, 0.3, 1.7]), layers.Embedding(4, 5), layers.Flatten()],
    ),
    "Operations": lambda: ((6,), [own_layer(RECORDED)]),
    "PeriodicEmbedding": lambda: (
        (3,),
        [layers.PeriodicEmbedding(2, units=3), layers.Flatten()],
    ),
    "SmoothClip": lambda: ((2, 3), [layers.SmoothClip(0.8)]),
    "PiecewiseLinearEncoding": lambda: (
        (2,),
        [layers.PiecewiseLinearEncoding([[-0.5, 0.25, 1], [0, 0.5]]), layers.Dense(2)],
    ),
    "Gelu and reductions": lambda: (
        (6,),
        [layers.LayerNormalization(), layers.Maxout(6), layers.Dense(5, "gelu")],
    ),
}


def activation_model(spec: dict[str, Any], dtype: str) -> Sequential:
    """Return a model of 5 features that is one activation."""
    return Sequential([layers.Input(5), layers.Activation(activations.get(spec))], dtype=dtype)


def randomized(model: Sequential) -> Sequential:
    """Give every tensor of a model random values, those of variances positive; return the model."""
    rng = np.random.default_rng(5)
    values = []
    for weight in model.weights:
        value = rng.normal(size=weight.shape)
        values.append(np.abs(value) + 0.5 if "variance" in weight.name else value)
    model.set_weights(values)
    return model


def sample(shape: tuple[int, ...], rows: int) -> NDArray[np.float64]:
    """Return random samples."""
    return np.random.default_rng(8).normal(size=(rows, *shape))


def import_keras() -> Any:
    """Return keras, with PyTorch below it where nobody chose; skip the test where it is missing."""
    if importlib.util.find_spec("torch") is not None:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    return pytest.importorskip("keras", reason="keras is not installed, or its backend")
