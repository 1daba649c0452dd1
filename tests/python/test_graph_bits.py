# SPDX-License-Identifier: Apache-2.0
"""A graph of everything that a graph may hold, to the bits of tests/cpp/test_graph_bits.cpp."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import golden_files
import numpy as np
import pytest
from support import fingerprint

import laminar
from laminar import Input, Model, layers

ROWS = 150
HASHES = golden_files.FOLDER / "graph_sha256.txt"


def everything() -> Model:
    """Return a graph of every merge, shared layers, a table, batch normalization and dropout."""
    a, b, ids = Input(4, name="a"), Input(4, name="b"), Input(2, name="ids")
    table = layers.Embedding(50, 3)
    read = layers.Flatten()(layers.add([table(ids), table(ids)]))
    shared = layers.Dense(24, "tanh")
    left, right = shared(a), shared(b)
    merged = [layers.maximum([left, right]), layers.minimum([left, right]), left * right]
    merged += [layers.average([left, right]), left - right, left + right]
    h = layers.Dropout(0.2)(layers.BatchNormalization()(layers.concatenate(merged)))
    h = layers.concatenate([h, layers.dot([left, right]), read])
    price = layers.Dense(1, name="price")(h)
    kind = layers.Dense(3, "softmax", name="kind")(h)
    model = Model([a, b, ids], [price, kind], seed=1)
    losses = ["mse", "sparse_categorical_crossentropy"]
    model.compile("adam", losses, loss_weights=[0.5, 2.0], metrics=[["mae"], ["accuracy"]])
    return model


def data() -> tuple[list[Any], list[Any]]:
    """Return samples and targets that C++ writes down as easily."""
    numbers = (np.arange(ROWS * 8) * 7919 % 2001 - 1000) / 1000
    rows = numbers.reshape(ROWS, 8).astype(np.float32)
    ids = (np.arange(ROWS * 2) * 7919 % 50).reshape(ROWS, 2)
    kinds = np.arange(ROWS) * 7 % 3
    return [rows[:, :4], rows[:, 4:], ids], [rows[:, :1] * rows[:, 4:5], kinds]


def fitted(model: Model, **options: Any) -> Model:
    x, y = data()
    model.fit(x, y, epochs=3, batch_size=32, verbose=0, **options)
    return model


def bits(model: Model) -> str:
    """Return the SHA-256 of all weights and of the predictions, sample by sample."""
    predictions = np.concatenate(model.predict(data()[0]), axis=1)
    return fingerprint([*model.get_weights(), predictions])


class Keeper(laminar.callbacks.Callback):
    """Saves the model in the middle of an epoch."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.model.optimizer.iterations == 7:
            self.model.save(self.path)


@pytest.fixture(params=[1, 2, 3, 4, 8])
def threads(request: pytest.FixtureRequest) -> Iterator[int]:
    before = laminar.get_num_threads()
    laminar.set_num_threads(request.param)
    yield request.param
    laminar.set_num_threads(before)


def expected() -> str:
    lines = (line.split() for line in HASHES.read_text().splitlines())
    return dict(lines)[golden_files.kernels()]


@pytest.mark.kernels
@pytest.mark.skipif(
    platform.machine() not in ("x86_64", "AMD64"), reason="the hashes are those of x86-64"
)
def test_everything_has_the_hash_that_it_has_in_cpp(threads: int) -> None:
    assert bits(fitted(everything())) == expected()


def test_everything_goes_on_inside_an_epoch(threads: int, tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    whole = fitted(everything(), callbacks=[Keeper(path)])
    assert laminar.load_model(path).optimizer.iterations == 7  # of 5 an epoch
    resumed = fitted(everything(), callbacks=[Keeper(path)], resume=path)
    assert bits(resumed) == bits(whole)


def test_a_frozen_trunk_keeps_its_bits(threads: int) -> None:
    model = everything()
    trunk = model.layers[: [layer.name for layer in model.layers].index("price")]
    for layer in trunk:
        layer.trainable = False
    model.compile("adam", ["mse", "sparse_categorical_crossentropy"])
    before = {layer.name: fingerprint(layer.get_weights()) for layer in model.layers}
    fitted(model)
    after = {layer.name: fingerprint(layer.get_weights()) for layer in model.layers}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"price", "kind"}
    assert sum(len(layer.weights) for layer in trunk) == 7
