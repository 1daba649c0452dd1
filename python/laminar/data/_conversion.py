# SPDX-License-Identifier: Apache-2.0
"""Pieces of a user's rows as the core takes them: all of one form, in one dtype."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import _rows
from .._heads import unread
from .._rows import Rows
from . import _inputs
from ._pieces import Piece

if TYPE_CHECKING:
    from .._heads import Target

Joined = Callable[[Any, str], Any]


class Conversion:
    """What makes `Rows` of a piece.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    dtype : dtype
        float32 or float64.
    loss : Loss or None
        Decides what targets are; without it integers (n,) are class numbers.
    joined : callable
        A model's: puts the arrays of several inputs side by side, told what to call them.
    first : Piece
        The first rows, which all others must be like.

    Attributes
    ----------
    first : Rows
        The first rows.
    weighted : int
        How many weights a row has.
    features, outputs : int
        Values of a sample and of a target, 0 for class numbers.
    """

    def __init__(
        self, where: str, dtype: np.dtype[Any], loss: Target | None, joined: Joined, first: Piece
    ) -> None:
        self._dtype, self._loss, self._joined = dtype, loss, joined
        self._class_weight: object = None
        self._weighted = first.weight is not None
        labels = None if loss is None else loss._labels
        if labels is None and first.y is not None:
            targets = np.asarray(first.y)
            labels = targets.ndim == 1 and targets.dtype.kind in "iu"
        self._labels = bool(labels)
        self.first = self._converted(first, where, "")
        self.weighted = weights_of_a_row(self.first)
        if loss is not None:
            _rows.check_sums(where, self.first.y, loss)
        x, y, _ = self.first
        self.features = int(np.prod(x.shape[1:], dtype=np.int64))
        self.outputs = 0 if y.ndim == 1 else int(np.prod(y.shape[1:], dtype=np.int64))
        for name, array, width in (("x", x, self.features), ("y", y, self.outputs)):
            if width == 0 and array.ndim > 1:
                raise ValueError(f"{where}: {name} has no columns, its shape is {array.shape}")

    def with_class_weight(self, class_weight: object) -> Conversion:
        """Return it with the weights of rows multiplied by those of their classes."""
        weighted = copy.copy(self)
        weighted._class_weight, weighted.weighted = class_weight, 1
        return weighted

    def rows(self, piece: Piece, where: str, place: str = "") -> Rows:
        """Return a piece as rows.

        Parameters
        ----------
        piece : Piece
            What the user gave.
        where, place : str
            Begin and end of error messages.

        Raises
        ------
        TypeError, ValueError
            Where it is not like the first one.
        """
        rows = self._converted(piece, where, place)
        for name, one, other in (("x", rows.x, self.first.x), ("y", rows.y, self.first.y)):
            if one.shape[1:] != other.shape[1:]:
                raise ValueError(
                    f"{where}: {name} has rows of shape {one.shape[1:]}{place}, "
                    f"others have {other.shape[1:]}"
                )
        return rows

    def _converted(self, piece: Piece, where: str, place: str) -> Rows:
        x, y, weight = map(_inputs.plain, piece)
        if y is None and not unread(self._loss):
            raise ValueError(f"{where}: the data set has no y")
        if (weight is not None) != self._weighted:
            comma = "," if place else ""
            raise ValueError(f"{where}: some rows have weights and others have none{comma}{place}")
        return self._weighed(where, self._joined(x, f"{where}: x"), y, weight)

    def without_samples(self, y: Any, weight: Any, where: str) -> Rows:
        """Return targets and weights alone, for what is summed over all of them."""
        return self._weighed(
            where,
            np.zeros((_inputs.rows_of(weight if y is None else y), 1), self._dtype),
            y,
            weight,
        )

    def _weighed(self, where: str, x: Any, y: Any, weight: Any) -> Rows:
        rows = _rows.converted(where, x, y, weight, self._dtype, self._labels, self._loss)
        if self._loss is None:
            return rows
        return _rows.with_class_weight(where, rows, self._class_weight, self._loss)


def weights_of_a_row(rows: Rows) -> int:
    """Return how many weights a row has: one, or one for each of several outputs."""
    if rows.weight is None:
        return 0
    return 1 if rows.weight.ndim == 1 else int(rows.weight.shape[1])
