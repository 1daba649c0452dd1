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
from ..layers.numeric import quantiles

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
# From so many rows on regressions take numbers apart: fewer do not fill the bins. Classifications
# gain on some tables and lose on others. Numbers of few values stay as they are: with a bin for
# each value a network forgets their order.
MANY_ROWS = 10_000
BINS = 16
_FEW_VALUES = 32
_ROWS_FOR_EDGES = 100_000


class Plan(NamedTuple):
    """How a network is trained."""

    epochs: int  # at most
    patience: int  # epochs without a new least validation loss
    bins: int  # pieces of each number, 0 where it stays one input

    def described(self, networks: int, encoded: bool) -> str:
        """Return what a user should know of it."""
        several = f"{networks} networks, " if networks > 1 else ""
        numbers = f"; numbers in up to {self.bins} pieces" if encoded else ""
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
    bins = BINS if not classes and rows + held >= MANY_ROWS else 0
    return Plan(
        epochs if arguments.epochs is None else arguments.epochs,
        patience if arguments.patience is None else arguments.patience,
        bins if arguments.bins is None else arguments.bins,
    )


def edges_of(
    table: Table, bins: int, before: Sequence[layers.Layer], x: Array
) -> list[Sequence[float]] | None:
    """Return the edges of the bins of all inputs; None where there is nothing to take apart.

    Parameters
    ----------
    table : Table
        Its columns; inputs that are zeros and ones pass through.
    bins : int
        Of each number at most.
    before : sequence of Layer
        What the inputs go through first.
    x : ndarray
        The rows to train on.
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
        quantiles(column, bins).tolist()
        if number and len(np.unique(column)) > _FEW_VALUES
        else (0.0, 1.0)
        for column, number in zip(values.T.astype(np.float64), numbers, strict=True)
    ]
    return edges if any(len(each) > 2 for each in edges) else None
