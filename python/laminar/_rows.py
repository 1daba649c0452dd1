# SPDX-License-Identifier: Apache-2.0
"""Rows of data as the core takes them, and what is done to them before training.

A `Rows` has passed every check that can be made without the model. Splitting takes views, so
that holding out a part of a large array costs no memory.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from . import _arrays, _component
from ._heads import Heads, Unread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._heads import Target

    Array = NDArray[Any]


# Losses of distributions over classes, and what their sum may miss 1 by: rough smoothing is no
# mistake, several classes in a row are one.
_DISTRIBUTIONS = ("categorical_crossentropy", "categorical_focal_crossentropy", "kl_divergence")
_MOST_BESIDE = 0.5


class Rows(NamedTuple):
    """Samples (n, in), targets (n, out) or labels (n,), and weights (n,) or None.

    In and out may be several axes; the core takes them as one.
    """

    x: Array
    y: Array
    weight: Array | None

    @property
    def length(self) -> int:
        """The number of rows."""
        return int(self.x.shape[0])

    def part(self, where: slice) -> Rows:
        """Return a view of some of the rows."""
        return Rows(
            self.x[where], self.y[where], None if self.weight is None else self.weight[where]
        )


def prepared(
    where: str, x: object, y: object, weight: object, dtype: np.dtype[Any], loss: Target
) -> Rows:
    """Return a user's data as `Rows`.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    x, y, weight : array_like
        What the user passed; weight may be None.
    dtype : dtype
        The model's.
    loss : Loss or what stands for several
        Decides what y must be.

    Raises
    ------
    TypeError, ValueError
        Where one of them is wrong, or they differ in length.

    Warns
    -----
    UserWarning
        Where targets shall be distributions over classes and rows are far from that.
    """
    rows = converted(where, x, y, weight, dtype, loss._labels, loss)
    check_sums(where, rows.y, loss)
    return rows


def sums_to_one(loss: Target) -> bool:
    """Whether targets of several columns shall be distributions over classes."""
    return loss._entry in _DISTRIBUTIONS


def check_sums(where: str, y: Array, loss: Target) -> None:
    """Warn where rows that shall sum to 1 are far from it; rows of zeros count for nothing."""
    if not sums_to_one(loss) or y.ndim != 2 or y.shape[1] == 1:
        return
    sums = y.sum(axis=1)
    wrong = (np.abs(sums - 1) > _MOST_BESIDE) & (sums != 0)
    if not wrong.any():
        return
    wrong &= (y >= 0).all(axis=1) & (y <= 1).all(axis=1)  # the core refuses others
    if wrong.any():
        row = int(np.argmax(wrong))
        warnings.warn(
            f"{where}: row {row} of y sums to {sums[row]:g}, and the loss {loss._entry!r} takes "
            "one class, or the probabilities of all, which sum to 1; where a row may have several "
            "classes, use sigmoid and 'binary_crossentropy'",
            UserWarning,
            stacklevel=6,  # the caller of fit
        )


def converted(
    where: str,
    x: object,
    y: object,
    weight: object,
    dtype: np.dtype[Any],
    labels: bool,
    loss: Target | None = None,
) -> Rows:
    """Do what `prepared` does, told whether targets are class numbers."""
    inputs = _arrays.features(x, f"{where}: x", dtype)
    if isinstance(loss, Heads):
        return Rows(inputs, *loss.joined(where, y, weight, dtype, len(inputs)))
    if isinstance(loss, Unread):
        wanted = loss.made(dtype, len(inputs))
    elif labels:
        wanted = _arrays.labels(y, f"{where}: y", loss is not None and loss._missing)
    else:
        wanted = _arrays.targets(y, f"{where}: y", dtype)
    weights = _arrays.row_weights(weight, f"{where}: sample_weight", dtype)
    for name, array in (("y", wanted), ("sample_weight", weights)):
        if array is not None and len(array) != len(inputs):
            raise ValueError(f"{where}: x has {len(inputs)} rows, {name} has {len(array)}")
    return Rows(inputs, wanted, weights)


def split(rows: Rows, fraction: float, loss: Target) -> tuple[Rows, Rows]:
    """Return all but the last rows, and the last ``fraction`` of them, as Keras does.

    Raises
    ------
    TypeError, ValueError
        Where the fraction is no number in [0, 1), or one part would be empty.

    Warns
    -----
    UserWarning
        Where the last rows hold a class that the others lack.
    """
    fraction = _component.number(fraction, "fit: validation_split")
    if not 0 < fraction < 1:
        raise ValueError(f"fit: validation_split must be in [0, 1), got {fraction}")
    first = math.floor(rows.length * (1 - fraction))
    if first in (0, rows.length):
        raise ValueError(
            f"fit: validation_split={fraction} of {rows.length} rows leaves {first} to train on "
            f"and {rows.length - first} to validate"
        )
    train, held_out = rows.part(slice(first)), rows.part(slice(first, None))
    seen, held = _classes(train.y), _classes(held_out.y)
    if loss._classifies and seen is not None and held is not None:
        unseen = np.setdiff1d(held, seen)
        if unseen.size:
            warnings.warn(
                f"fit: validation_split takes the last {held_out.length} rows, and class "
                f"{unseen[0]:g} occurs only there; are the rows sorted? Shuffle them first, "
                "or pass validation_data",
                UserWarning,
                stacklevel=5,  # the caller of fit
            )
    return train, held_out


def with_class_weight(where: str, rows: Rows, class_weight: object, loss: Target) -> Rows:
    """Return the rows with their weights multiplied by the weights of their classes.

    Parameters
    ----------
    where : str
        The function that was called, for error messages.
    rows : Rows
        Targets are class numbers, or one-hot rows.
    class_weight : mapping or None
        {class number: weight}; every class that occurs must be there.
    loss : Loss or what stands for several
        Its ignored class needs no weight, and neither do missing targets.

    Raises
    ------
    TypeError, ValueError
        Where a class is missing, or a weight is no finite number of at least 0.
    """
    if class_weight is None:
        return rows
    if isinstance(loss, Heads):
        raise ValueError(
            f"{where}: class_weight is for models of one output; of several give sample_weight for "
            "each"
        )
    if not isinstance(class_weight, Mapping):
        raise TypeError(
            f"{where}: class_weight must be a dict from class to weight, got {class_weight!r}"
        )
    there = np.ones(rows.length, bool)
    if loss._missing:
        there = ~_missing_rows(rows.y)
    of_rows = _classes(rows.y[there])
    if of_rows is None:
        raise ValueError(
            f"{where}: class_weight needs targets that are class numbers or one-hot rows; "
            "for other targets use sample_weight"
        )
    classes, place = np.unique(of_rows, return_inverse=True)
    table = np.empty(classes.shape, rows.x.dtype)
    ignored = getattr(loss, "ignore_class", None)
    for i, label in enumerate(classes):
        if label not in class_weight:
            if label == ignored:
                table[i] = 0
                continue
            raise ValueError(
                f"{where}: class_weight has no weight for class {label:g}, which occurs in y"
            )
        table[i] = _component.number(class_weight[label], f"{where}: class_weight[{label:g}]")
        if table[i] < 0:
            raise ValueError(f"{where}: class_weight[{label:g}] must be at least 0")
    weight = np.zeros(rows.length, rows.x.dtype)  # of no meaning where the target is missing
    weight[there] = table[place.reshape(-1)]
    return rows._replace(weight=weight if rows.weight is None else rows.weight * weight)


def _missing_rows(y: Array) -> Array:
    """Return for each row whether some of its targets are missing."""
    if y.ndim == 1:
        return np.asarray(y == _arrays.MISSING_LABEL)
    return np.asarray(np.isnan(y).any(axis=tuple(range(1, y.ndim))))


def _classes(y: Array) -> Array | None:
    """Return the class of each row, or None where targets are neither numbers nor one-hot."""
    if y.ndim == 1:
        return y
    if y.shape[1:] == (1,):
        column = y[:, 0]
        return column if bool((np.floor(column) == column).all()) else None
    if y.ndim > 2:
        return None
    one_hot = (y.max(axis=1) == 1).all() and (np.abs(y).sum(axis=1) == 1).all()
    return y.argmax(axis=1) if one_hot else None


def batch_size(value: int | None, where: str, rows: int | None) -> int:
    """Return the rows of a batch, at most all of them."""
    if value is None:
        if rows is None:
            raise ValueError(f"{where}: batch_size must be given for rows of unknown number")
        return rows
    size = _component.integer(value, f"{where}: batch_size", minimum=1)
    return size if rows is None else min(size, rows)
