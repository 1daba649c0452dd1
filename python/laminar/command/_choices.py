# SPDX-License-Identifier: Apache-2.0
"""What `laminar train` decides about a training that a user has not decided, and why.

Each decision is one that has won on the tables of bench/tables; what has not is not here. Classes
of few rows get no weights: the log loss of all rows as they are is what makes probabilities
calibrated, and weights would undo that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from .. import layers
from .._component import integer
from ..layers.numeric import edges_between

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .._tables import Table

    Array = NDArray[Any]

EPOCHS = 100
PATIENCE = 10
# Epochs of small tables have few updates: ten of them are over before anything is learned.
_UPDATES = 5000
_PATIENT_UPDATES = 300
# Fewer rows held out cannot tell that a classifier is getting too sure of itself.
_TELLING_ROWS = 50
# Decoupled from the gradient, times the learning rate.
WEIGHT_DECAY = 0.1
# From so many rows on numbers are taken apart. Most tables gain by it, some much, and small ones
# may lose: of their ensembles every other network takes numbers as they are, whose mean is near the
# better one on all. Many rows fill more bins. Numbers of few values stay as they are: with a bin
# for each value a network forgets their order.
SOME_ROWS, BINS = 500, 16
MANY_ROWS, MANY_BINS = 10_000, 32
_FEW_VALUES = 32
_ROWS_FOR_EDGES = 100_000
_LEAST_BIN = 0.5  # in standard deviations, of what no row to train on is in


class Plan(NamedTuple):
    """How a network is trained."""

    epochs: int  # at most
    patience: int  # epochs without a new least validation loss
    bins: int  # pieces of each number, 0 where it stays one input
    all_apart: bool = True  # in every network of an ensemble, else in every other

    def described(self, networks: int, encoded: bool) -> str:
        """Return what a user should know of it."""
        several = f"{networks} networks, " if networks > 1 else ""
        where = "" if self.all_apart or networks == 1 else " in every other network"
        numbers = f"; numbers in up to {self.bins} pieces{where}" if encoded else ""
        return (
            f"training: {several}at most {self.epochs:,} epochs, or until {self.patience:,} bring "
            f"no lower validation loss{numbers}"
        )


def planned(arguments: argparse.Namespace, rows: int, held: int, classes: int) -> Plan:
    """Return how to train on some rows, with some held out; what the user says goes.

    Parameters
    ----------
    arguments : Namespace
        The command's; ``epochs``, ``patience`` and ``bins`` are None where nothing is said.
    rows, held : int
        Those to train on and to validate.
    classes : int
        Of a classification; 0 for numbers.
    """
    if arguments.bins is not None:
        integer(arguments.bins, "--bins")
    updates = -(-rows // arguments.batch_size)  # of an epoch
    epochs, patience = max(EPOCHS, -(-_UPDATES // updates)), PATIENCE
    if not classes or held >= _TELLING_ROWS:
        patience = max(patience, -(-_PATIENT_UPDATES // updates))
    many = rows + held >= MANY_ROWS
    bins = (MANY_BINS if many else BINS) if rows + held >= SOME_ROWS else 0
    return Plan(
        epochs if arguments.epochs is None else arguments.epochs,
        patience if arguments.patience is None else arguments.patience,
        bins if arguments.bins is None else arguments.bins,
        many or arguments.bins is not None,
    )


def edges_of(
    table: Table, bins: int, before: Sequence[layers.Layer], x: Array, limit: float
) -> list[Sequence[float]] | None:
    """Return the edges of the bins of all inputs; None where there is nothing to take apart.

    What is beyond all that training has seen has a bin of its own on each side, of which nothing
    is learned. There a wrong cell adds little, where the last bin would go on to rise.

    Parameters
    ----------
    table : Table
        Its columns; inputs that are zeros and ones pass through.
    bins : int
        Of each number at most, within what training has seen.
    before : sequence of Layer
        What the inputs go through first.
    x : ndarray
        The rows to train on.
    limit : float
        Inputs are between this and its negative then.
    """
    numbers = np.zeros(table.width, bool)
    place = 0
    for column in table.columns:
        numbers[place] = column.kind == "number"
        place += column.width
    if not bins or not numbers.any():
        return None
    values: Array = x[:: -(-len(x) // _ROWS_FOR_EDGES)]
    for layer in before:
        values = layer(values)
    edges: list[Sequence[float]] = [
        _with_ends(edges_between(column, bins), limit)
        if number and len(np.unique(column)) > _FEW_VALUES
        else (0.0, 1.0)
        for column, number in zip(values.T.astype(np.float64), numbers, strict=True)
    ]
    return edges if any(len(each) > 2 for each in edges) else None


def _with_ends(edges: Array, limit: float) -> list[float]:
    """Return edges, and the limits where these are well beyond."""
    found: list[float] = edges.tolist()
    low = [-limit] * (found[0] > -limit + _LEAST_BIN)
    high = [limit] * (found[-1] < limit - _LEAST_BIN)
    return [*low, *found, *high]
