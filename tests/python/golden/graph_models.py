# SPDX-License-Identifier: Apache-2.0
"""Graphs as users write them, for Keras and for laminar: only the import differs.

Each function takes the module that is called keras, and returns a model and the data of one batch.
`record_keras_graphs.py` writes what Keras makes of them, test_keras_graphs.py compares.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

ROWS, STEPS = 24, 5
RNG = np.random.default_rng(4)
# Multiples of 1/64, since Keras rounds what it is given to float32.
A, B = RNG.integers(-99, 99, (2, ROWS, 5)) / 64
NUMBERS = RNG.integers(-99, 99, (ROWS, 3)) / 64
IDS = RNG.integers(0, 7, (ROWS, 3))
Y = RNG.integers(0, 64, (ROWS, 1)) / 64

Data = tuple[Any, NDArray[Any]]


def embedded(keras: Any, column: Any, width: int, name: str) -> Any:
    """Return a vector for each of seven categories, all of which a batch holds."""
    table = keras.layers.Embedding(7, width, name=name)
    return keras.layers.Flatten()(table(column))


def wide_and_deep(keras: Any) -> tuple[Any, Data]:
    """Numbers beside embedded categories."""
    layers = keras.layers
    wide = keras.Input(shape=(3,), name="numbers")
    columns = [keras.Input(shape=(1,), name=f"category_{i}") for i in range(3)]
    vectors = [embedded(keras, column, 4, f"v{i}") for i, column in enumerate(columns)]
    deep = layers.Concatenate()([*vectors, wide])
    deep = layers.Dense(8, "relu", name="d1")(deep)
    deep = layers.Dense(4, "relu", name="d2")(deep)
    out = layers.Dense(1, activation="sigmoid", name="d3")(layers.concatenate([wide, deep]))
    model = keras.Model(inputs=[wide, *columns], outputs=out)
    x = {"numbers": NUMBERS, **{f"category_{i}": IDS[:, i] for i in range(3)}}
    return model, (x, (Y > 0.5).astype(float))


def two_towers(keras: Any) -> tuple[Any, Data]:
    """Who likes what: two embeddings and the cosine between them."""
    layers = keras.layers
    user, item = keras.Input(shape=(1,), name="user"), keras.Input(shape=(1,), name="item")
    users, items = embedded(keras, user, 6, "users"), embedded(keras, item, 6, "items")
    items = layers.Dense(6, activation="tanh", name="d4")(items)
    score = layers.Dot(axes=1, normalize=True)([users, items])
    return keras.Model([user, item], score), ([IDS[:, 0], IDS[:, 1]], Y)


def residual(keras: Any) -> tuple[Any, Data]:
    """Blocks that add to what they read."""
    layers = keras.layers
    x = keras.Input(shape=(5,))
    h = layers.Dense(8, "relu", name="d5")(x)
    for i in range(3):
        f = layers.Dense(8, "relu", name=f"first_{i}")(h)
        f = layers.Dense(8, name=f"second_{i}")(f)
        h = layers.add([h, f])
    return keras.Model(x, layers.Dense(1, name="d8")(h)), (A, Y)


def siamese(keras: Any) -> tuple[Any, Data]:
    """One encoder for two inputs."""
    layers = keras.layers
    encoder = keras.Sequential(
        [
            keras.Input(shape=(5,)),
            layers.Dense(8, "relu", name="d9"),
            layers.Dense(4, name="d10"),
        ]
    )
    a, b = keras.Input(shape=(5,), name="a"), keras.Input(shape=(5,), name="b")
    difference = layers.Subtract()([encoder(a), encoder(b)])
    squared = layers.Multiply()([difference, difference])
    out = layers.Dense(1, activation="sigmoid", name="d11")(squared)
    return keras.Model({"a": a, "b": b}, out), ({"a": A, "b": B}, (Y > 0.5).astype(float))


def autoencoder(keras: Any) -> tuple[Any, Data]:
    """Its encoder and decoder are models of their own."""
    layers = keras.layers
    x = keras.Input(shape=(5,))
    code = layers.Dense(2, activation="tanh", name="code")(layers.Dense(4, "relu", name="e1")(x))
    encoder = keras.Model(x, code, name="encoder")
    z = keras.Input(shape=(2,))
    h = layers.Dense(5, name="e3")(layers.Dense(4, "relu", name="e2")(z))
    decoder = keras.Model(z, h, name="decoder")
    return keras.Model(x, decoder(encoder(x))), (A, A)


def extremes(keras: Any) -> tuple[Any, Data]:
    """The merges that the others lack."""
    layers = keras.layers
    a, b = keras.Input(shape=(5,)), keras.Input(shape=(5,))
    left = layers.Dense(4, activation="tanh", name="d12")(a)
    right = layers.Dense(4, activation="tanh", name="d13")(b)
    most, least = layers.Maximum()([left, right]), layers.Minimum()([left, right])
    mean = layers.Average()([left, right, most])
    dot = layers.Dot(axes=-1)([most, mean])
    out = layers.Dense(1, name="d14")(layers.Concatenate(axis=1)([most, least, mean, dot]))
    return keras.Model([a, b], out), ([A, B], Y)


MODELS = (wide_and_deep, two_towers, residual, siamese, autoencoder, extremes)


def weighted(model: Any) -> dict[str, Any]:
    """Return the layers with weights by their names, those of models within the model too."""
    found: dict[str, Any] = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found |= weighted(layer)
        elif layer.get_weights():
            found[layer.name] = layer
    return dict(sorted(found.items()))


def run(keras: Any, build: Any) -> list[NDArray[Any]]:
    """Return predictions before and after some updates, and the weights then."""
    model, (x, y) = build(keras)
    rng = np.random.default_rng(11)
    for layer in weighted(model).values():
        shapes = [w.shape for w in layer.get_weights()]
        layer.set_weights([rng.integers(-40, 40, shape) / 64 for shape in shapes])
    before = model.predict(x, verbose=0)
    model.compile(keras.optimizers.Adam(0.01), "mse")
    for _ in range(STEPS):
        model.train_on_batch(x, y)
    after = [w for layer in weighted(model).values() for w in layer.get_weights()]
    return [before, model.predict(x, verbose=0), *after]
