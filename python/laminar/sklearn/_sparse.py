# SPDX-License-Identifier: Apache-2.0
"""Sparse rows, made dense a little at a time, to train on and to predict."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from scipy.sparse import issparse

from ..data import Dataset
from ..data._pieces import Piece, Pieces

_MOST = 2**31 - 1  # elements of a matrix whose rows begin at 32-bit places
_SEGMENT = 1 << 17  # elements that are read together


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

    def __init__(self, x: Any, y: Any, weight: Any, dtype: Any) -> None:
        self._arrays, self._dtype = (x, y, weight), dtype
        self._size = max(1, _SEGMENT // max(1, x.shape[1]))
        self.rows = x.shape[0]
        self.parts = -(-x.shape[0] // self._size)
        self.weighted = weight is not None

    def open(self, part: int) -> Iterator[Piece]:
        """Yield a few rows."""
        where = slice(part * self._size, (part + 1) * self._size)
        x, *others = self._arrays
        dense = x[where].toarray().astype(self._dtype, copy=False)
        yield Piece(dense, *(None if array is None else array[where] for array in others))

    def name(self, part: int) -> str:
        """Return where the rows begin."""
        return f"the rows from {part * self._size} on"


def dataset(x: Any, dtype: Any, y: Any = None, weight: Any = None) -> Dataset:
    """Return rows of a CSR matrix, of which a block is made dense at a time.

    Those that fit into the buffer train what the dense array trains, bit by bit.
    """
    return Dataset(_SparseRows(x, y, weight, dtype))
