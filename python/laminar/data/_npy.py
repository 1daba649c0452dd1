# SPDX-License-Identifier: Apache-2.0
"""Arrays in ``.npy`` files, of which rows are read when they are used.

They are read and not mapped into memory: a file that becomes shorter meanwhile is then an error
that names it, and not the end of the process.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _core

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LONGEST_HEADER = 1 << 14  # NumPy's own has at most 10,000 characters
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


class Stored:
    """The array of a ``.npy`` file, open as long as this lives.

    Parameters
    ----------
    path : str
        The file.

    Attributes
    ----------
    shape : tuple of int
        The array's.
    dtype : dtype
        The array's.

    Raises
    ------
    ValueError, OSError
        Where it holds no array of numbers, or less than it says, or cannot be read.
    """

    def __init__(self, path: str) -> None:
        self._file = _core.OpenFile(path)
        where = f"Dataset.from_npy: {path!r}"
        head = np.empty(min(self._file.size, _LONGEST_HEADER), np.uint8)
        self._file.read(0, head)
        stream = io.BytesIO(head.tobytes())
        try:
            version = np.lib.format.read_magic(stream)
            if version not in _HEADERS:
                raise ValueError(f"its format is {version}")
            shape, self._by_column, dtype = _HEADERS[version](stream)
            if dtype.hasobject or dtype.fields is not None:
                raise ValueError(f"its dtype is {dtype}")
        except ValueError as error:
            raise ValueError(f"{where} holds no array of numbers: {error}") from None
        self.shape: tuple[int, ...] = tuple(map(int, shape))
        self.dtype: np.dtype[Any] = dtype
        self._data = stream.tell()
        needed = self._data + math.prod(self.shape) * dtype.itemsize
        if min((0, *self.shape)) < 0 or needed > self._file.size:
            raise ValueError(
                f"{where} is damaged: shape {self.shape} and dtype {dtype} take {needed:,} bytes, "
                f"it has {self._file.size:,}"
            )

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> NDArray[Any]:
        """Return some rows, which follow each other, as a new array."""
        first, end, _ = rows.indices(len(self))
        count, size = max(end - first, 0), self.dtype.itemsize
        row = math.prod(self.shape[1:])
        if not self._by_column:
            found = np.empty((count, *self.shape[1:]), self.dtype)
            self._read(self._data + first * row * size, found)
            return found
        columns = np.empty((*self.shape[:0:-1], count), self.dtype)
        for i, column in enumerate(columns.reshape(row, count)):
            self._read(self._data + (i * len(self) + first) * size, column)
        return np.asarray(columns.T)

    def _read(self, offset: int, array: NDArray[Any]) -> None:
        if array.size:
            self._file.read(offset, array)
