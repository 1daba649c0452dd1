# SPDX-License-Identifier: Apache-2.0
"""Random graphs: several inputs and outputs, fan-out, all merges, tables, layers called again."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from laminar import Input, Model, layers
from laminar.layers.symbol import Symbol

ELEMENTWISE = ("add", "subtract", "multiply", "average", "maximum", "minimum")
VOCABULARY = 5
ACTIVATIONS = ("linear", "relu", "tanh", "sigmoid", "elu", "softmax")


def random_graph(seed: int, dtype: str = "float32") -> tuple[Model, list[NDArray[Any]]]:
    """Return a model of 2 to 12 layers with random weights, and some rows for each input."""
    rng = np.random.default_rng(seed)

    def chosen(values: Any) -> Any:
        return values[int(rng.integers(len(values)))]

    def dense(units: int) -> layers.Layer:
        return layers.Dense(units, chosen(ACTIVATIONS), use_bias=bool(rng.integers(4)))

    inputs = [Input(int(rng.integers(2, 5))) for _ in range(int(rng.integers(1, 4)))]
    pool: list[Symbol] = list(inputs)
    read: set[int] = set()
    shared: list[tuple[tuple[int, ...], layers.Layer]] = []

    def call(layer: layers.Layer, *given: Symbol) -> None:
        read.update(map(id, given))
        pool.append(layer(list(given) if len(given) > 1 else given[0]))

    words = None
    if rng.integers(3) == 0:  # categories, by one table
        words = Input(int(rng.integers(1, 3)))
        vectors = layers.Embedding(VOCABULARY, 2)(words)
        pool.append(layers.Flatten()(vectors))
    for _ in range(int(rng.integers(2, 13))):
        x = chosen(pool[-4:])
        same = [symbol for symbol in pool if symbol.shape == x.shape]
        fitting = [layer for shape, layer in shared if shape == x.shape]
        kind = int(rng.integers(10))
        if kind < 3:
            layer = dense(int(rng.integers(2, 5)))
            shared.append((x.shape, layer))
            call(layer, x)
        elif kind == 3 and fitting:
            call(chosen(fitting), x)
        elif kind < 7:
            name = chosen(ELEMENTWISE)
            count = 2 if name == "subtract" else int(rng.integers(2, 4))
            merge = getattr(layers, name.capitalize())()
            call(merge, x, *(chosen(same) for _ in range(count - 1)))
        elif kind == 7:
            call(layers.Concatenate(), x, chosen(pool))
        elif kind == 8:
            call(layers.Dot(axes=1, normalize=bool(rng.integers(2))), x, chosen(same))
        else:
            plain = (layers.LayerNormalization, layers.BatchNormalization, layers.PReLU)
            others = (lambda: layers.Dropout(0.3), lambda: layers.Activation("silu"))
            call(chosen((*plain, *others))(), x)
    for start in inputs:
        if id(start) not in read:
            call(dense(2), start)
    ends = [symbol for symbol in pool if id(symbol) not in read]
    if rng.integers(3) == 0:
        ends.append(chosen(pool))
    if rng.integers(3) == 0 and len(ends) > 1:
        ends = [layers.Concatenate()(ends)]
    outputs: Any = ends[0] if len(ends) == 1 else ends
    inputs += [] if words is None else [words]
    model = Model(inputs if len(inputs) > 1 else inputs[0], outputs, dtype=dtype, seed=seed)
    randomize(model, seed)
    x = [rng.normal(size=(20, *each.shape)).astype(dtype) for each in inputs]
    if words is not None:
        x[-1] = rng.integers(0, VOCABULARY, x[-1].shape).astype(dtype)
    return model, x


def randomize(model: Model, seed: int) -> None:
    """Give a model weights that are no special case; variances are positive."""
    rng = np.random.default_rng(seed)
    weights = []
    for weight in model.weights:
        values = rng.normal(size=weight.shape) * 0.7
        weights.append(np.abs(values) + 0.1 if "variance" in weight.name else values)
    model.set_weights(weights)


def predictions(model: Model, x: list[NDArray[Any]]) -> list[NDArray[Any]]:
    """Return one array for each output."""
    found = model.predict(x if len(x) > 1 else x[0])
    if isinstance(found, dict):
        return list(found.values())
    return found if isinstance(found, list) else [found]
