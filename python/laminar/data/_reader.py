# SPDX-License-Identifier: Apache-2.0
"""A data set as the core reads it: in one dtype, with targets as a loss takes them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .._heads import Heads
from .._rows import Rows
from ._conversion import Conversion, Joined

if TYPE_CHECKING:
    from .._heads import Target
    from ._dataset import Dataset


class Reader:
    """The core's source of rows; see `_core._Source`.

    Parameters
    ----------
    dataset : Dataset
        Where rows come from.
    where : str
        The function that was called, for error messages.
    dtype : dtype
        float32 or float64.
    loss : Loss, what stands for several, or None
        Decides what targets are; without it integers (n,) are class numbers.
    joined : callable
        See `Conversion`.

    Attributes
    ----------
    first : Rows
        The first rows, for shapes.
    """

    batches: int | None = None  # rows are cut into batches
    all: Rows | None = None  # which the core asks for only where they are in memory

    def __init__(
        self,
        dataset: Dataset,
        where: str,
        dtype: np.dtype[Any],
        loss: Target | None,
        joined: Joined,
    ) -> None:
        self._pieces, self._where, self.dtype = dataset._pieces.in_dtype(dtype), where, dtype
        self._loss = loss
        first = self._pieces.first
        if first is None:
            raise ValueError(f"{where}: the data set has no rows")
        self._conversion = Conversion(where, dtype, loss, joined, first)

    @property
    def first(self) -> Rows:
        """The first rows, for shapes."""
        return self._conversion.first

    @property
    def weighted(self) -> int:
        """How many weights a row comes with."""
        return self._conversion.weighted

    @property
    def features(self) -> int:
        """Values of a sample."""
        return self._conversion.features

    @property
    def outputs(self) -> int:
        """Values of a target; 0 where targets are class numbers."""
        return self._conversion.outputs

    def with_class_weight(self, class_weight: object) -> Reader:
        """Return it with the weights of rows multiplied by those of their classes."""
        weighted = copy.copy(self)
        weighted._conversion = self._conversion.with_class_weight(class_weight)
        next(weighted.open(0), None)  # shows what is wrong with them, as far as the first rows can
        return weighted

    @property
    def rows(self) -> int:
        """All rows; 0 where only reading tells."""
        return self._pieces.rows or 0

    @property
    def parts(self) -> int:
        """What can be read in any order."""
        return self._pieces.parts

    def mean_weight(self) -> tuple[float, int]:
        """Return the sum of the rows' weights and the number of rows that count.

        (0, 0) where only reading tells. Summed row by row, as the core does.
        """
        total, counted = 0.0, 0
        known = self.weighted and knows_mean_weight(self._loss)
        for y, weight in self._pieces.targets() if known else ():
            rows = self._conversion.without_samples(y, weight, self._where)
            total, count = summed(rows, self._loss, total)
            counted += count
        return total, counted

    def name(self, part: int) -> str:
        """Return what errors call a part."""
        return self._pieces.name(part)

    def open(self, part: int) -> Iterator[Rows]:
        """Yield the rows of a part as the core takes them."""
        place = f" in {self.name(part)}"
        for piece in self._pieces.filled(part):
            yield self._conversion.rows(piece, self._where, place)


def knows_mean_weight(loss: Target | None) -> bool:
    """Whether rows weigh the same towards all there is, and count where they are not ignored."""
    return not (isinstance(loss, Heads) or (loss is not None and loss._missing))


def summed(rows: Rows, loss: Target | None, before: float = 0.0) -> tuple[float, int]:
    """Return the sum of weights, row by row as the core does, and how many rows count."""
    assert rows.weight is not None
    ignored = getattr(loss, "ignore_class", None)
    counts = rows.weight if ignored is None else rows.weight[rows.y != ignored]
    return float(np.cumsum([before, *counts], dtype=np.float64)[-1]), len(counts)
