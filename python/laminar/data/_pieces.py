# SPDX-License-Identifier: Apache-2.0
"""What a data set reads: parts, in any order, each in pieces of rows that fit into memory."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import _frames
from . import _inputs

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]

# Neighbours in an array are read together; a shuffled epoch takes segments in a drawn order.
_SEGMENT_BYTES = 1 << 19


class Piece(NamedTuple):
    """Some rows as their source gives them; ``y`` and ``weight`` may be None."""

    x: Any
    y: Any = None
    weight: Any = None


class Pieces(ABC):
    """Rows that are read a piece at a time.

    Attributes
    ----------
    rows : int or None
        All rows; None where only reading tells.
    parts : int
        What can be read in any order.
    weighted : bool
        Whether rows have weights.
    """

    rows: int | None = None
    parts: int = 1
    weighted: bool = False

    @cached_property
    def first(self) -> Piece | None:
        """The first rows there are, read once; None where there are none."""
        return next(self.all(), None)

    def all(self) -> Iterator[Piece]:
        """Yield all rows in their order."""
        return (piece for part in range(self.parts) for piece in self.filled(part))

    def filled(self, part: int) -> Iterator[Piece]:
        """Yield the rows of a part, without pieces that have none."""
        return (piece for piece in self.open(part) if _inputs.rows_of(piece.x))

    def described(self) -> Piece | None:
        """Return what has the shapes of rows, where that needs no reading; else None."""
        first: Piece | None = vars(self).get("first")
        return first

    def in_dtype(self, dtype: np.dtype[Any]) -> Pieces:
        """Return the same rows, whose samples may be of a dtype at once."""
        return self

    def targets(self) -> Iterator[tuple[Any, Any]]:
        """Yield all targets and weights, where that needs no reading of rows; else nothing."""
        return iter(())

    @abstractmethod
    def open(self, part: int) -> Iterator[Piece]:
        """Yield the rows of a part."""

    @abstractmethod
    def name(self, part: int) -> str:
        """Return what errors call a part."""


class Arrays(Pieces):
    """Segments of arrays, in memory, mapped or in files; several are read one after another."""

    def __init__(self, triples: Sequence[tuple[Any, Any, Any]], names: Sequence[str]) -> None:
        self._triples, self._names = triples, names
        self._segments: list[tuple[int, int, int]] = []
        self.rows = 0
        self.weighted = triples[0][2] is not None
        for i, (x, _, _) in enumerate(triples):
            arrays = _inputs.arrays_of(x)
            row = sum(
                int(np.prod(a.shape[1:], dtype=np.int64)) * int(a.dtype.itemsize) for a in arrays
            )
            size, rows = max(1, _SEGMENT_BYTES // max(1, row)), len(arrays[0])
            self._segments += [(i, a, min(a + size, rows)) for a in range(0, rows, size)]
            self.rows += rows
        self.parts = len(self._segments)

    def described(self) -> Piece | None:
        """Return the first arrays."""
        return Piece(*self._triples[0])

    def targets(self) -> Iterator[tuple[Any, Any]]:
        """Yield those of each array."""
        return ((_part(y), _part(weight)) for _, y, weight in self._triples)

    def open(self, part: int) -> Iterator[Piece]:
        """Yield the segment."""
        i, first, end = self._segments[part]
        yield Piece(*(_part(value, slice(first, end)) for value in self._triples[i]))

    def name(self, part: int) -> str:
        """Return the array and the row that the segment begins with."""
        i, first, _ = self._segments[part]
        return f"the segment of {self._names[i]} at row {first}"


def _part(value: Any, rows: slice = slice(None)) -> Any:
    """Return some rows in memory, which may be in files."""
    return None if value is None else _inputs.each(value, lambda array: array[rows])


class Generated(Pieces):
    """What a function yields, called anew for every epoch."""

    def __init__(self, function: Callable[[], Iterable[Any]], rows: int | None) -> None:
        self._function = function
        self.rows = rows
        if iter(function()) is iter(function()):
            raise ValueError(
                "Dataset.from_generator: the function must return a new iterator whenever it is "
                "called, and returned the same one twice"
            )
        if self.first is None:
            raise ValueError("Dataset.from_generator: the generator yields no rows")
        self.weighted = self.first.weight is not None

    def open(self, part: int) -> Iterator[Piece]:
        """Yield what the function yields."""
        for given in self._function():
            if not isinstance(given, tuple) or len(given) not in (2, 3):
                what = type(given).__name__
                size = f" of {len(given)}" if isinstance(given, tuple) else ""
                raise ValueError(
                    "Dataset.from_generator: the generator must yield tuples (x, y) or "
                    f"(x, y, sample_weight) of rows, got {what}{size}"
                )
            yield Piece(*given)

    def name(self, part: int) -> str:
        """Return the function's name."""
        return f"what {getattr(self._function, '__name__', 'the generator')}() yields"


class Merged(Pieces):
    """Those of several inputs or targets side by side, for rows that no model takes."""

    def __init__(self, pieces: Pieces, dtype: np.dtype[Any]) -> None:
        self._pieces = pieces = pieces.in_dtype(dtype)
        self.rows, self.parts, self.weighted = pieces.rows, pieces.parts, pieces.weighted
        first = pieces.first or Piece(())
        self.x = self._layout(first.x, "x", dtype)
        self.y = self._layout(first.y, "y", dtype)

    def _layout(self, first: Any, name: str, dtype: np.dtype[Any]) -> _inputs.SideBySide | None:
        if not _inputs.are_several(first):
            return None
        return _inputs.SideBySide(first, f"batches: {name}", dtype)

    def open(self, part: int) -> Iterator[Piece]:
        """Yield what the others do, in matrices."""
        for piece in self._pieces.open(part):
            x = piece.x if self.x is None else self.x.joined(piece.x)
            y = piece.y if self.y is None else self.y.joined(piece.y)
            yield Piece(x, y, piece.weight)

    def name(self, part: int) -> str:
        """Return the name that the others have."""
        return self._pieces.name(part)

    def parted(self, batch: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        """Return a batch of matrices in the form that was given."""
        x, y, weight = batch
        x = x if self.x is None else self.x.parted(x)
        return x, y if self.y is None else self.y.parted(y), weight


def array_like(value: object, name: str) -> Any:
    """Return what has a shape and gives its rows by slices: an array, mapped or not.

    Raises
    ------
    TypeError, ValueError
        For tables, which belong to fit itself, and what has no rows.
    """
    if _frames.columns(value, name) is not None or _frames.is_sparse(value):
        raise TypeError(
            f"{name} is a {type(value).__name__}, which is in memory: pass it to fit itself"
        )
    array: Any = value
    if not (hasattr(value, "shape") and hasattr(value, "dtype") and hasattr(value, "__getitem__")):
        array = np.asarray(value)
    if len(array.shape) == 0 or array.shape[0] == 0:
        raise ValueError(f"{name} must have rows, got shape {tuple(array.shape)}")
    return array
