# SPDX-License-Identifier: Apache-2.0
"""A data set as the core reads it: in one dtype, with targets as a loss takes them."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _rows
from .._rows import Rows
from ._pieces import Piece

if TYPE_CHECKING:
    from ..losses import Loss
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
    loss : Loss or None
        Decides what targets are; without it integers (n,) are class numbers.

    Attributes
    ----------
    first : Rows
        The first rows, for shapes.
    """

    def __init__(
        self,
        dataset: Dataset,
        where: str,
        dtype: np.dtype[Any],
        loss: Loss | None,
    ) -> None:
        self._pieces, self._where, self.dtype = dataset._pieces, where, dtype
        self._loss = loss
        self._class_weight: object = None
        self._labels: bool | None = None if loss is None else loss._labels
        self.weighted = self._pieces.weighted
        first = self._pieces.first
        if first is None:
            raise ValueError(f"{where}: the data set has no rows")
        self.first = self._checked(first, 0)
        if loss is not None:
            _rows.check_sums(where, self.first.y, loss)
        x, y, _ = self.first
        self.features = int(np.prod(x.shape[1:], dtype=np.int64))
        self.outputs = 0 if y.ndim == 1 else int(np.prod(y.shape[1:], dtype=np.int64))
        for name, array, width in (("x", x, self.features), ("y", y, self.outputs)):
            if width == 0 and array.ndim > 1:
                raise ValueError(f"{where}: {name} has no columns, its shape is {array.shape}")

    def with_class_weight(self, class_weight: object) -> Reader:
        """Return it with the weights of rows multiplied by those of their classes."""
        weighted = copy.copy(self)
        weighted._class_weight, weighted.weighted = class_weight, True
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
        ignored = getattr(self._loss, "ignore_class", None)
        for y, weight in self._pieces.targets() if self.weighted else ():
            rows = self._checked(Piece(np.zeros((len(y), 1), self.dtype), y, weight), 0)
            assert rows.weight is not None
            counts = rows.weight if ignored is None else rows.weight[rows.y != ignored]
            total = float(np.cumsum([total, *counts], dtype=np.float64)[-1])
            counted += len(counts)
        return total, counted

    def name(self, part: int) -> str:
        """Return what errors call a part."""
        return self._pieces.name(part)

    def open(self, part: int) -> Iterator[Rows]:
        """Yield the rows of a part as the core takes them."""
        for piece in self._pieces.filled(part):
            rows = self._checked(piece, part)
            for name, one, other in (("x", rows.x, self.first.x), ("y", rows.y, self.first.y)):
                if one.shape[1:] != other.shape[1:]:
                    raise ValueError(
                        f"{self._where}: {name} has rows of shape {one.shape[1:]} in "
                        f"{self.name(part)}, others have {other.shape[1:]}"
                    )
            yield rows

    def _checked(self, piece: Piece, part: int) -> Rows:
        x, y, weight = piece
        if y is None:
            raise ValueError(f"{self._where}: the data set has no y")
        if (weight is not None) != self._pieces.weighted:
            raise ValueError(
                f"{self._where}: some rows have weights and others have none, in {self.name(part)}"
            )
        if self._labels is None:
            targets = np.asarray(y)
            self._labels = targets.ndim == 1 and targets.dtype.kind in "iu"
        rows = _rows.converted(self._where, x, y, weight, self.dtype, self._labels)
        if self._loss is None:
            return rows
        return _rows.with_class_weight(self._where, rows, self._class_weight, self._loss)
