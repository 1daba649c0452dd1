# SPDX-License-Identifier: Apache-2.0
"""Batches that users bring: generators, other iterables, and sequences as Keras's PyDataset.

Nothing of them is read ahead: a batch is asked for by the thread that trains, when its update is
due, so that a generator may look at the model, and one that has no end loses no batch.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections import UserList, deque
from collections.abc import Callable, Iterator, Mapping, Set
from functools import cached_property, partial
from inspect import isroutine
from typing import Any, Protocol

from .. import _core, _frames
from .._component import integer
from ._pieces import Piece

# How batches are drawn: the seed of a model, and the number of the epoch.
Order = tuple[int, int]

# What can be gone through and holds rows; arrays and tables of any library have one of the names.
_ROWS = (Mapping, str, bytes, range, UserList, deque, Set)
_ARRAYS = ("__array__", "__array_interface__", "__arrow_c_stream__", "shape", "dtype", "to_numpy")


def brought(x: Any, where: str) -> Any:
    """Return a user's x as `Batches` where it gives batches; arrays, tables and others as it is.

    Raises
    ------
    TypeError
        For a function or a class, which would have to be called first.
    """
    if _frames.is_plain(x) or isinstance(x, _ROWS):
        return x
    if any(hasattr(x, name) for name in _ARRAYS) or _is_buffer(x):
        return x
    if isinstance(x, type) or isroutine(x):
        raise TypeError(f"{where} is {x.__name__} itself, not what it returns; call it")
    if hasattr(x, "__next__"):
        return Once(x)
    if hasattr(x, "__getitem__") and (hasattr(x, "__len__") or hasattr(x, "num_batches")):
        return Indexed(x)
    return Each(x) if hasattr(x, "__iter__") else x


class SequenceOfBatches(Protocol):
    """What is taken for a sequence of batches."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> Any: ...


def _is_buffer(x: Any) -> bool:
    try:
        memoryview(x)
    except TypeError:
        return False
    return True


class Batches(ABC):
    """What gives batches.

    Parameters
    ----------
    given : object
        The user's.

    Attributes
    ----------
    once : bool
        Whether what it has given does not come again.
    number : int or None
        Of batches, once through; None where only reading tells.
    kind : str
        What errors call it.
    """

    once = False
    number: int | None = None
    kind = "an iterable of batches"

    def __init__(self, given: Any) -> None:
        self._given = given

    @abstractmethod
    def open(self, order: Order | None) -> Iterator[Callable[[], Any]]:
        """Yield, once through, functions that return the batches; in a drawn order, if it can."""

    @cached_property
    def first(self) -> Any:
        """The first batch, for shapes; None where there is none."""
        take = next(self.open(None), None)
        return None if take is None else take()

    def tell(self, event: str) -> None:
        """Call ``on_epoch_begin`` or ``on_epoch_end`` where the user's object has it."""
        method = getattr(self._given, event, None)
        if callable(method):
            method()


class Each(Batches):
    """An object that gives a new iterator whenever it is asked, a DataLoader of PyTorch's say."""

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self._ahead: list[Any] = []
        self._begun: Iterator[Any] | None = None
        try:
            self.number = len(given)
        except TypeError:
            self.number = None

    @cached_property
    def first(self) -> Any:
        """The first batch, which the first iterator goes on from."""
        self._begun = iter(self._given)
        self._ahead = list(itertools.islice(self._begun, 1))
        return self._ahead[0] if self._ahead else None

    def open(self, order: Order | None) -> Iterator[Callable[[], Any]]:
        """Yield what an iterator gives, in its order."""
        begun, self._begun = self._begun, None
        ahead, self._ahead = self._ahead, []
        for batch in itertools.chain(ahead, iter(self._given) if begun is None else begun):
            yield partial(_same, batch)


class Once(Batches):
    """An iterator, a generator mostly: where one epoch stops, the next goes on."""

    once = True
    kind = "a generator"

    def __init__(self, given: Iterator[Any]) -> None:
        super().__init__(given)
        self._ahead: list[Any] = []

    @cached_property
    def first(self) -> Any:
        """The first batch, which is given again."""
        return self._ahead[0] if self.more() else None

    def more(self) -> bool:
        """Whether another batch comes, which is read for that."""
        if not self._ahead:
            self._ahead = list(itertools.islice(self._given, 1))
        return bool(self._ahead)

    def open(self, order: Order | None) -> Iterator[Callable[[], Any]]:
        """Yield what has not come yet."""
        while self.more():
            yield partial(_same, self._ahead.pop())


class Indexed(Batches):
    """A sequence of batches: ``given[i]`` is one, ``len(given)`` or ``given.num_batches`` all."""

    kind = "a sequence of batches"

    def __init__(self, given: Any) -> None:
        super().__init__(given)
        self.number = self._length()

    def _length(self) -> int | None:
        number = len(self._given) if hasattr(self._given, "__len__") else self._given.num_batches
        return None if number is None else integer(number, "num_batches")

    def open(self, order: Order | None) -> Iterator[Callable[[], Any]]:
        """Yield the batches; their numbers are drawn as fit draws those of rows."""
        number = self._length()  # which on_epoch_end may have changed
        numbers: Any = itertools.count() if number is None else range(number)
        if order is not None and number is not None:
            numbers = map(int, _core.drawn_order(*order, number))
        for i in numbers:
            yield partial(self._given.__getitem__, i)


def _same(batch: Any) -> Any:
    return batch


def piece_of(batch: Any, where: str, alone: bool = False) -> Piece:
    """Return a batch to train on, or to evaluate.

    Parameters
    ----------
    batch : tuple
        As the user brings it.
    where : str
        What errors call it.
    alone : bool
        Whether it may be x itself, or (x,).

    Raises
    ------
    ValueError
        Where it is no tuple (x, y) or (x, y, sample_weight).
    """
    if alone and (not isinstance(batch, (tuple, list)) or len(batch) == 1):
        return Piece(batch[0] if isinstance(batch, (tuple, list)) else batch, None)
    if not isinstance(batch, (tuple, list)) or len(batch) not in (2, 3):
        size = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
        raise ValueError(
            f"{where} must be a tuple (x, y) or (x, y, sample_weight), "
            f"got {type(batch).__name__}{size}"
        )
    return Piece(*batch)


def samples_of(batch: Any, where: str, inputs: int) -> Any:
    """Return what to predict of a batch: it may be x itself, or a tuple that begins with it.

    A list is a tuple, as in Keras, but for one of arrays for each of several inputs.
    """
    if not isinstance(batch, (tuple, list)):
        return batch
    alike = isinstance(batch, list) and len(batch) == inputs > 1
    if alike and not isinstance(batch[0], (tuple, list, Mapping)):
        return batch
    if len(batch) not in (1, 2, 3):
        raise ValueError(
            f"{where} must be x or a tuple (x,), (x, y) or (x, y, sample_weight), "
            f"got {type(batch).__name__} of {len(batch)}"
        )
    return batch[0]
