# SPDX-License-Identifier: Apache-2.0
"""What a model has been through leaves nothing behind but its state: a copy has the same bits."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from support import fingerprint

from laminar import Sequential, callbacks, layers

ROWS = 1200


def data() -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Return rows, targets and weights that sums of floats are not exact for."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(ROWS, 7)).astype(np.float32)
    return x, np.sin(x[:, :2]).astype(np.float32), rng.uniform(0.1, 3, ROWS).astype(np.float32)


X, Y, WEIGHT = data()


def model_of(width: int, optimizer: str, precision: str) -> Sequential:
    """Return a compiled model; a width of 4 takes the step of small networks."""
    model = Sequential(
        [layers.Input(7), layers.Dense(width, "tanh"), layers.Dense(2)], seed=3, precision=precision
    )
    model.compile(optimizer, "mse", metrics=["mae"])
    return model


class _Stop(callbacks.Callback):
    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        raise KeyboardInterrupt


def _fails(model: Sequential) -> None:
    weights = model.get_weights()
    with pytest.raises(FloatingPointError):
        model.fit(X, Y * np.float32(1e30), epochs=1, verbose=0)
    model.set_weights(weights)


def _interrupted(model: Sequential) -> None:
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, batch_size=64, epochs=1, verbose=0, callbacks=[_Stop()])


def _resumed(model: Sequential, folder: Path) -> None:
    _interrupted(model)
    model.save(folder / "model.safetensors")
    model.fit(X, Y, batch_size=64, epochs=1, verbose=0, resume=folder / "model.safetensors")


CALLS: dict[str, Callable[[Sequential], Any]] = {
    "limited": lambda m: m.fit(X, Y, batch_size=None, epochs=1, memory_limit="200KB", verbose=0),
    "weighted": lambda m: m.fit(X, Y, sample_weight=WEIGHT, epochs=1, verbose=0),
    "full batch": lambda m: m.fit(X, Y, batch_size=None, epochs=2, verbose=0),
    "rows one by one": lambda m: m.fit(X[:50], Y[:50], batch_size=1, epochs=1, verbose=0),
    "interrupted": _interrupted,
    "failed": _fails,
    "large batch": lambda m: m.train_on_batch(X, Y),
    "small batch": lambda m: m.train_on_batch(X[:3], Y[:3]),
    "gradients": lambda m: m.loss_and_gradients(X, Y, WEIGHT),
}


def bits(model: Sequential) -> str:
    """Return the bits that a copy of the model computes next in every way there is."""
    found: list[NDArray[Any]] = []
    loss, gradients = model.loss_and_gradients(X, Y, WEIGHT)
    found += [np.float64(loss), *gradients, model.predict(X), np.array(model.evaluate(X, Y))]
    found.append(np.array(model.train_on_batch(X, Y, WEIGHT)))
    found += model.get_weights()
    model.fit(X, Y, batch_size=50, epochs=1, verbose=0)
    return fingerprint([np.ascontiguousarray(array) for array in found + model.get_weights()])


@pytest.mark.parametrize(
    ("width", "optimizer", "precision"),
    [(4, "adam", "float32"), (64, "adam", "float32"), (64, "sgd", "bfloat16")],
)
def test_calls_leave_nothing_behind_but_the_state(
    width: int, optimizer: str, precision: str, tmp_path: Path
) -> None:
    calls = {**CALLS, "resumed": lambda model: _resumed(model, tmp_path)}
    model = model_of(width, optimizer, precision)
    for name, call in calls.items():
        call(model)
        fresh = copy.deepcopy(model)
        assert bits(model) == bits(fresh), name
