# SPDX-License-Identifier: Apache-2.0
"""Batches as the core takes them, one at a time, each for one update of exactly its rows."""

from __future__ import annotations

import copy
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core
from .._heads import unread
from .._rows import Rows
from ._batches import Batches, Once, Order, piece_of
from ._conversion import Conversion, Joined, weights_of_a_row
from ._reader import Reader

if TYPE_CHECKING:
    from .._heads import Target

Take = Callable[[str], Rows]


class Passes(ABC):
    """Rows in batches, which can be gone through again and again, or once.

    Attributes
    ----------
    first : Rows
        The first rows, for shapes.
    weighted : int
        How many weights a row has.
    number : int or None
        Of the batches of a pass; None where only reading tells.
    all : Rows or None
        All rows, where they are in memory.
    """

    first: Rows
    weighted: int
    number: int | None
    all: Rows | None = None

    @abstractmethod
    def open(self, order: Order | None) -> Iterator[Take]:
        """Yield, once through, functions that return batches, told what to call them."""

    @abstractmethod
    def mean_weight(self) -> tuple[float, int]:
        """See `Reader.mean_weight`."""

    @abstractmethod
    def tell(self, event: str) -> None:
        """Let a user's object know that an epoch begins or ends."""


class Brought(Passes):
    """Batches that a user brings."""

    def __init__(
        self,
        batches: Batches,
        where: str,
        dtype: np.dtype[Any],
        loss: Target | None,
        joined: Joined,
    ) -> None:
        self.batches, self.number = batches, batches.number
        if batches.number == 0 or batches.first is None:
            raise ValueError(f"{where}: x is {batches.kind} and has none")
        told = f"{where}: batch 1"
        self._alone = unread(loss)  # a batch may have no targets
        first = piece_of(batches.first, told, self._alone)
        self._conversion = Conversion(told, dtype, loss, joined, first)
        self.first = self._conversion.first
        self.weighted = self._conversion.weighted

    def with_class_weight(self, where: str, class_weight: object) -> Brought:
        """Return them with the weights of rows multiplied by those of their classes."""
        weighted = copy.copy(self)
        weighted._conversion = self._conversion.with_class_weight(class_weight)
        first = piece_of(self.batches.first, where, self._alone)
        weighted._conversion.rows(first, where)  # shows what is wrong
        weighted.weighted = 1
        return weighted

    def open(self, order: Order | None) -> Iterator[Take]:
        """Yield what comes next, or comes again."""
        for take in self.batches.open(order):
            yield partial(self._taken, take)

    def _taken(self, take: Callable[[], Any], where: str) -> Rows:
        return self._conversion.rows(piece_of(take(), where, self._alone), where)

    def mean_weight(self) -> tuple[float, int]:
        """Nothing is known before the last batch has come."""
        return 0.0, 0

    def tell(self, event: str) -> None:
        """Let the user's object know that an epoch begins or ends."""
        self.batches.tell(event)


class Cut(Passes):
    """Rows in memory or of a `Dataset`, cut into batches as fit cuts them."""

    def __init__(
        self, data: Rows | Reader, length: int | None, size: int, buffer_size: int
    ) -> None:
        self._data, self._size, self._buffer_size = data, size, buffer_size
        self.number = None if length is None else -(-length // size)
        self.first = data.first if isinstance(data, Reader) else data
        self.all = None if isinstance(data, Reader) else data
        self.weighted = data.weighted if isinstance(data, Reader) else weights_of_a_row(data)

    def open(self, order: Order | None) -> Iterator[Take]:
        """Yield the batches of an epoch."""
        single = self.first.x.dtype == np.float32
        kind = _core.BatchesFloat32 if single else _core.BatchesFloat64
        drawn = order or (0, 0)
        data = self._data
        cut = kind(data, self._size, order is not None, *drawn, self._buffer_size)
        for batch in cut:
            yield partial(_same, Rows(*batch))

    def mean_weight(self) -> tuple[float, int]:
        """Return that of all rows; the core weighs those in memory itself."""
        return self._data.mean_weight() if isinstance(self._data, Reader) else (0.0, 0)

    def tell(self, event: str) -> None:
        """Nobody waits for it."""


def _same(rows: Rows, where: str) -> Rows:
    return rows


class Stream:
    """The core's source of batches; see `_core._Source`.

    A pass over the data may take several epochs, if these have a number of steps; an epoch ends
    with the pass all the same, and the next one begins another.

    Parameters
    ----------
    passes : Passes
        What gives the batches.
    where : str
        The function that was called, for error messages.
    steps : int, optional
        Batches of an epoch; without it one epoch is one pass.
    again : bool
        Begin anew with every epoch, as evaluations do, where that can be.
    """

    rows = 0
    parts = 1

    def __init__(
        self, passes: Passes, where: str, steps: int | None = None, again: bool = False
    ) -> None:
        self.passes, self._where, self._steps, self._again = passes, where, steps, again
        self._pass: Iterator[Take] | None = None
        self._drawn: Order | None = None
        self._opened = 0
        self._at = 0  # the batch in hand
        self._told = False  # that they have run out
        self.features = int(np.prod(passes.first.x.shape[1:], dtype=np.int64))
        y = passes.first.y
        self.outputs = 0 if y.ndim == 1 else int(np.prod(y.shape[1:], dtype=np.int64))

    @property
    def first(self) -> Rows:
        """The first rows, for shapes."""
        return self.passes.first

    @property
    def weighted(self) -> int:
        """How many weights a row comes with."""
        return self.passes.weighted

    @property
    def all(self) -> Rows | None:
        """All rows, where they are in memory."""
        return self.passes.all

    @property
    def batches(self) -> int:
        """The batches of an epoch; 0 where only reading tells."""
        return self._steps or self.passes.number or 0

    @property
    def once(self) -> Once | None:
        """What gives its batches only once; None where they come again."""
        batches = self.passes.batches if isinstance(self.passes, Brought) else None
        return batches if isinstance(batches, Once) else None

    def mean_weight(self) -> tuple[float, int]:
        """See `Reader.mean_weight`."""
        return self.passes.mean_weight()

    def in_steps(self, steps: int, where: str, again: bool = False) -> Stream:
        """Return it with epochs of so many batches."""
        return Stream(self.passes, where, steps, again)

    def begin(self, seed: int | None, epoch: int, before: int) -> None:
        """Begin where training is.

        Parameters
        ----------
        seed : int or None
            The model's, to shuffle by.
        epoch : int
            How many epochs the model has been trained in all.
        before : int
            Those of them that this training made before it was resumed. They are gone through
            without asking for their batches.
        """
        self._drawn = None if seed is None else (seed, epoch - before)
        for _ in range(before):
            for _ in self._epoch():
                pass

    def ends(self) -> bool:
        """Whether nothing comes after the epochs so far, with a warning."""
        if self.once is None or self.once.more():
            return False
        if self._told:
            return True
        ran_out(self._where, f"after {self._opened} epochs", "training ends there", 7)
        return True

    def name(self, part: int) -> str:
        """Return what errors call the batch in hand."""
        return f"batch {self._at}"

    def open(self, part: int) -> Iterator[Rows]:
        """Yield the batches of the next epoch."""
        for take in self._epoch():
            yield take(f"{self._where}: batch {self._at}")
        if self._at == 0:
            raise ValueError(f"{self._where}: the data have run out: no batch is left")
        if self._steps is not None and self._at < self._steps:
            self._told = True
            ends = "the epoch ends there" if self.once is None else "training ends there"
            what = "what has come counts" if self._again else ends
            ran_out(self._where, f"after {self._at} of {self._steps} batches of an epoch", what, 5)

    def _epoch(self) -> Iterator[Take]:
        self.passes.tell("on_epoch_begin")
        order = None if self._drawn is None else (self._drawn[0], self._drawn[1] + self._opened)
        self._opened += 1
        self._at = 0
        if self._again:
            self._pass = None
        while self._steps is None or self._at < self._steps:
            begins = self._pass is None
            if self._pass is None:
                self._pass = self.passes.open(order)
            take = next(self._pass, None)
            if take is not None:
                self._at += 1
                yield take
                continue
            self._pass = None
            if begins or self._at > 0:
                break
        self.passes.tell("on_epoch_end")


def ran_out(where: str, place: str, what: str, frames: int) -> None:
    """Warn that there are fewer batches than were asked for.

    Parameters
    ----------
    where, place, what : str
        The function that was called, where the data end, and what is done there.
    frames : int
        How far away the caller of that function is.
    """
    warnings.warn(
        f"{where}: the data have run out {place}; {what}. They must have as many batches as are "
        "asked for in all; without a number of steps an epoch is all of the data",
        UserWarning,
        stacklevel=frames,
    )
