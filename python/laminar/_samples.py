# SPDX-License-Identifier: Apache-2.0
"""What `predict` takes samples from piece by piece: a `Dataset`, or batches that a user brings."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from . import _arrays
from .data import _inputs
from .data._batches import samples_of
from .data._stream import ran_out

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from .data import Dataset
    from .data._batches import Batches

Joined = Callable[[Any, str], Any]


def check_steps(batches: int, steps: int | None, frames: int) -> None:
    """Warn where there are fewer batches than steps, at the caller's so many frames away."""
    if steps is not None and batches < steps:
        place = f"after {batches} of {steps} batches"
        ran_out("predict", place, "these are predicted", frames + 1)


class Samples(ABC):
    """Samples in pieces.

    Attributes
    ----------
    first : ndarray
        The first ones, for shapes.
    rows : int or None
        How many there must be; None where only reading tells.
    """

    first: NDArray[Any]
    rows: int | None = None

    @abstractmethod
    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield all of them, once."""


class OfDataset(Samples):
    """The rows of a data set, or the first ones."""

    def __init__(
        self, data: Dataset, steps: int | None, size: int, dtype: np.dtype[Any], joined: Joined
    ) -> None:
        self._data, self._dtype, self._joined = data, dtype, joined
        self._steps, self._size = steps, size
        first = data._pieces.first
        if first is None:
            raise ValueError("predict: the data set has no rows")
        self.first = self._taken(first.x)
        self.rows = data.rows
        if steps is not None and self.rows is not None:
            self.rows = min(self.rows, steps * size)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield them piece by piece."""
        most = None if self._steps is None else self._steps * self._size
        done = 0
        for piece in self._data._pieces.all():
            rows = self._taken(piece.x)[: None if most is None else most - done]
            done += len(rows)
            yield rows
            if done == most:
                break
        check_steps(-(-done // self._size), self._steps, 6)

    def _taken(self, x: Any) -> NDArray[Any]:
        x = self._joined(_inputs.plain(x), "predict: x")
        return _arrays.features(x, "predict: x", self._dtype)


class OfBatches(Samples):
    """Batches, or the next ones; targets and weights in them are left aside."""

    def __init__(
        self,
        batches: Batches,
        steps: int | None,
        dtype: np.dtype[Any],
        joined: Joined,
        inputs: int,
    ) -> None:
        self._batches, self._steps, self._dtype, self._joined = batches, steps, dtype, joined
        self._inputs = inputs
        if batches.number == 0 or batches.first is None:
            raise ValueError(f"predict: x is {batches.kind} and has none")
        self.first = self._taken(batches.first, 1)

    def __iter__(self) -> Iterator[NDArray[Any]]:
        """Yield them batch by batch."""
        self._batches.tell("on_epoch_begin")
        number = 0
        for take in itertools.islice(self._batches.open(None), self._steps):
            number += 1
            yield self._taken(take(), number)
        self._batches.tell("on_epoch_end")
        check_steps(number, self._steps, 6)

    def _taken(self, batch: Any, number: int) -> NDArray[Any]:
        where = f"predict: batch {number}"
        x = self._joined(samples_of(batch, where, self._inputs), f"{where}: x")
        return _arrays.features(x, f"{where}: x", self._dtype)
