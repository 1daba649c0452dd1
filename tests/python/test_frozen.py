# SPDX-License-Identifier: Apache-2.0
"""Frozen layers: their weights keep their bits, from the compile after they were frozen."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support import fingerprint

import laminar
from laminar import Input, Model, Sequential, layers
from laminar.models import clone_model

X = np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)
Y = X[:, :1]


def stack(seed: int = 1) -> Sequential:
    dense = [layers.Dense(5, "tanh", name="first"), layers.Dense(4, "tanh", name="second")]
    return Sequential([Input(6), *dense, layers.Dense(1, name="last")], seed=seed)


def changed(model: Sequential | Model) -> list[str]:
    """Fit the model, and return the names of layers whose weights are others now."""
    before = [fingerprint(layer.get_weights()) for layer in model.layers]
    model.fit(X, Y, verbose=0, epochs=2)
    after = [fingerprint(layer.get_weights()) for layer in model.layers]
    names = [layer.name or "" for layer in model.layers]
    return [name for name, a, b in zip(names, before, after, strict=True) if a != b]


@pytest.mark.parametrize("optimizer", ["sgd", "adam", laminar.optimizers.AdamW(weight_decay=0.1)])
def test_frozen_layers_keep_their_bits(optimizer: str | laminar.optimizers.Optimizer) -> None:
    model = stack()
    model.layers[1].trainable = False
    model.compile(optimizer, "mse")
    assert changed(model) == ["first", "last"]
    assert [w.trainable for w in model.weights] == [True, True, False, False, True, True]
    assert not model.trainable


def test_layers_are_frozen_from_the_start(tmp_path: Path) -> None:
    frozen = layers.Dense(4, "tanh", name="second", trainable=False)
    first, last = layers.Dense(5, name="first"), layers.Dense(1, name="last")
    model = Sequential([Input(6), first, frozen, last], seed=1)
    assert [w.trainable for w in model.weights] == [True, True, False, False, True, True]
    model.compile("adam", "mse")
    assert changed(model) == ["first", "last"]
    assert frozen.get_config()["trainable"] is False
    assert "trainable" not in first.get_config()
    model.save(tmp_path / "m.safetensors")
    for twin in (
        laminar.load_model(tmp_path / "m.safetensors"),
        Sequential.from_config(model.get_config()),
    ):
        assert [layer.trainable for layer in twin.layers] == [True, False, True]
    a, b = Input(4), Input(4)
    for symbol in (layers.Add(trainable=False)([a, b]), layers.concatenate([a, b])):
        assert Model([a, b], symbol).predict([X[:, :4], X[:, 2:]]).shape[0] == 40
    with pytest.raises(TypeError, match="Dense: trainable must be True or False, got 1"):
        layers.Dense(3, trainable=1)  # type: ignore[arg-type]


def test_what_is_set_is_in_force_from_the_next_compile() -> None:
    model = stack()
    model.compile("adam", "mse")
    model.get_layer("first").trainable = False
    assert changed(model) == ["first", "second", "last"]
    before = model.predict(X)
    model.compile("adam", "mse")
    np.testing.assert_array_equal(model.predict(X), before)
    assert changed(model) == ["second", "last"]
    model.trainable = True
    assert changed(model) == ["second", "last"]
    model.compile("adam", "mse")
    assert changed(model) == ["first", "second", "last"]


def test_a_frozen_model_within_another() -> None:
    trunk = stack()
    trunk.pop()
    trunk.trainable = False
    expected = fingerprint(trunk.get_weights())
    x = Input(6)
    model = Model(x, layers.Dense(1)(trunk(x)))
    model.compile("adam", "mse")
    assert changed(model) == ["dense"]
    assert fingerprint(trunk.get_weights()) == expected
    outer = Sequential([trunk, layers.Dense(1)])
    outer.compile("adam", "mse")
    assert changed(outer) == ["dense"]
    trunk.trainable = True
    outer.compile("sgd", "mse")
    assert changed(outer) == ["first", "second", "dense"]
    np.testing.assert_array_equal(trunk.get_weights()[0], outer.get_weights()[0])


def test_files_copies_and_clones_stay_frozen(tmp_path: Path) -> None:
    model = stack()
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    changed(model)
    path = tmp_path / "m.safetensors"
    model.save(path)
    clone = clone_model(model)
    clone.compile("adam", "mse")
    for twin in (laminar.load_model(path), pickle.loads(pickle.dumps(model)), clone):
        assert not twin.layers[0].trainable
        assert changed(twin) == ["second", "last"]


@pytest.mark.parametrize("graph", [False, True])
def test_files_written_between_freezing_and_compile(graph: bool, tmp_path: Path) -> None:
    model: Sequential | Model = stack()
    if graph:
        x = Input(6)
        first = layers.Dense(6, name="first")(x)
        model = Model(x, layers.Dense(1, name="last")(first + x), seed=1)
    names = [layer.name for layer in model.layers if layer.count_params()]
    model.compile("adam", "mse")
    model.layers[0].trainable = False  # in force from the next compile
    model.save(tmp_path / "m.safetensors")
    for twin in (laminar.load_model(tmp_path / "m.safetensors"), pickle.loads(pickle.dumps(model))):
        assert not twin.layers[0].trainable
        np.testing.assert_array_equal(twin.predict(X), model.predict(X))
        assert changed(twin) == names
        twin.compile("adam", "mse")
        assert changed(twin) == names[1:]


class Scaled(layers.Layer):
    """Of one's own, with a constructor that knows nothing of freezing."""

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.scale = self.add_weight((input_shape[-1],), "ones")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


@pytest.mark.parametrize("make", [Scaled, lambda: layers.PeriodicEmbedding(2)])
@pytest.mark.parametrize("frozen", [True, False])
def test_layers_written_in_operations_stay_frozen_in_copies(
    make: Callable[[], layers.Layer], frozen: bool, tmp_path: Path
) -> None:
    model = Sequential([Input(6), make(), layers.Flatten(), layers.Dense(1)], seed=1)
    model.predict(X)
    model.layers[0].trainable = not frozen  # after its arguments have been recorded
    model.save(tmp_path / "m.safetensors")
    with laminar.utils.custom_object_scope({"Scaled": Scaled}):
        loaded = laminar.load_model(tmp_path / "m.safetensors")
        again = Sequential.from_config(json.loads(json.dumps(model.get_config())))
        copied = copy.deepcopy(model)
    for twin in (loaded, again, copied, clone_model(model)):
        assert type(twin.layers[0]) is type(model.layers[0])
        assert twin.layers[0].trainable is not frozen


def test_summary_counts_what_is_trained() -> None:
    model = stack()
    model.layers[0].trainable = False
    model.compile("adam", "mse")
    lines: list[str] = []
    model.summary(print_fn=lambda text: lines.extend(text.split("\n")))
    rows = {line.split()[0]: line.split()[-1] for line in lines[4:7]}
    assert rows == {"first": "N", "second": "Y", "last": "Y"}
    assert "Trainable params: 29 (116.00 B)" in lines
    assert "Non-trainable params: 35 (140.00 B)" in lines


def test_nothing_to_train_is_no_error() -> None:
    model = stack()
    model.trainable = False
    model.compile("adam", "mse")
    assert changed(model) == []
