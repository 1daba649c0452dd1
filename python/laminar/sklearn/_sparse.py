# SPDX-License-Identifier: Apache-2.0
"""Sparse rows, made dense a little at a time: a batch to train on, a block to predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.sparse import issparse

from ..data import Dataset
from ..data._pieces import Piece, Pieces

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .._rows import Rows

_BLOCK = 1 << 22  # elements
_MOST = 2**31 - 1  # elements of a matrix whose rows begin at 32-bit places
_SEGMENT = 1 << 17  # elements that are read together
_BUFFER = 1 << 28  # bytes of dense rows


def blocks(x: Any, dtype: Any) -> Iterator[NDArray[Any]]:
    """Give the rows of a CSR matrix as dense arrays of a few megabytes."""
    rows = max(1, _BLOCK // max(1, x.shape[1]))
    for first in range(0, x.shape[0], rows):
        yield x[first : first + rows].toarray().astype(dtype, copy=False)


def for_core(x: Any) -> Any:
    """Return rows as the core takes them in float64: an array, or the three of a CSR matrix."""
    if not issparse(x):
        return np.ascontiguousarray(x, np.float64)
    if x.nnz > _MOST:
        raise ValueError(f"X has {x.nnz} nonzero elements, and must have less than 2**31")
    index = np.dtype(np.int32)
    return (
        np.ascontiguousarray(x.data, np.float64),
        np.ascontiguousarray(x.indices, index),
        np.ascontiguousarray(x.indptr, index),
    )


class _SparseRows(Pieces):
    """The rows of a CSR matrix as a data set's, dense when they are read."""

    def __init__(self, rows: Rows, dtype: Any) -> None:
        self._rows, self._dtype = rows, dtype
        sparse: Any = rows.x
        self._size = max(1, _SEGMENT // max(1, sparse.shape[1]))
        self.rows = sparse.shape[0]
        self.parts = -(-sparse.shape[0] // self._size)
        self.weighted = rows.weight is not None

    def open(self, part: int) -> Iterator[Piece]:
        """Yield a few rows."""
        x, y, weight = self._rows.part(slice(part * self._size, (part + 1) * self._size))
        sparse: Any = x
        yield Piece(sparse.toarray().astype(self._dtype, copy=False), y, weight)

    def name(self, part: int) -> str:
        """Return where the rows begin."""
        return f"the rows from {part * self._size} on"


def dataset(rows: Rows, dtype: Any) -> Dataset:
    """Return rows of a CSR matrix for training, which makes a block of them dense at a time.

    Those that fit into its buffer train what the dense array trains, bit by bit.
    """
    return Dataset(_SparseRows(rows, dtype), _BUFFER)
