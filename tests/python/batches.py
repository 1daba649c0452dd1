# SPDX-License-Identifier: Apache-2.0
"""Batches for tests of those that users bring, and a model for them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from laminar import Sequential, layers

Array = NDArray[Any]

ROWS, FEATURES, SIZE = 100, 5, 16

BATCHES = 7  # of 100 rows, the last one of 4

RNG = np.random.default_rng(0)

X = RNG.normal(size=(ROWS, FEATURES)).astype(np.float32)

Y = (X[:, :1] + X[:, 1:2] ** 2 > 0.5).astype(np.float32)

LOSS = "binary_crossentropy"


def model(loss: str = LOSS, width: int = 6) -> Sequential:
    made = Sequential([layers.Dense(width, "tanh"), layers.Dense(1, "sigmoid")], seed=3)
    made.compile("adam", loss, metrics=["accuracy", "auc"])
    return made


def cut(size: int = SIZE) -> list[tuple[Array, Array]]:
    return [(X[i : i + size], Y[i : i + size]) for i in range(0, ROWS, size)]


def endless(size: int = SIZE) -> Iterator[tuple[Array, Array]]:
    while True:
        yield from cut(size)


class Batches:
    """As Keras's PyDataset: no base is needed."""

    def __init__(self, size: int = SIZE) -> None:
        self.batches = cut(size)
        self.calls: list[int | str] = []

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        self.calls.append(index)
        return self.batches[index]

    def on_epoch_begin(self) -> None:
        self.calls.append("(")

    def on_epoch_end(self) -> None:
        self.calls.append(")")


class Iterable:
    """As PyTorch's DataLoader: it may be gone through again and again, and tells no number."""

    def __iter__(self) -> Iterator[tuple[Array, Array]]:
        return iter(cut())


def same(one: Any, other: Any) -> bool:
    pairs = zip(one.get_weights(), other.get_weights(), strict=True)
    return all(np.array_equal(a, b) for a, b in pairs)


def refused(kind: type[Exception], match: str, call: Callable[[], Any]) -> None:
    with pytest.raises(kind, match=match):
        call()
