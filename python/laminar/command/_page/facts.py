# SPDX-License-Identifier: Apache-2.0
"""What a report is made of: the training, and rows that it has not learned from.

Of very many rows an even share is kept, the same ones each time.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..._base_model import BaseModel
    from ..._tables import Survey
    from ..._tables.table import Column, Target
    from .._manners import Training
    from .._report import Report

    Array = NDArray[Any]

_MOST = 100_000  # rows of which predictions are kept
_MOST_INPUTS = 2_000  # rows of which the inputs are kept
_FLOATS = 1 << 24  # and no more numbers in them than this


class Thinned:
    """Every so-manieth row of those that come, so that no more than ``most`` stay."""

    def __init__(self, most: int) -> None:
        self._most, self._every, self._seen = most, 1, 0
        self._kept: list[Array] = []

    def add(self, rows: Array) -> None:
        """Take rows into account."""
        first = -self._seen % self._every
        self._kept.append(rows[first :: self._every].copy())
        self._seen += len(rows)
        while sum(map(len, self._kept)) > self._most:
            self._kept = [np.concatenate(self._kept)[::2]]
            self._every *= 2

    def rows(self) -> Array:
        """Return those that are kept."""
        return np.concatenate(self._kept)


class Seen:
    """Rows that a model has predicted: their targets, predictions, and inputs of some.

    Parameters
    ----------
    target : Target
        What is predicted.
    width : int
        The number of inputs.
    name : str
        What the rows are called: "test", "validation" or "training".
    """

    def __init__(self, target: Target, width: int, name: str) -> None:
        self.target, self.name = target, name
        self.count = 0
        self._y, self._predicted = Thinned(_MOST), Thinned(_MOST)
        most = max(50, min(_MOST_INPUTS, _FLOATS // max(1, width)))
        self._x, self._y_of_x = Thinned(most), Thinned(most)

    def add(self, x: Array, y: Array, predicted: Array) -> None:
        """Take some rows into account."""
        self.count += len(y)
        self._y.add(y)
        self._predicted.add(predicted)
        self._x.add(x)
        self._y_of_x.add(y)

    @property
    def y(self) -> Array:
        """Class numbers, or numbers, (rows,)."""
        return self._y.rows()

    @property
    def predicted(self) -> Array:
        """Probabilities of the classes, (rows, classes), or numbers, (rows,)."""
        return values(self.target, self._predicted.rows())

    def inputs(self) -> tuple[Array, Array]:
        """Return some rows' inputs and their targets."""
        return self._x.rows(), self._y_of_x.rows()


class Read(NamedTuple):
    """A column of the file, the columns of the table that it makes, and their inputs."""

    name: str
    columns: tuple[Column, ...]
    inputs: Array


class Facts(NamedTuple):
    """What is known when training has ended."""

    arguments: argparse.Namespace
    survey: Survey
    model: BaseModel
    training: Training
    measures: dict[str, Report]
    trained_rows: int
    seen: Seen

    @property
    def target(self) -> Target:
        """What is predicted."""
        return self.survey.table.target

    @property
    def regression(self) -> bool:
        """Whether that is a number."""
        return self.target.kind == "number"

    def columns(self) -> list[Read]:
        """Return the columns of the file that the model reads."""
        found: dict[str, Read] = {}
        start = 0
        for column in self.survey.table.columns:
            # A date is one column of the file and several of the table.
            name = getattr(column, "source", "") or column.name
            inputs = np.arange(start, start + column.width)
            before = found.get(name, Read(name, (), inputs[:0]))
            found[name] = Read(
                name, (*before.columns, column), np.concatenate([before.inputs, inputs])
            )
            start += column.width
        return list(found.values())

    def predict(self, x: Array) -> Array:
        """Return probabilities, (rows, classes), or numbers, (rows,)."""
        return values(self.target, self.model.predict(x))


def values(target: Target, predicted: Array) -> Array:
    """Return what a model gives as probabilities, (rows, classes), or as numbers, (rows,)."""
    found = np.asarray(predicted, np.float64)
    if target.kind == "number":
        return found[:, 0]
    if found.shape[1] == 1:
        return np.hstack([1 - found, found])
    return found


def chosen(predicted: Array) -> Array:
    """Return the class of each row, as accuracy counts it."""
    if predicted.shape[1] == 2:
        return (predicted[:, 1] > 0.5).astype(np.int64)
    most: Array = predicted.argmax(axis=1)
    return most


def log_losses(y: Array, predicted: Array) -> Array:
    """Return the log loss of each row."""
    right = predicted[np.arange(len(y)), y.astype(np.int64)]
    losses: Array = -np.log(np.maximum(right, 1e-7))
    return losses
