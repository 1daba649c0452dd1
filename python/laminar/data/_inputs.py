# SPDX-License-Identifier: Apache-2.0
"""Rows of several arrays: the dicts and lists that stand for several inputs, or several targets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _arrays

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[Any]


class Several(list[Any]):
    """A list that is known to hold arrays for several inputs."""


def are_several(value: object, rows: int | None = None) -> bool:
    """Whether a value is a dict or a list of arrays, each of which has all rows.

    A list of vectors could be a list of rows as well; ``rows``, where known, tells them apart.
    """
    if isinstance(value, (Mapping, Several)):
        return True
    if not isinstance(value, (list, tuple)) or not value:
        return False
    shapes: list[tuple[int, ...]] = [getattr(part, "shape", ()) for part in value]
    if not all(shapes) or len({shape[0] for shape in shapes}) > 1:
        return False
    return any(len(shape) > 1 for shape in shapes) or len(value) != rows == shapes[0][0]


def rows_told(values: Iterable[Any]) -> int | None:
    """Return the number of rows that arrays, dicts and lists of a data set agree in.

    None where only lists of vectors are there, each of which may be a row as well.
    """
    unclear = []
    for value in values:
        if value is None:
            continue
        if are_several(value) or not _are_vectors(value):
            return rows_of(value)
        unclear.append(value)
    lengths = {len(value[0]) for value in unclear}
    several = len(lengths) == 1 and len({len(value) for value in unclear}) > 1
    return lengths.pop() if several else None


def _are_vectors(value: Any) -> bool:
    listed = isinstance(value, (list, tuple)) and len(value) > 0
    return listed and all(len(getattr(part, "shape", ())) == 1 for part in value)


def plain(value: Any) -> Any:
    """Return a dict, a list or an array as a user has it."""
    return list(value) if isinstance(value, Several) else value


def each(value: Any, change: Callable[[Any], Any]) -> Any:
    """Return the same form with every array changed; one array alone is changed itself."""
    if isinstance(value, Mapping):
        return {key: change(part) for key, part in value.items()}
    if are_several(value):
        return Several(change(part) for part in value)
    return change(value)


def arrays_of(value: Any) -> list[Any]:
    """Return the arrays of a dict or a list, or the one that there is."""
    if isinstance(value, Mapping):
        return list(value.values())
    return list(value) if are_several(value) else [value]


def rows_of(value: Any) -> int:
    """Return the number of rows of arrays that have the same."""
    parts = arrays_of(value)
    if not parts:
        return 0
    shape = getattr(parts[0], "shape", None)
    return int(shape[0]) if shape else len(parts[0])


class SideBySide:
    """The arrays of several inputs or targets as one matrix, where no model tells their order.

    Parameters
    ----------
    like : dict or list of arrays
        The first rows.
    where : str
        What to call them in an error message.
    dtype : dtype
        Of the matrix.
    """

    def __init__(self, like: Any, where: str, dtype: np.dtype[Any]) -> None:
        self._keys = tuple(like) if isinstance(like, Mapping) else None
        self._where, self._dtype = where, dtype
        parts = [self._columns(part) for part in arrays_of(like)]
        self._ends = np.cumsum([part.shape[1] for part in parts])

    def _columns(self, part: Any) -> Array:
        value = np.reshape(part, (-1, 1)) if np.ndim(part) == 1 else part
        array = _arrays.features(value, self._where, self._dtype)
        return array.reshape(len(array), -1)

    def joined(self, value: Any) -> Array:
        """Return the matrix; ValueError where other inputs come than the first rows had."""
        keys = tuple(value) if isinstance(value, Mapping) else None
        if self._keys is not None and keys is not None and set(keys) == set(self._keys):
            value = {key: value[key] for key in self._keys}
        elif keys != self._keys:
            raise ValueError(f"{self._where} has the keys {keys}, others have {self._keys}")
        given = value.values() if isinstance(value, Mapping) else value
        parts = [self._columns(part) for part in given]
        if len(parts) != len(self._ends) or len({len(part) for part in parts}) > 1:
            raise ValueError(
                f"{self._where} must be {len(self._ends)} arrays of equally many rows, got shapes "
                f"{', '.join(str(part.shape) for part in parts)}"
            )
        return np.concatenate(parts, axis=1)

    def parted(self, matrix: Array) -> Any:
        """Return the matrix in the form of the first rows, each array of two axes."""
        parts: Iterable[Array] = np.split(matrix, self._ends[:-1], axis=1)
        parts = [np.ascontiguousarray(part) for part in parts]
        return parts if self._keys is None else dict(zip(self._keys, parts, strict=True))
